"""A source that breaks a promise is told which, with what was got and wanted and what to do."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from typing import Any, Self

import numpy as np
import pytest

from biosense.core.errors import BadInput, StreamNotFound
from biosense.core.types import Chunk, Item, Modality, StreamInfo
from biosense.testing.contract import ContractBroken
from biosense.testing.source_checks import check_source
from tests.support.examples import template

INFO = StreamInfo("grip", Modality.EDA, ("force",), 32.0, "S", source_id="grip-1")
CHUNKS = 6


class Sound:
    """Counts, a second in four chunks; the sources below break one promise each."""

    def __init__(self) -> None:
        self._closed: asyncio.Event | None = None

    @property
    def infos(self) -> tuple[StreamInfo, ...]:
        if self._closed is None:
            raise BadInput("the grip is not open: use it in `async with`")
        return (INFO,)

    async def __aenter__(self) -> Self:
        self._closed = asyncio.Event()
        return self

    async def __aexit__(self, *error: Any) -> None:
        assert self._closed is not None
        self._closed.set()

    async def __aiter__(self) -> AsyncIterator[Item]:
        for number in range(CHUNKS):
            yield self.chunk(number)
        assert self._closed is not None
        await self._closed.wait()

    def chunk(self, number: int) -> Chunk:
        n = np.arange(8 * number, 8 * number + 8)
        return Chunk.of(INFO, 100.0 + n / 32.0, n)


def expected() -> dict[str, Any]:
    return {"grip": np.arange(8.0 * CHUNKS)[:, None]}


class KnowsBefore(Sound):
    @property
    def infos(self) -> tuple[StreamInfo, ...]:
        return (INFO,)


class Repeats(Sound):
    def chunk(self, number: int) -> Chunk:
        return super().chunk(max(number - 1, 0))


class OfAnother(Sound):
    def chunk(self, number: int) -> Chunk:
        other = StreamInfo("grip", Modality.EDA, ("force",), 16.0, "S", source_id="grip-1")
        chunk = super().chunk(number)
        return Chunk.of(other, chunk.times, chunk.data)


class ByArrival(Sound):
    def chunk(self, number: int) -> Chunk:
        chunk = super().chunk(number)
        return Chunk.of(INFO, np.full(chunk.n, chunk.times[-1]), chunk.data)


class Unmeasured(Sound):
    def chunk(self, number: int) -> Chunk:
        chunk = super().chunk(number)
        return Chunk(INFO, chunk.times, chunk.data, chunk.ok, stamps=chunk.times - 5.0)


class GoesOn(Sound):
    async def __aexit__(self, *error: Any) -> None:
        return


class LeavesThread(Sound):
    async def __aenter__(self) -> Self:
        threading.Thread(target=self.release.wait, name="reader", daemon=True).start()
        return await super().__aenter__()

    release = threading.Event()


BROKEN: dict[type[Sound], str] = {
    KnowsBefore: "once the source is entered, and not before",
    Repeats: "No sample is lost, repeated or changed",
    OfAnother: "Items are of the streams announced",
    ByArrival: "are not all the same",
    Unmeasured: "by the clock measurements yielded before them",
    GoesOn: "Closing ends the iteration",
    LeavesThread: "leaves no thread behind",
}


def test_a_sound_source_passes_whether_its_samples_are_known_or_not() -> None:
    check_source(Sound)
    check_source(Sound, expected=expected)


@pytest.mark.parametrize(("source", "promise"), BROKEN.items())
def test_a_broken_promise_is_named(
    source: type[Sound], promise: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("biosense.testing.source_checks._ENDS_S", 0.2)
    monkeypatch.setattr("biosense.testing.source_items._LOOKS", 5)
    monkeypatch.setattr(LeavesThread, "release", threading.Event())
    with pytest.raises(ContractBroken) as caught:
        check_source(source, expected=expected)
    LeavesThread.release.set()
    assert promise in str(caught.value)
    assert source.__name__ in str(caught.value)
    assert "What to do: " in str(caught.value)


def test_a_stream_that_stays_silent_is_named() -> None:
    class Silent(Sound):
        async def __aiter__(self) -> AsyncIterator[Item]:
            if self._closed is None:
                yield self.chunk(0)

    with pytest.raises(ContractBroken, match=r"got nothing of \['grip'\]"):
        check_source(Silent)


def test_a_device_that_is_not_there_is_named() -> None:
    class Absent(Sound):
        async def __aenter__(self) -> Self:
            raise StreamNotFound("no grip at port 3: plug it in")

    check_source(Sound, absent=Absent)
    with pytest.raises(ContractBroken, match="got an open source, wanted StreamNotFound"):
        check_source(Sound, absent=Sound)


async def test_it_runs_inside_of_an_event_loop_as_in_a_notebook() -> None:
    check_source(Sound)


def test_the_template_passes() -> None:
    class Fast:
        def now(self) -> float:
            return 20.0 * time.monotonic()

    make = template("own_device").Wristband
    check_source(lambda: make("COM3", clock=Fast()), absent=lambda: make("nowhere", clock=Fast()))
