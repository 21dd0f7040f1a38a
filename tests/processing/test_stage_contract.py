"""Every stage crossed with every cutting: what the design promises of a stage."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import is_dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import biosense.processing
from biosense.core import Chunk, Epoch, Pipeline, StreamInfo
from biosense.processing.signal.units import ToSI
from biosense.testing.stages import STAGES, StageExample
from tests.support.chunking import CUTTINGS, cut_stream

EVERY_STAGE = pytest.mark.parametrize("name", list(STAGES))
EVERY_CUTTING = pytest.mark.parametrize("cutting", [name for name in CUTTINGS if name != "whole"])


def described(stream: Chunk | list[Epoch]) -> StreamInfo:
    return stream.info if isinstance(stream, Chunk) else stream[0].info


def locked(stream: Any) -> Any:
    """Return the stream with arrays that refuse to be written to."""
    if not isinstance(stream, Chunk):
        for epoch in stream:
            epoch.data.flags.writeable = False
        return list(stream)
    for array in (stream.times, stream.data, stream.ok):
        array.flags.writeable = False
    return stream


def run(example: StageExample, items: list[Any]) -> tuple[StreamInfo, list[Any]]:
    pipeline = Pipeline(example.make())
    output = pipeline.start(described(example.stream()))
    results = [result for item in items for result in pipeline.push(item)]
    return output, results + pipeline.flush()


def joined(results: list[Any]) -> dict[str, Any]:
    """Return the results as arrays that can be compared: chunks behind one another, epochs too."""
    if not results:
        return {}
    if isinstance(results[0], Chunk):
        return {
            "times": np.concatenate([chunk.times for chunk in results]),
            "data": np.concatenate([chunk.data for chunk in results]),
            "ok": np.concatenate([chunk.ok for chunk in results]),
        }
    return {
        "index": np.array([epoch.index for epoch in results]),
        "start": np.array([epoch.start for epoch in results]),
        "stop": np.array([epoch.stop for epoch in results]),
        "quality": np.array([epoch.quality for epoch in results]),
        "data": np.array([epoch.data for epoch in results]),
    }


def assert_same(results: list[Any], wanted: list[Any], tolerance: float = 0.0) -> None:
    got, want = joined(results), joined(wanted)
    assert got.keys() == want.keys()
    for key in want:
        if tolerance and key in ("data", "quality"):
            assert_allclose(got[key], want[key], rtol=0, atol=tolerance, err_msg=key)
        else:
            assert_array_equal(got[key], want[key], err_msg=key)


@EVERY_CUTTING
@EVERY_STAGE
def test_results_do_not_depend_on_the_cutting(name: str, cutting: str) -> None:
    example = STAGES[name]
    stream = locked(example.stream())
    _, whole = run(example, cut_stream(stream, CUTTINGS["whole"]))
    _, cut = run(example, cut_stream(stream, CUTTINGS[cutting]))
    assert joined(whole), "the example gives no results, so it shows nothing"
    assert_same(cut, whole, example.tolerance)


@EVERY_STAGE
def test_input_is_not_written_to(name: str) -> None:
    example = STAGES[name]
    stream, copy = locked(example.stream()), example.stream()
    run(example, cut_stream(stream, CUTTINGS["primes"]))
    if isinstance(stream, Chunk) and isinstance(copy, Chunk):
        assert_array_equal(stream.times, copy.times)
        assert_array_equal(stream.data, copy.data)
        assert_array_equal(stream.ok, copy.ok)
    else:
        for after, before in zip(stream, copy, strict=True):
            assert_array_equal(after.data, before.data)


@EVERY_STAGE
def test_start_forgets_everything(name: str) -> None:
    example = STAGES[name]
    items = cut_stream(locked(example.stream()), CUTTINGS["primes"])
    stage = example.make()
    pipeline = Pipeline(stage)
    first = pipeline.run(items, described(example.stream()))
    pipeline.start(described(example.stream()))
    for item in items[: len(items) // 3]:  # a run that was broken off
        pipeline.push(item)
    again = pipeline.run(items, described(example.stream()))
    assert_same(again, first)


@EVERY_STAGE
def test_stages_do_not_share_state(name: str) -> None:
    example = STAGES[name]
    stream = locked(example.stream())
    one, other = Pipeline(example.make()), Pipeline(example.make())
    for pipeline in (one, other):
        pipeline.start(described(stream))
    items = cut_stream(stream, CUTTINGS["ragged with empties"])
    pairs = [(one.push(item), other.push(item)) for item in items]
    assert_same(
        [result for pair in pairs for result in pair[1]] + other.flush(),
        run(example, items)[1],
    )


@EVERY_STAGE
def test_a_stream_without_samples_gives_nothing(name: str) -> None:
    example = STAGES[name]
    stream = example.stream()
    empty = [stream.slice(0, 0)] * 2 if isinstance(stream, Chunk) else []
    assert not joined(run(example, empty)[1]) or not len(joined(run(example, empty)[1])["data"])


@EVERY_STAGE
def test_results_are_what_start_described(name: str) -> None:
    example = STAGES[name]
    stream = example.stream()
    output, results = run(example, cut_stream(stream, CUTTINGS["primes"]))
    for result in results:
        assert result.info == output
        assert result.data.dtype == np.float64
        width = result.data.shape[-1]
        assert width == output.n_channels
    assert output.name == described(stream).name, "results are found by the name of the stream"


@EVERY_STAGE
def test_positions_rise(name: str) -> None:
    example = STAGES[name]
    output, results = run(example, cut_stream(example.stream(), CUTTINGS["primes"]))
    arrays = joined(results)
    if "times" in arrays:
        if not isinstance(example.make(), ToSI):  # raw stamps come out as they came in
            assert (np.diff(arrays["times"]) > 0).all()
            n = arrays["times"] * output.sfreq
            assert_allclose(n, np.rint(n), atol=1e-6)
    else:
        assert (np.diff(arrays["index"]) > 0).all()
        assert ((arrays["quality"] >= 0) & (arrays["quality"] <= 1)).all()


@EVERY_STAGE
def test_results_stay_as_they_were_returned(name: str) -> None:
    """A result that is a view of a buffer would change with the next push."""
    example = STAGES[name]
    stream = example.stream()
    pipeline = Pipeline(example.make())
    pipeline.start(described(stream))
    returned, copies = [], []
    for item in cut_stream(stream, CUTTINGS["primes"]):
        results = pipeline.push(item)
        returned += results
        copies += [replace(result, data=result.data.copy()) for result in results]
    assert_same(returned, copies)


@EVERY_STAGE
def test_name_of_every_parameter_is_in_the_fingerprint(name: str) -> None:
    stage = STAGES[name].make()
    assert is_dataclass(stage)
    before = repr(stage)
    Pipeline(stage).run(
        cut_stream(STAGES[name].stream(), CUTTINGS["whole"]), described(STAGES[name].stream())
    )
    assert repr(stage) == before, "state must not change the fingerprint: field(repr=False)"
    assert " object at 0x" not in before


def test_every_stage_is_in_the_table() -> None:
    listed = {type(example.make()) for example in STAGES.values()}
    found = set()
    for module in pkgutil.walk_packages(biosense.processing.__path__, "biosense.processing."):
        for value in vars(importlib.import_module(module.name)).values():
            if (
                isinstance(value, type)
                and value.__module__ == module.name
                and is_dataclass(value)
                and all(hasattr(value, method) for method in ("start", "push", "flush"))
            ):
                found.add(value)
    missing = {  # what stages have in common is seen with them
        value.__qualname__
        for value in found
        if not any(issubclass(stage, value) for stage in listed)
    }
    assert not missing, f"put an example into biosense/testing/stages.py: {missing}"
