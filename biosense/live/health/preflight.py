"""Pre-flight: a few seconds of every stream before the run, and what is wrong with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from biosense.core.device_state import DeviceState
from biosense.core.errors import BiosenseError
from biosense.core.own_streams import is_packets
from biosense.core.types import Chunk, ClockOffset, Event, EventKind, Item, StreamInfo
from biosense.estimation.stream_health import StreamHealth
from biosense.live.config.preflight_settings import PreflightSettings
from biosense.live.health.checks import check_stream, in_words
from biosense.live.health.signal_checks import Finding, Severity, check_signal
from biosense.live.output.status import RunStatus

_STAMP_BYTES = 9  # of each sample in XDF
_NOTED = (EventKind.ERROR, EventKind.OVERRUN, EventKind.CLOCK_RESET, EventKind.GAP)


class NotReady(BiosenseError):
    """Raise when the pre-flight refuses to begin; `problems` are the reasons, a line each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(
            f"the pre-flight found {count}, nothing is recorded: mend that, or go on in spite of "
            f'it with on_problem = "warn" in the preset or --preflight 0'
        )


class PreflightData:
    """Keep what the streams send during the pre-flight.

    `events` and the newest `devices` states are said again when the run begins, and so are the
    `offsets`: the times of later samples depend on them. Samples are not.
    """

    def __init__(self, infos: Iterable[StreamInfo], now: float) -> None:
        self.began = now
        self.healths = {info.name: StreamHealth(info) for info in infos}
        self.chunks: dict[str, list[Chunk]] = defaultdict(list)
        self.offsets: dict[str, list[ClockOffset]] = defaultdict(list)
        self.devices: dict[str, DeviceState] = {}
        self.events: list[Event] = []

    def take(self, item: Item) -> None:
        """Take an item of any stream."""
        if isinstance(item, DeviceState):
            self.devices[item.stream] = item
        elif isinstance(item, Event):
            self.events.append(item)
        elif isinstance(item, ClockOffset):
            self.offsets[item.info.name].append(item)
        elif item.n:
            self.chunks[item.info.name].append(item)
        name = item.stream if isinstance(item, Event | DeviceState) else item.info.name
        if name in self.healths:
            self.healths[name].add(item)

    def whole(self, name: str) -> Chunk | None:
        """Return everything that a stream sent as one chunk; None where it sent nothing."""
        chunks = self.chunks.get(name)
        if not chunks:
            return None
        times, data, ok = (
            np.concatenate([getattr(chunk, part) for chunk in chunks])
            for part in ("times", "data", "ok")
        )
        return Chunk(chunks[-1].info, times, data, ok)

    def status(self, now: float, left: float) -> RunStatus:
        """Return what a view shows meanwhile, `left` seconds before the end of the pre-flight."""
        healths = [each for each in self.healths.values() if not is_packets(each.info)]
        streams = tuple(health.status(now) for health in healths)
        return RunStatus(now, 0.0, streams, preflight=max(left, 0.0))

    @property
    def bytes(self) -> int:
        """About what all that would take in a recording."""
        return sum(_size(chunk) for chunks in self.chunks.values() for chunk in chunks)


def find_problems(
    data: PreflightData, settings: PreflightSettings, *, now: float, mains_hz: float
) -> list[Finding]:
    """Say what is wrong with each stream; a stream with nothing wrong gets one finding, ok.

    Parameters
    ----------
    data
        What the streams sent.
    settings
        What is accepted.
    now
        Session time, seconds.
    mains_hz
        Mains frequency that the run is set to, Hz.

    Returns
    -------
    list of Finding
        At least one a stream.
    """
    found: list[Finding] = []
    for name, health in data.healths.items():
        if is_packets(health.info):
            continue
        status, whole = health.status(now), data.whole(name)
        faults = check_stream(status, settings, now - data.began)
        faults += [
            Finding(name, Severity.WARN, event.text)
            for event in data.events
            if event.stream == name and event.kind in _NOTED
        ]
        if whole is not None:
            faults += check_signal(whole, mains_hz=mains_hz, max_mains=settings.max_mains)
        found += faults or [Finding(name, Severity.OK, in_words(status))]
    return found


def refusals(findings: Iterable[Finding], optional: Collection[str]) -> list[str]:
    """Return the findings that forbid a run to begin: failures, but of no optional stream.

    Parameters
    ----------
    findings
        Of the pre-flight.
    optional
        Names of streams that the run can do without.

    Returns
    -------
    list of str
        A reason each; empty where the run may begin.
    """
    return [
        str(each)
        for each in findings
        if each.severity is Severity.FAIL and each.stream not in optional
    ]


def as_event(finding: Finding, time: float) -> Event:
    """Return a finding as an event of the run.

    Parameters
    ----------
    finding
        Of the pre-flight.
    time
        Session time, seconds.

    Returns
    -------
    Event
        For the recording and the window.
    """
    kinds = {
        Severity.OK: EventKind.INFO,
        Severity.WARN: EventKind.LOW_QUALITY,
        Severity.FAIL: EventKind.ERROR,
    }
    text = f"pre-flight {finding.severity}: {finding.text}"
    return Event(time, kinds[finding.severity], finding.stream, text)


def _size(chunk: Chunk) -> int:
    if chunk.info.is_text:
        return sum(len(str(text)) + _STAMP_BYTES for text in chunk.data.flat)
    return int(chunk.data.nbytes) + _STAMP_BYTES * chunk.n
