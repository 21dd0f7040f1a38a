"""A pipeline is the stages one after another, and its fingerprint names what they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from biosense.core import Pipeline, StreamInfo

INFO = StreamInfo("numbers", None, ("x",), 1.0)


@dataclass
class Pairs:
    """Sum numbers two by two; a number that is left over comes out in `flush`."""

    scale: float = 1.0
    _left: list[float] = field(init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        self._left = []
        return replace(info, channels=("sum",), sfreq=info.sfreq / 2)

    def push(self, item: float) -> Sequence[float]:
        self._left.append(item)
        if len(self._left) < 2:
            return []
        total = self.scale * sum(self._left)
        self._left = []
        return [total]

    def flush(self) -> Sequence[float]:
        left, self._left = self._left, []
        return [self.scale * value for value in left]


def test_items_go_through_all_stages_in_order() -> None:
    pipeline = Pipeline(Pairs(), Pairs(scale=10.0))
    output = pipeline.start(INFO)
    assert (output.channels, output.sfreq) == (("sum",), 0.25)
    assert [pipeline.push(number) for number in (1.0, 2.0, 3.0, 4.0)] == [[], [], [], [100.0]]


def test_flush_passes_what_is_left_through_the_stages_behind() -> None:
    pipeline = Pipeline(Pairs(), Pairs(scale=10.0))
    # 1 + 2 waits in the second stage, 3 in the first: they meet when the stream ends
    assert pipeline.run([1.0, 2.0, 3.0], INFO) == [60.0]
    assert pipeline.run([1.0], INFO) == [10.0]
    assert pipeline.run([], INFO) == []


def test_a_pipeline_is_a_stage() -> None:
    nested = Pipeline(Pipeline(Pairs()), Pipeline(Pairs(scale=10.0)))
    flat = Pipeline(Pairs(), Pairs(scale=10.0))
    numbers = [float(number) for number in range(11)]
    assert nested.run(numbers, INFO) == flat.run(numbers, INFO)


def test_run_starts_anew() -> None:
    pipeline = Pipeline(Pairs())
    pipeline.start(INFO)
    pipeline.push(5.0)
    assert pipeline.run([1.0, 2.0], INFO) == [3.0]


def test_the_fingerprint_names_parameters_and_not_state() -> None:
    pipeline = Pipeline(Pairs(), Pairs(scale=2.0))
    before = pipeline.fingerprint
    pipeline.run([1.0, 2.0, 3.0], INFO)
    assert pipeline.fingerprint == before
    assert Pipeline(Pairs(), Pairs(scale=2.0)).fingerprint == before
    assert Pipeline(Pairs(), Pairs(scale=3.0)).fingerprint != before
    assert Pipeline(Pairs(scale=2.0), Pairs()).fingerprint != before
    assert len(before) == 16


@dataclass
class Patient(Pairs):
    """Gives what is due once others say that its time has come."""

    follows_time: ClassVar[bool] = True

    def advance(self, time: float) -> Sequence[float]:
        return [time]


def test_time_that_passes_elsewhere_goes_through_the_stages_behind() -> None:
    pipeline = Pipeline(Pairs(), Pipeline(Patient()), Pairs(scale=10.0))
    pipeline.start(INFO)
    assert pipeline.follows_time
    assert [pipeline.advance(time) for time in (1.0, 2.0)] == [[], [30.0]]


def test_without_a_stage_that_waits_time_brings_nothing() -> None:
    pipeline = Pipeline(Pairs(), Pipeline(Pairs()))
    pipeline.start(INFO)
    assert not pipeline.follows_time
    assert pipeline.advance(1.0) == []
