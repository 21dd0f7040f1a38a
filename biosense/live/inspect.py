"""What is inside a recording: counted with the same health and processing as a live run."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.types import Chunk, Epoch, Event, StreamInfo
from biosense.live.health import StreamHealth
from biosense.live.processor import Processor, ProcessorSettings
from biosense.live.quality import START_S

_LOW_QUALITY = 0.5
_RATE_OFF = 0.02  # share by which an effective rate may miss the nominal one


@dataclass(frozen=True)
class StreamReport:
    """Hold what a recording holds of one stream; None where it does not apply."""

    kind: str
    channels: int
    samples: int
    seconds: float | None
    rate_hz: float | None
    nominal_hz: float | None
    gaps: int
    lost: int
    drift_ppm: float | None
    quality: float | None


@dataclass(frozen=True)
class Inspection:
    """Hold what is inside a recording, and what is wrong with it, in words."""

    streams: dict[str, StreamReport]
    events: tuple[str, ...]
    problems: tuple[str, ...]


def inspect(path: Path, settings: ProcessorSettings | None = None) -> Inspection:
    """Read a recording from end to end and report on it."""
    reader = XdfReader(path)
    infos = reader.infos
    healths = {info.name: StreamHealth(info) for info in infos}
    processor = Processor(settings or ProcessorSettings())
    notes = [note.text for info in infos for note in processor.add_stream(info)]
    qualities: dict[str, list[float]] = defaultdict(list)
    events: list[str] = []
    for item in reader.items():
        if isinstance(item, Event):
            events.append(f"{item.time:.3f}  {item.kind}  {item.stream}  {item.text}")
            continue
        healths[item.info.name].add(item)
        for outcome in processor.push(item) if isinstance(item, Chunk) else ():
            if isinstance(outcome, Epoch):
                qualities[outcome.info.name].append(outcome.quality)
    streams = {name: _report(health, qualities.get(name, [])) for name, health in healths.items()}
    problems = [text for name, stream in streams.items() for text in _problems(name, stream)]
    damage = [f"{damage.size} bytes are unreadable: {damage.reason}" for damage in reader.damage]
    if not (damage or reader.complete):
        damage = ["the recording was not closed: its run was killed, or is still going on"]
    return Inspection(streams, tuple(events), (*damage, *problems, *notes))


def _report(health: StreamHealth, qualities: list[float]) -> StreamReport:
    info: StreamInfo = health.info
    status = health.status(0.0)
    rate = health.mean_rate
    return StreamReport(
        kind=str(info.modality or info.content_type or ("text" if info.is_text else "other")),
        channels=info.n_channels,
        samples=health.samples,
        seconds=None if math.isnan(rate) else (health.samples - 1) / rate,
        rate_hz=None if math.isnan(rate) else rate,
        nominal_hz=info.sfreq or None,
        gaps=health.gaps,
        lost=health.lost,
        drift_ppm=status.drift_ppm if status.offset else None,
        quality=statistics.median(qualities) if qualities else None,
    )


def _problems(name: str, stream: StreamReport) -> list[str]:
    problems = []
    if stream.samples == 0 and stream.nominal_hz:
        problems.append(f"{name}: no sample at all")
    if stream.gaps:
        gaps = "1 gap" if stream.gaps == 1 else f"{stream.gaps} gaps"
        problems.append(f"{name}: {gaps}, about {stream.lost} samples missing")
    elif stream.rate_hz and stream.nominal_hz:
        off = stream.rate_hz / stream.nominal_hz - 1
        if abs(off) > _RATE_OFF:
            problems.append(f"{name}: runs at {stream.rate_hz:.2f} Hz, {100 * off:+.1f} % off")
    settled = stream.seconds is not None and stream.seconds > 2 * START_S
    if settled and stream.quality is not None and stream.quality < _LOW_QUALITY:
        problems.append(f"{name}: median signal quality is {stream.quality:.2f}")
    return problems
