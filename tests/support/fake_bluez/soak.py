"""A long run of a simulated Polar H10 with random drops and silences, and what became of it.

Every sample tells its number, so that each one that is missing or comes twice is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from biosense.acquisition.ble.link.states import LinkState
from biosense.core.types import EventKind, Floats, Ints
from tests.support.fake_bluez.clock import ScaledClock
from tests.support.fake_bluez.devices.polar import DATA, ECG, Polar
from tests.support.fake_bluez.harness import Heard

RATE = 130.0
FRAME = 73  # samples
INTERVAL_S = FRAME / RATE
LONGEST_SILENCE_S = 8.0
OUTAGE_S = 5.0  # what a fault costs, about
_HEADER = 10  # bytes of a frame before its samples
_EDGES = re.compile(r"no samples from ([\d.]+) to ([\d.]+) s")


class FaultKind(StrEnum):
    """Name what is done to the sensor."""

    DROP = "drop"
    SILENCE = "silence"


@dataclass(frozen=True)
class Fault:
    """Tell what was done to the sensor, and when, in session time."""

    kind: FaultKind
    start: float
    stop: float


@dataclass(frozen=True)
class Gap:
    """A jump in the numbers of the samples that came: from `last` to `next`, at session times."""

    last: int
    next: int
    start: float
    stop: float


@dataclass(frozen=True)
class Verdict:
    """What became of a run.

    Parameters
    ----------
    seconds, samples, sent
        Simulated time; samples that came, and that were sent and reached the computer.
    faults, gaps
        What was done, and the jumps that were seen.
    doubled
        Samples that came again, or out of order.
    lost
        Samples that reached the computer, did not come, and are in no gap that a fault explains.
    unexplained
        Gaps without a fault.
    unmarked
        Gaps that cannot be seen in the times, or that a lost link left without an event.
    noticed
        Seconds from the first missed packet until the link said so; less than 0 for a drop that was
        told before a packet was missed. Only where the sensor was connected anew.
    waits
        Seconds from then until the search for the sensor began: the back-off.
    errors
        Seconds by which the times are off the truth, after the first minute, sorted.
    """

    seconds: float
    samples: int
    sent: int
    faults: list[Fault]
    gaps: list[Gap]
    doubled: int
    lost: int
    unexplained: int
    unmarked: int
    noticed: list[float]
    waits: list[float]
    errors: Floats

    @property
    def is_clean(self) -> bool:
        """Whether no sample is lost or doubled outside a marked gap with a known cause."""
        return not (self.doubled or self.lost or self.unexplained or self.unmarked)


async def torment(
    sensor: Polar,
    heard: Heard,
    clock: ScaledClock,
    rng: np.random.Generator,
    *,
    faults: int,
    seconds: float,
) -> list[Fault]:
    """Drop and silence a sensor at random moments of at least `seconds` of simulated time."""
    begun, done = clock.now(), []
    spell = max(seconds / faults - OUTAGE_S, 1.0)
    while len(done) < faults:
        if rng.random() < 0.9:
            await heard.until(lambda: heard.streams, 60.0)
            await clock.sleep(rng.exponential(spell))
        else:  # while it is being started
            while not sensor.connected:
                await clock.sleep(0.05)
        if sensor.connected:
            done.append(await _strike(sensor, clock, rng))
    await clock.sleep(begun + seconds - clock.now())
    arrived = heard.count("ecg")
    await heard.until(lambda: heard.streams and heard.count("ecg") > arrived + 10 * FRAME, 60.0)
    return done


async def _strike(sensor: Polar, clock: ScaledClock, rng: np.random.Generator) -> Fault:
    start = clock.now()
    if rng.random() < 0.5:
        sensor.drop()
        return Fault(FaultKind.DROP, start, start)
    sensor.faults.silent = True
    await clock.sleep(rng.uniform(INTERVAL_S, LONGEST_SILENCE_S))
    sensor.faults.silent = False
    return Fault(FaultKind.SILENCE, start, clock.now())


def judge(sensor: Polar, heard: Heard, faults: list[Fault], seconds: float) -> Verdict:
    """Compare what came with what was sent."""
    times, data = heard.samples("ecg")
    numbers = np.rint(data[:, 0]).astype(np.int64)
    gaps = [
        Gap(int(numbers[at]), int(numbers[at + 1]), times[at], times[at + 1])
        for at in np.flatnonzero(np.diff(numbers) > 1)
    ]
    explained = [gap for gap in gaps if _cause(gap, faults)]
    sent = np.concatenate([*_arrived(sensor), np.zeros(0, np.int64)])
    missing = np.setdiff1d(sent[(sent >= numbers[0]) & (sent <= numbers[-1])], numbers)
    lost = [n for n in missing if not any(gap.last < n < gap.next for gap in explained)]
    noticed, waits = _reactions(heard)
    truth = np.array([sensor.crystal.session(n / RATE) for n in numbers[times > times[0] + 60.0]])
    return Verdict(
        *(seconds, len(numbers), len(sent), faults, gaps),
        doubled=int((np.diff(numbers) < 1).sum()),
        lost=len(lost),
        unexplained=len(gaps) - len(explained),
        unmarked=_unmarked(gaps, heard),
        noticed=noticed,
        waits=waits,
        errors=np.sort(np.abs(times[times > times[0] + 60.0] - truth)),
    )


def _cause(gap: Gap, faults: list[Fault]) -> bool:
    """Tell whether a fault happened where samples are missing, of which one may be on its way."""
    return any(fault.start <= gap.stop and fault.stop >= gap.start - INTERVAL_S for fault in faults)


def _arrived(sensor: Polar) -> Iterator[Ints]:
    """Return the numbers of the samples in each frame that reached the computer."""
    for sent in sensor.log or ():
        if sent.uuid == DATA and sent.arrived and sent.packet[0] == ECG:
            first = int.from_bytes(sent.packet[_HEADER : _HEADER + 3], "little")
            yield np.arange(first, first + (len(sent.packet) - _HEADER) // 3)


def _unmarked(gaps: list[Gap], heard: Heard) -> int:
    """Count gaps that the times hide, or whose loss of the link no event tells with its edges."""
    events = heard.events(EventKind.GAP, key=" ecg")
    edges = [[float(edge) for edge in match.groups()] for match in map(_match, events) if match]
    told = np.array(edges).reshape(-1, 2)
    lost = [event.time for event in heard.events(EventKind.LOST, key=" ecg")]
    unmarked = 0
    for gap in gaps:
        is_told = bool((np.abs(told - [gap.start, gap.stop]).max(axis=1, initial=0) < 0.002).any())
        is_lost = any(gap.start < time < gap.stop + INTERVAL_S for time in lost)
        is_seen = gap.stop - gap.start > 0.5 * (gap.next - gap.last) / RATE
        unmarked += not is_seen or (is_lost and not is_told)
    return unmarked


def _match(event: object) -> re.Match[str] | None:
    return _EDGES.search(getattr(event, "text", ""))


def _reactions(heard: Heard) -> tuple[list[float], list[float]]:
    """Return how long after the first missed packet the link noticed, and how long it waited."""
    arrivals = np.array([chunk.arrived for chunk in heard.chunks("ecg")])
    noticed: list[float] = []
    waits: list[float] = []
    streamed, since = False, None
    for state in heard.states(" ecg"):
        if state.link == LinkState.STREAMING:
            streamed, since = True, None
        elif not streamed:
            continue  # no packet was missed: it is still being brought back
        elif state.link in (LinkState.STALLED, LinkState.BACKING_OFF):
            since = state.time if since is None else since
        elif state.link == LinkState.SCANNING and since is not None:
            last = arrivals[np.searchsorted(arrivals, since, side="right") - 1]
            noticed.append(since - (last + INTERVAL_S))
            waits.append(state.time - since)
            streamed, since = False, None
    return noticed, waits
