"""What is inside a recording, what is missing, and what is wrong: counted as a live run counts."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from biosense.acquisition.xdf.gaps import GapFinder
from biosense.acquisition.xdf.losses import Loss, find_losses
from biosense.acquisition.xdf.reader import XdfReader
from biosense.acquisition.xdf.session_times import StreamSummary
from biosense.core.stage import Pipeline
from biosense.core.types import Chunk, Epoch, Event, Record, StreamInfo
from biosense.estimation.chunk_joiner import ChunkJoiner
from biosense.estimation.processor import Outcome, Processor, ProcessorSettings
from biosense.estimation.signal_quality import START_S, usable_rows
from biosense.estimation.stream_health import StreamHealth
from biosense.recordings.inspection import Inspection, StreamReport

_LOW_QUALITY = 0.5
_RATE_OFF = 0.02  # share by which an effective rate may miss the nominal one
_MOST_LOSSES = 20  # places of damage that are named one by one


class Watch(Protocol):
    """Look over the shoulder of `inspect_reader`: see what it reads and computes."""

    def wrap(self, info: StreamInfo, pipeline: Pipeline) -> Pipeline:
        """Put taps into the pipeline of a stream."""
        ...

    def take(self, item: Record) -> None:
        """See an item of the recording."""
        ...

    def note(self, outcome: Outcome) -> None:
        """See what came of it."""
        ...


def inspect(path: Path, settings: ProcessorSettings | None = None) -> Inspection:
    """Read a recording from end to end and report on it.

    Parameters
    ----------
    path
        A recording folder, or an .xdf file of any program.
    settings
        Of the processor; the defaults of a live run where None.

    Returns
    -------
    Inspection
        Streams, events and problems.
    """
    return inspect_reader(XdfReader(path), settings)


def inspect_reader(
    reader: XdfReader, settings: ProcessorSettings | None = None, *, watch: Watch | None = None
) -> Inspection:
    """Report on a recording that is open already; `watch` is shown everything.

    Parameters
    ----------
    reader
        Of the recording.
    settings
        Of the processor.
    watch
        Sees what is read and computed.

    Returns
    -------
    Inspection
        Streams, events and problems.
    """
    counters = {info.name: _StreamCounter(info) for info in reader.infos}
    wrap = None if watch is None else watch.wrap
    processor = Processor(settings or ProcessorSettings(), wrap=wrap)
    notes = [note.text for info in reader.infos for note in processor.add_stream(info)]
    events = list(_read(reader, counters, processor, watch))
    summaries = {summary.info.name: summary for summary in reader.streams}
    streams = {name: counter.report(summaries[name]) for name, counter in counters.items()}
    begin = min((each.first for each in streams.values() if each.first is not None), default=None)
    end = max((each.last for each in streams.values() if each.last is not None), default=None)
    closed = bool(reader.streams) and all(summary.footer for summary in reader.streams)
    losses = find_losses(reader) if reader.damage else ()
    problems = [
        *([] if closed else _unclosed(reader, streams, begin, end)),
        *_lost(losses, begin or 0.0),
        *_refused(reader),
        *(text for summary in reader.streams for text in _footer_problems(summary)),
        *(text for name, stream in streams.items() for text in _problems(name, stream)),
        *notes,
    ]
    said = (
        f"{event.time - (begin or 0.0):.3f} s  {event.kind}  {event.stream}  {event.text}"
        for event in events
    )
    return Inspection(streams, tuple(said), tuple(problems), closed, begin, end)


@dataclass
class _StreamCounter:
    """What is counted of one stream."""

    info: StreamInfo
    health: StreamHealth = field(init=False)
    gaps: GapFinder | None = field(init=False)
    first: float | None = None
    last: float | None = None
    packet: int = 1
    qualities: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.health = StreamHealth(self.info)
        self.gaps = GapFinder(self.info.sfreq) if self.info.sfreq else None

    def add(self, item: Record) -> None:
        self.health.add(item)
        if isinstance(item, Chunk) and item.n:
            if self.first is None:
                self.first, self.packet = float(item.times[0]), _first_packet(item)
            self.last = float(item.times[-1])
            if self.gaps is not None:
                self.gaps.push(item.times[usable_rows(item)])

    def report(self, summary: StreamSummary) -> StreamReport:
        info, rate = self.info, self._rate()
        status = self.health.status(0.0)
        gaps = tuple(self.gaps.finish()) if self.gaps is not None else ()
        return StreamReport(
            kind=str(info.modality or info.content_type or ("text" if info.is_text else "other")),
            channels=info.n_channels,
            samples=self.health.samples,
            seconds=None if rate is None else (self.last or 0.0) - (self.first or 0.0),
            rate_hz=rate,
            nominal_hz=info.sfreq or None,
            gaps=len(gaps),
            lost=sum(gap.missing for gap in gaps),
            drift_ppm=status.drift_ppm if status.offset else None,
            quality=statistics.median(self.qualities) if self.qualities else None,
            first=self.first,
            last=self.last,
            gap_list=gaps,
            clock_resets=len(summary.resets),
        )

    def _rate(self) -> float | None:
        """Return the rate from the first to the last sample, gaps included."""
        if self.first is None or self.last is None or self.last == self.first:
            return None
        # The samples of a packet were taken before its time: those of the first before the span.
        return (self.health.samples - self.packet) / (self.last - self.first)


def _first_packet(chunk: Chunk) -> int:
    """Return how many samples share the first time, within half of a sample interval."""
    apart = np.diff(chunk.times) >= 0.5 / chunk.info.sfreq if chunk.info.sfreq else np.ones(1)
    return int(np.argmax(apart)) + 1 if apart.any() else chunk.n


def _read(
    reader: XdfReader,
    counters: dict[str, _StreamCounter],
    processor: Processor,
    watch: Watch | None,
) -> Iterator[Event]:
    """Read everything, and yield the events."""
    qualities: dict[str, list[float]] = defaultdict(list)
    joiner = ChunkJoiner()

    def compute(chunk: Chunk) -> None:
        for outcome in processor.push(chunk):
            if isinstance(outcome, Epoch):
                qualities[outcome.info.name].append(outcome.quality)
            if watch is not None:
                watch.note(outcome)

    for item in reader.items():
        if watch is not None:
            watch.take(item)
        if isinstance(item, Event):
            yield item
            continue
        counters[item.info.name].add(item)
        for chunk in joiner.push(item) if isinstance(item, Chunk) else ():
            compute(chunk)
    for chunk in joiner.flush():
        compute(chunk)
    for name, values in qualities.items():
        counters[name].qualities = values


def _unclosed(
    reader: XdfReader, streams: dict[str, StreamReport], begin: float | None, end: float | None
) -> list[str]:
    """Say of a recording without footers how far each stream goes."""
    missing = sum(not summary.footer for summary in reader.streams)
    text = (
        f"the recording was not closed: its run was killed, or is still going on "
        f"({missing} of {len(reader.streams)} footers are missing, which costs no sample)"
    )
    if begin is None or end is None:
        return [text, "it holds no sample"]
    parts = [f"it holds everything up to {end - begin:.3f} s"]
    for name, stream in streams.items():
        if stream.last is not None and stream.nominal_hz:
            early = end - stream.last
            parts.append(f"{name} ends {early:.3f} s before" if early > 0 else f"{name} ends there")
    return [text, "; ".join(parts)]


def _lost(losses: tuple[Loss, ...], begin: float) -> list[str]:
    parts = [loss.describe(begin) for loss in losses[:_MOST_LOSSES]]
    if len(losses) > _MOST_LOSSES:
        rest = losses[_MOST_LOSSES:]
        size = sum(loss.damage.size for loss in rest)
        counts = sum(sum(loss.samples.values()) for loss in rest)
        parts.append(f"{len(rest)} more places, {size} bytes, about {counts} samples")
    return parts


def _refused(reader: XdfReader) -> Iterable[str]:
    """Say what the disk did not take while it was recorded."""
    for name, count in reader.sidecar.lost.items():
        yield f"{name}: {count} samples were lost while recording, the disk did not take them"


def _footer_problems(summary: StreamSummary) -> list[str]:
    less = (summary.declared or 0) - summary.samples
    if less <= 0:
        return []
    return [f"{summary.info.name}: {less} samples less than its footer promises"]


def _problems(name: str, stream: StreamReport) -> list[str]:
    problems = []
    if stream.samples == 0 and stream.nominal_hz:
        problems.append(f"{name}: no sample at all")
    if stream.rate_hz and stream.nominal_hz and 2 * stream.gaps >= stream.samples - 1 > 1:
        problems.append(f"{name}: runs at {stream.rate_hz:.2f} Hz, not {stream.nominal_hz:g} Hz")
    elif stream.gaps:
        gaps = "1 gap" if stream.gaps == 1 else f"{stream.gaps} gaps"
        longest = max(gap.stop - gap.start for gap in stream.gap_list)
        missing = f"about {stream.lost} samples missing, the longest {longest:.2f} s"
        problems.append(f"{name}: {gaps}, {missing}")
    elif stream.rate_hz and stream.nominal_hz:
        off = stream.rate_hz / stream.nominal_hz - 1
        if abs(off) > _RATE_OFF:
            problems.append(f"{name}: runs at {stream.rate_hz:.2f} Hz, {100 * off:+.1f} % off")
    if stream.clock_resets:
        times = "once" if stream.clock_resets == 1 else f"{stream.clock_resets} times"
        problems.append(f"{name}: the sender's clock began anew {times}")
    settled = stream.seconds is not None and stream.seconds > 2 * START_S
    if settled and stream.quality is not None and stream.quality < _LOW_QUALITY:
        problems.append(f"{name}: median signal quality is {stream.quality:.2f}")
    return problems
