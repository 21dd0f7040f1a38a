"""From the inlet of one stream to its items: the one place where its clock is fitted and used."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from biosense.acquisition.lsl.inlet import MAX_SAMPLES
from biosense.acquisition.lsl.monitor import Silence, StampCheck
from biosense.core.clock import Clock, ClockFit
from biosense.core.types import Chunk, ClockOffset, Event, EventKind, Floats, Item, StreamInfo

MEASURE_S = 5.0  # as LabRecorder does
PATIENCE_S = 5.0  # for an offset; LSL needs 0.64 s, and probes anew every 2 s
_REPEAT_S = 10.0  # a complaint about stamps is repeated no more often


class SampleInlet(Protocol):
    """What a reader needs of an inlet; see `Inlet`."""

    def pull(self) -> tuple[Floats, NDArray[Any]]:
        """Take what is there: stamps (n,) and samples (n, channels)."""
        ...

    def offset(self) -> float | None:
        """Return what is to be added to the sender's clock, or None while unknown."""
        ...

    def reconnected(self) -> bool:
        """Tell whether the sender was found again since the last call."""
        ...


class StreamReader:
    """Turn what one stream gives into items whose order is the order of their making.

    Samples wait in LSL until the sender's clock is measured, at the start and after each
    reconnection, so that every chunk is preceded by the measurement that its times come from:
    feeding the items in their order to another `ClockFit` gives the same times again.

    Where no measurement succeeds (a firewall that swallows UDP), the arrival of the newest sample
    stands in for it, with an event that says so.

    Parameters
    ----------
    link
        The open inlet.
    info
        The stream.
    clock
        Session time; must tell LSL's local clock, in which offsets are given.

    Attributes
    ----------
    returns
        How often the sender was found again.
    """

    def __init__(self, inlet: SampleInlet, info: StreamInfo, clock: Clock) -> None:
        self.info = info
        self._inlet = inlet
        self._clock = clock
        self._fit = ClockFit()
        now = clock.now()
        self._silence = Silence(info.sfreq, now)
        self._stamps = StampCheck(info.sfreq)
        self._held: deque[tuple[Floats, NDArray[Any]]] = deque()
        self._measured = False
        self._measure_at = now
        self._waits_since = now
        self._returned = False
        self.returns = 0
        self._reported_at = -np.inf

    def connected(self, hostname: str) -> Event:
        """Report that the stream is open."""
        return self._event(EventKind.CONNECTED, f"LSL stream from {hostname or 'unknown host'}")

    def poll(self) -> Iterator[Item]:
        """Yield what is new; samples are taken from LSL only as the caller asks for more.

        Raises
        ------
        DeviceLost
            If the sender is gone and LSL will not find it by itself; go on with `resume`.
        """
        if self._inlet.reconnected():
            self._expect_new_clock()
        yield from self._measure()
        if self._measured:
            if self._returned and self.info.sfreq == 0:  # its next sample may be long in coming
                yield from self.answers()
            yield from self._chunks()
        yield from self._watch()

    def resume(self, inlet: SampleInlet) -> None:
        """Go on with another inlet of the same stream, whose sender was started again."""
        self._inlet = inlet
        self._expect_new_clock()

    @property
    def lost(self) -> bool:
        """True from the report that the stream is lost until it is back."""
        return self._silence.lost

    def lose(self, reason: str) -> Iterator[Event]:
        """Report that the sender is gone, unless its silence has been reported already."""
        if not self._silence.lost:
            self._silence.lost = True
            yield self._event(EventKind.LOST, reason)

    def answers(self) -> Iterator[Event]:
        """Report that the sender is there, unless nobody has missed it."""
        returned, self._returned = self._returned, False
        if returned or self._silence.lost:
            words = "reconnected" if returned else "its sender answers again"
            yield self._event(EventKind.RECOVERED, words)
        self._silence.lost = False

    def _expect_new_clock(self) -> None:
        self._measured = False
        self._returned = True
        self.returns += 1
        self._waits_since = self._clock.now()
        self._stamps.forget()

    def _measure(self) -> Iterator[Item]:
        now = self._clock.now()
        # While the sender is silent LSL repeats its last measurement, which says nothing new.
        if self._measured and (now < self._measure_at or self._silence.lost):
            return
        offset = self._inlet.offset()
        if offset is not None:
            yield from self._add(self._clock.now(), offset)
        elif not self._measured and now - self._waits_since > PATIENCE_S:
            yield from self._measure_by_arrival()
        if self._measured:
            self._measure_at = now + MEASURE_S

    def _measure_by_arrival(self) -> Iterator[Item]:
        while (pulled := self._inlet.pull()) and len(pulled[0]):
            self._held.append(pulled)
        stamps = [each[0][np.isfinite(each[0])] for each in self._held]
        newest = max((float(each.max()) for each in stamps if len(each)), default=None)
        if newest is None:
            return
        now = self._clock.now()
        yield self._event(
            EventKind.ERROR,
            f"its clock could not be measured in {PATIENCE_S:g} s (is UDP blocked by a firewall?): "
            f"its times come from the arrival of its samples, late by the delay of the network",
        )
        yield from self._add(now, now - newest)

    def _add(self, now: float, offset: float) -> Iterator[Item]:
        before = self._fit.offset
        was_reset = self._fit.add(now - offset, offset)
        self._measured = True
        yield ClockOffset(self.info, now - offset, offset)
        if was_reset:
            self._stamps.forget()
            yield self._event(
                EventKind.CLOCK_RESET, f"its clock jumped by {before - offset:+.3f} s"
            )

    def _chunks(self) -> Iterator[Item]:
        full = True
        while full:
            stamps, data = self._held.popleft() if self._held else self._inlet.pull()
            if len(stamps) == 0:
                return
            # The sender may have come back, with another clock, since the poll began.
            if self._inlet.reconnected():
                self._expect_new_clock()
                self._held.appendleft((stamps, data))
                return
            full = len(stamps) == MAX_SAMPLES or bool(self._held)
            yield from self._chunk(stamps, data)

    def _chunk(self, stamps: Floats, data: NDArray[Any]) -> Iterator[Item]:
        arrived, limit = self._clock.now(), self._silence.limit
        silence = self._silence.arrived(arrived, len(stamps))
        returned, self._returned = self._returned, False
        if returned or silence is not None:
            yield from self._recovered(returned, silence)
        stamps = yield from self._checked(stamps, arrived)
        if silence is None and not returned and self._stamps.step > limit:
            yield self._event(EventKind.GAP, f"{self._stamps.step:.1f} s between two time stamps")
        times = self._fit.to_session(stamps)
        yield Chunk(self.info, times, data, np.ones(len(times), bool), stamps, arrived)

    def _recovered(self, returned: bool, silence: float | None) -> Iterator[Item]:
        words = "reconnected" if returned else "back"
        if silence is not None:
            words += f" after {silence:.1f} s without samples"
        yield self._event(EventKind.RECOVERED, words)

    def _checked(self, stamps: Floats, arrived: float) -> Generator[Item, None, Floats]:
        check = self._stamps
        faults = check.faults
        stamps = check.take(stamps, latest=arrived - self._fit.offset)
        now = self._clock.now()
        if check.faults > faults and now - self._reported_at >= _REPEAT_S:
            self._reported_at = now
            yield self._event(EventKind.ERROR, f"bad time stamps so far: {check.summary()}")
        return stamps

    def _watch(self) -> Iterator[Event]:
        now = self._clock.now()
        if self._silence.overdue(now):
            yield self._event(EventKind.LOST, f"no sample for {self._silence.age(now):.1f} s")

    def _event(self, kind: EventKind, text: str) -> Event:
        return Event(self._clock.now(), kind, self.info.name, text)
