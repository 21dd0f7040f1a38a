"""A stage that breaks a promise is told which, with what was got and wanted and what to do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import pytest

from biosense.core.types import Chunk, Epoch, Floats, Modality, StreamInfo
from biosense.testing.contract import ContractBroken
from biosense.testing.stage_checks import check_stage
from biosense.testing.streams import feature_epochs


@dataclass
class Sound:
    """Takes off the first sample; the stages below break one promise each."""

    _level: Floats | None = field(default=None, init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        self._level = None
        return info

    def push(self, chunk: Chunk) -> list[Chunk]:
        if self._level is None and chunk.n:
            self._level = chunk.data[0].copy()
        return [replace(chunk, data=chunk.data - self._level)] if chunk.n else []

    def flush(self) -> list[Chunk]:
        return []


class Unnamed(Sound):
    def __repr__(self) -> str:
        return object.__repr__(self)


class OfTheChunk(Sound):
    def push(self, chunk: Chunk) -> list[Chunk]:
        return [replace(chunk, data=chunk.data - chunk.data.mean(0))] if chunk.n else []


class Writes(Sound):
    def push(self, chunk: Chunk) -> list[Chunk]:
        chunk.data[:] = 0.0
        return [chunk]


@dataclass
class Remembers(Sound):
    _seen: int = field(default=0, init=False, repr=False)

    def push(self, chunk: Chunk) -> list[Chunk]:
        n = self._seen + np.arange(chunk.n)[:, None]
        self._seen += chunk.n
        return [replace(chunk, data=n.astype(np.float64))]


class Shared(Sound):
    count: ClassVar[list[int]] = [0]

    def start(self, info: StreamInfo) -> StreamInfo:
        self.count[0] = 0
        return info

    def push(self, chunk: Chunk) -> list[Chunk]:
        n = self.count[0] + np.arange(chunk.n)[:, None]
        self.count[0] += chunk.n
        return [replace(chunk, data=n.astype(np.float64))]


class Invents(Sound):
    def flush(self) -> list[Chunk]:
        return [Chunk.of(StreamInfo("chest", None, ("x",), 1.0), [2000.0], [1.0])]


class Renames(Sound):
    def start(self, info: StreamInfo) -> StreamInfo:
        return replace(super().start(info), name="mine")

    def push(self, chunk: Chunk) -> list[Chunk]:
        return [
            replace(each, info=replace(chunk.info, name="mine")) for each in super().push(chunk)
        ]


class Half(Sound):
    def start(self, info: StreamInfo) -> StreamInfo:
        return replace(super().start(info), dtype="float32")

    def push(self, chunk: Chunk) -> list[Chunk]:
        info = replace(chunk.info, dtype="float32")
        return [replace(e, info=info, data=e.data.astype("f4")) for e in super().push(chunk)]


class Late(Sound):
    def push(self, chunk: Chunk) -> list[Chunk]:
        return [replace(each, times=each.times + 0.001) for each in super().push(chunk)]


@dataclass
class Buffered(Sound):
    _buffer: Floats = field(default_factory=lambda: np.zeros(1 << 14), init=False, repr=False)

    def push(self, chunk: Chunk) -> list[Chunk]:
        self._buffer[: chunk.n] = chunk.data[:, 0]
        return [replace(chunk, data=self._buffer[: chunk.n, None])]


BROKEN: dict[type[Sound], str] = {
    Unnamed: "fingerprints are made of it",
    OfTheChunk: "do not depend on how the stream is cut",
    Remembers: "`start` forgets everything",
    Shared: "do not disturb each other",
    Invents: "A stream without samples gives nothing",
    Renames: "under the name of the stream",
    Half: "Results are what `start` described",
    Late: "samples lie at n / sfreq",
    Buffered: "do not depend on how the stream is cut",
}


def test_a_sound_stage_passes() -> None:
    check_stage(Sound)


@pytest.mark.parametrize(("stage", "promise"), BROKEN.items())
def test_a_broken_promise_is_named(stage: type[Sound], promise: str) -> None:
    with pytest.raises(ContractBroken) as caught:
        check_stage(stage)
    text = str(caught.value)
    assert promise in text
    assert "What to do: " in text
    assert stage.__name__ in text


def test_writing_to_the_input_ends_with_the_promise_as_a_note() -> None:
    with pytest.raises(ValueError, match="read-only") as caught:
        check_stage(Writes)
    assert any("while" in note and "Writes" in note for note in caught.value.__notes__)


def test_a_stage_of_epochs_is_tried_on_epochs() -> None:
    @dataclass
    class Doubled:
        def start(self, info: StreamInfo) -> StreamInfo:
            return info

        def push(self, epoch: Epoch) -> list[Epoch]:
            return [replace(epoch, data=2 * epoch.data)]

        def flush(self) -> list[Epoch]:
            return []

    check_stage(Doubled, feature_epochs(Modality.ECG, ("rate", "rmssd")))


def test_an_example_without_results_shows_nothing() -> None:
    class Silent(Sound):
        def push(self, chunk: Chunk) -> list[Chunk]:
            return []

    with pytest.raises(ContractBroken, match="give a longer stream"):
        check_stage(Silent)
