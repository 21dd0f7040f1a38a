"""What every stage promises: the same numbers however a stream is cut, and inputs left alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, is_dataclass, replace
from typing import Any

import numpy as np

from biosense.core.stage import Pipeline, Stage
from biosense.core.types import Chunk, Modality, StreamInfo
from biosense.testing.body import ecg_waves
from biosense.testing.contract import Check, promise, require
from biosense.testing.cuttings import CUTTINGS, Stream, cut_stream
from biosense.testing.stage_results import assert_same, fields_of, locked
from biosense.testing.streams import grid_stream

_CHEST = StreamInfo("chest", Modality.ECG, ("ecg",), 128.0, "V")


@dataclass(frozen=True)
class StageExample:
    """Show how a stage is made and what it is fed with.

    Parameters
    ----------
    make
        Returns a fresh stage.
    stream
        Returns its input: a whole stream as one chunk, or a list of epochs.
    tolerance
        How far results may differ between cuttings, absolute; 0 demands equal bits.
    """

    make: Callable[[], Stage[Any, Any]]
    stream: Callable[[], Stream]
    tolerance: float = 0.0

    def __str__(self) -> str:
        return repr(self.make())

    @property
    def info(self) -> StreamInfo:
        """The stream of the example."""
        stream = self.stream()
        return stream.info if isinstance(stream, Chunk) else stream[0].info

    def cut(self, cutting: str) -> list[Any]:
        """Return the stream in pieces whose arrays refuse to be written to."""
        return list(cut_stream(locked(self.stream()), CUTTINGS[cutting]))

    def results(self, items: Sequence[Any]) -> tuple[StreamInfo, list[Any]]:
        """Return what a fresh stage describes and gives for items."""
        pipeline = Pipeline(self.make())
        output = pipeline.start(self.info)
        given = [result for item in items for result in pipeline.push(item)]
        return output, given + pipeline.flush()


def check_stage(
    make: Callable[[], Stage[Any, Any]], stream: Stream | None = None, *, tolerance: float = 0.0
) -> None:
    """Try whether a stage does what every stage promises; the first promise broken is raised.

    These are the checks that biosense's own stages pass, live and offline rest on them: results
    do not depend on how the stream is cut, inputs are not written to, `start` forgets everything.

    Parameters
    ----------
    make
        Returns a fresh stage, as its class does.
    stream
        What it is fed with: a whole stream as one chunk of at least a few seconds, with a gap and
        some samples that are not ok, or epochs in a list. `biosense.testing` makes some
        (`grid_stream`, `raw_stream`, `feature_epochs`). By default 12 s of an ECG in volts at
        128 Hz with a gap.
    tolerance
        How far results may differ between cuttings, absolute; by default not by one bit.

    Raises
    ------
    ContractBroken
        With the promise, what was got and wanted, and what to do.

    Examples
    --------
    >>> from biosense.processing.signal.filters import HighPass
    >>> check_stage(lambda: HighPass(0.5))
    """
    if stream is None:
        stream = grid_stream(_CHEST, seconds=12.0, gap=(6.6, 7.9), signal=ecg_waves)
    kept = deepcopy(stream)
    example = StageExample(make, lambda: deepcopy(kept), tolerance)
    for check in STAGE_CHECKS:
        check(example)


@promise("make it a @dataclass: parameters are fields, state is field(init=False, repr=False)")
def _parameters_make_the_fingerprint(example: StageExample) -> None:
    """Its repr names every parameter and never changes: fingerprints are made of it."""
    stage = example.make()
    require(is_dataclass(stage), type(stage).__name__, "a dataclass")
    before = repr(stage)
    Pipeline(stage).run(example.cut("whole"), example.info)
    require(repr(stage) == before, f"{stage!r} after a run", f"{before}, as before it")
    require(" object at 0x" not in before, before, "a repr without an address in memory")


def _cutting_check(cutting: str) -> Check[StageExample]:
    def attempt(example: StageExample) -> None:
        """Results do not depend on how the stream is cut into chunks."""
        _, whole = example.results(example.cut("whole"))
        require(bool(fields_of(whole)), "no results", "some of this example: give a longer stream")
        _, cut = example.results(example.cut(cutting))
        assert_same(cut, whole, example.tolerance)

    advice = (
        "keep state from push to push, begin it with the first sample, count samples, not chunks"
    )
    return replace(promise(advice)(attempt), name=f"cut into {cutting}")


@promise("make new arrays, e.g. replace(chunk, data=chunk.data - mean), instead of writing to them")
def _inputs_are_not_written_to(example: StageExample) -> None:
    """Inputs are not written to: others use the same arrays."""
    stream = locked(example.stream())
    example.results(list(cut_stream(stream, CUTTINGS["primes"])))
    after = [stream] if isinstance(stream, Chunk) else list(stream)
    before = example.stream()
    assert_same(after, [before] if isinstance(before, Chunk) else list(before))


@promise("set every piece of state in start()")
def _start_forgets_everything(example: StageExample) -> None:
    """`start` forgets everything, also of a run that was broken off."""
    items, pipeline = example.cut("primes"), Pipeline(example.make())
    first = pipeline.run(items, example.info)
    pipeline.start(example.info)
    for item in items[: len(items) // 3]:  # a run that was broken off
        pipeline.push(item)
    assert_same(pipeline.run(items, example.info), first)


@promise("keep state in the instance, made in start(); never in the class or the module")
def _stages_do_not_share_state(example: StageExample) -> None:
    """Two stages side by side do not disturb each other."""
    one, other = Pipeline(example.make()), Pipeline(example.make())
    for pipeline in (one, other):
        pipeline.start(example.info)
    items = example.cut("ragged with empties")
    pairs = [(one.push(item), other.push(item)) for item in items]
    given = [result for pair in pairs for result in pair[1]] + other.flush()
    assert_same(given, example.results(items)[1])


@promise("return nothing, or empty chunks, for a chunk without samples")
def _a_stream_without_samples_gives_nothing(example: StageExample) -> None:
    """A stream without samples gives nothing."""
    stream = example.stream()
    empty = [stream.slice(0, 0)] * 2 if isinstance(stream, Chunk) else []
    given = fields_of(example.results(empty)[1])
    require(not given or not len(given["data"]), given, "no results")


@promise("return from start() what push() gives: info of results, channels, float64")
def _results_are_what_start_described(example: StageExample) -> None:
    """Results are what `start` described, under the name of the stream."""
    output, results = example.results(example.cut("primes"))
    require(output.name == example.info.name, output.name, f"the name {example.info.name!r}")
    for result in results:
        require(result.info == output, result.info, f"{output}, as start() returned")
        require(result.data.dtype == np.float64, result.data.dtype, "float64")
        width = result.data.shape[-1]
        require(width == output.n_channels, f"{width} columns", f"{output.n_channels} channels")


@promise("count samples from n = round(time * sfreq) of the first, and epochs on the session grid")
def _positions_rise(example: StageExample) -> None:
    """Samples and epochs rise; samples lie at n / sfreq, unless raw stamps are passed on."""
    output, results = example.results(example.cut("primes"))
    given = fields_of(results)
    if "times" not in given:
        require(bool((np.diff(given["index"]) > 0).all()), given["index"], "indices that rise")
        inside = (given["quality"] >= 0) & (given["quality"] <= 1)
        require(bool(inside.all()), given["quality"][~inside], "a quality in [0, 1]")
        return
    times, stream = given["times"], example.stream()
    if isinstance(stream, Chunk) and np.isin(times, stream.times).all():
        least = float(np.diff(stream.times).min())
        require(bool((np.diff(times) >= least).all()), times, "times in the order of the input")
        return
    n = times * output.sfreq
    require(bool((np.diff(times) > 0).all()), times, "times that rise")
    require(bool(np.allclose(n, np.rint(n), rtol=0, atol=1e-6)), times, "times at n / sfreq")


@promise("return copies, not views of a buffer that the next push writes to")
def _results_stay_as_they_were_returned(example: StageExample) -> None:
    """Results stay as they were returned, whatever is pushed later."""
    pipeline = Pipeline(example.make())
    pipeline.start(example.info)
    returned, copies = [], []
    for item in example.cut("primes"):
        results = pipeline.push(item)
        returned += results
        copies += [replace(result, data=result.data.copy()) for result in results]
    assert_same(returned, copies)


STAGE_CHECKS: tuple[Check[StageExample], ...] = (
    _parameters_make_the_fingerprint,
    *(_cutting_check(cutting) for cutting in CUTTINGS if cutting != "whole"),
    _inputs_are_not_written_to,
    _start_forgets_everything,
    _stages_do_not_share_state,
    _a_stream_without_samples_gives_nothing,
    _results_are_what_start_described,
    _positions_rise,
    _results_stay_as_they_were_returned,
)
"""What `check_stage` tries, in this order; the contract tests cross it with every stage."""
