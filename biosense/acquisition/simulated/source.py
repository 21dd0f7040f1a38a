"""The simulated person as a source: uneven chunks as time goes, sensors to be unplugged at will."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Self

import numpy as np

from biosense.acquisition.simulated.noise import generator
from biosense.acquisition.simulated.participant import DEFAULT_MODALITIES, Participant
from biosense.acquisition.simulated.recording import blocks, truth_chunks, truth_info
from biosense.acquisition.simulated.state import AffectPath
from biosense.core.camera_streams import CAMERA_MODALITIES
from biosense.core.clock import Clock
from biosense.core.errors import BadInput
from biosense.core.types import Chunk, Event, EventKind, Floats, Item, Modality, StreamInfo

Sleep = Callable[[float], Awaitable[None]]
_CHUNKS_S = (0.01, 0.12)  # shortest and longest chunk of an amplifier


class SimulatedSource:
    """Bring a simulated person into the session as if they wore every sensor.

    The person begins at the session time at which the source is entered. A chunk comes when its
    last sample has been taken; frames of the camera come one by one.

    Parameters
    ----------
    seed
        Who it is.
    clock
        Session time.
    speed
        1 for real time, 2 for twice as fast, 0 for as fast as can be. Session times do not stretch:
        at any other speed than 1 they leave `clock` behind.
    modalities
        Which sensors.
    seconds
        How long the person stays; None for ever.
    truth
        Also bring the hidden path as the stream `sim-truth`.
    sleep
        How to wait; a test passes one that moves its clock.

    Raises
    ------
    BadInput
        For a negative seed, speed or duration, or a modality that is not simulated.

    Examples
    --------
    >>> import asyncio
    >>> from biosense.core.clock import SystemClock
    >>> async def count() -> int:
    ...     wanted = [Modality.EDA]
    ...     source = SimulatedSource(1, clock=SystemClock(), speed=0, modalities=wanted, seconds=2)
    ...     async with source:
    ...         return sum([item.n async for item in source])
    >>> asyncio.run(count())
    256
    """

    def __init__(
        self,
        seed: int,
        *,
        clock: Clock,
        speed: float = 1.0,
        modalities: Collection[Modality] = DEFAULT_MODALITIES,
        seconds: float | None = None,
        truth: bool = False,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        if not speed >= 0:
            raise BadInput(f"speed={speed} of a simulated source must be 0 or more")
        if seconds is not None and not seconds > 0:
            raise BadInput(f"seconds={seconds} of a simulated source must be positive, or None")
        self.seed = seed
        self.speed = speed
        self._clock = clock
        self._modalities = tuple(modalities)
        self._seconds = float("inf") if seconds is None else seconds
        self._truth = truth
        self._sleep = sleep
        self._path = AffectPath(seed)
        self._person: Participant | None = None
        self._start = float("nan")
        self._off: set[Modality] = set()
        self._events: list[Event] = []
        self._closed = False

    @property
    def infos(self) -> tuple[StreamInfo, ...]:
        """The streams; known once the source is entered."""
        person = self._entered()
        return (*person.infos, *((truth_info(self.seed),) if self._truth else ()))

    @property
    def start(self) -> float:
        """Session time at which the person began; NaN before the source is entered."""
        return self._start

    @property
    def participant(self) -> Participant:
        """The person, with everything that is true of them; times are since `start`."""
        return self._entered()

    def path(self, times: Floats) -> Floats:
        """Return the true valence and arousal at session times (n,), shape (n, 2)."""
        return self._path.at(np.asarray(times, dtype=np.float64) - self._start)

    def switch_off(self, modality: Modality) -> None:
        """Unplug a sensor: what it would have measured from now on is lost."""
        self._switch(modality, off=True)

    def switch_on(self, modality: Modality) -> None:
        """Plug a sensor in again."""
        self._switch(modality, off=False)

    async def __aenter__(self) -> Self:
        """Make the person; they begin now."""
        self._person = Participant(self.seed, self._modalities)
        self._person.block(0)  # what is slow the first time happens before time counts
        self._start = self._clock.now()
        self._closed = False
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Send the person home; iteration ends."""
        self._closed = True

    async def __aiter__(self) -> AsyncIterator[Item]:
        """Yield the chunks of all streams in the order in which they become known."""
        feeds = [self._feed(modality) for modality in self._entered().streams]
        if self._truth:
            feeds.append(_cut_singly(truth_chunks(self._path, self.seed, self._seconds)))
        for chunk in heapq.merge(*feeds, key=lambda chunk: float(chunk.times[-1])):
            await self._wait_until(float(chunk.times[-1]))
            if self._closed:
                return
            for event in self._take_events():
                yield event
            if chunk.info.modality not in self._off:
                times = chunk.times + self._start
                yield replace(chunk, times=times, arrived=self._now(float(times[-1])))

    def _entered(self) -> Participant:
        if self._person is None:
            raise BadInput("the simulated source is not open: use `async with source:` first")
        return self._person

    def _feed(self, modality: Modality) -> Iterator[Chunk]:
        stream = self._entered().streams[modality]
        if modality in CAMERA_MODALITIES:
            return _cut_singly(blocks(stream, self._seconds))
        rng = generator(self.seed, "chunks", modality)
        return _cut_unevenly(blocks(stream, self._seconds), rng)

    async def _wait_until(self, elapsed: float) -> None:
        if self.speed == 0:
            await self._sleep(0.0)
            return
        passed = self._clock.now() - self._start
        await self._sleep(max(elapsed / self.speed - passed, 0.0))

    def _now(self, newest: float) -> float:
        """Return the session time of this moment; not before the newest sample was taken."""
        passed = (self._clock.now() - self._start) * self.speed
        return max(self._start + passed, newest)

    def _switch(self, modality: Modality, *, off: bool) -> None:
        if modality not in self._modalities:
            known = ", ".join(self._modalities)
            raise BadInput(f"{modality} is not simulated here; there are: {known}")
        if (modality in self._off) == off:
            return
        (self._off.add if off else self._off.discard)(modality)
        kind = EventKind.LOST if off else EventKind.RECOVERED
        text = "sensor unplugged" if off else "sensor plugged in again"
        self._events.append(Event(float("nan"), kind, f"sim-{modality}", text))

    def _take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return [replace(event, time=self._now(self._start)) for event in events]


def _cut_unevenly(chunks: Iterator[Chunk], rng: np.random.Generator) -> Iterator[Chunk]:
    for chunk in chunks:
        first = 0
        while first < chunk.n:
            length = max(1, round(rng.uniform(*_CHUNKS_S) * chunk.info.sfreq))
            yield chunk.slice(first, min(first + length, chunk.n))
            first += length


def _cut_singly(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    for chunk in chunks:
        for at in range(chunk.n):
            yield chunk.slice(at, at + 1)
