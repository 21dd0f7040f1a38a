"""Results of stages, as arrays that can be compared bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from biosense.core.types import Chunk, Epoch
from biosense.testing.contract import require
from biosense.testing.cuttings import Stream

S = TypeVar("S", Chunk, Sequence[Epoch], Stream)
_OF_SAMPLES = ("times", "data", "ok")
_OF_EPOCHS = ("index", "start", "stop", "quality", "data")


def locked(stream: S) -> S:
    """Return the stream with arrays that refuse to be written to."""
    for item in (stream,) if isinstance(stream, Chunk) else stream:
        arrays = (item.times, item.data, item.ok) if isinstance(item, Chunk) else (item.data,)
        for array in arrays:
            array.flags.writeable = False
    return stream


def fields_of(results: Sequence[Chunk | Epoch]) -> dict[str, NDArray[Any]]:
    """Return the fields of results as arrays: chunks behind one another, an epoch a row."""
    if not results:
        return {}
    if isinstance(results[0], Chunk):
        return {name: np.concatenate([getattr(r, name) for r in results]) for name in _OF_SAMPLES}
    return {name: np.array([getattr(r, name) for r in results]) for name in _OF_EPOCHS}


def assert_same(
    results: Sequence[Chunk | Epoch], wanted: Sequence[Chunk | Epoch], tolerance: float = 0.0
) -> None:
    """Raise an AssertionError unless results are equal, data and quality within a tolerance."""
    got, want = fields_of(results), fields_of(wanted)
    require(got.keys() == want.keys(), f"{list(got)}", f"{list(want)}")
    for key in want:
        said = f"{key}: x was got, y was wanted"
        if tolerance and key in ("data", "quality"):
            assert_allclose(got[key], want[key], rtol=0, atol=tolerance, err_msg=said)
        else:
            assert_array_equal(got[key], want[key], err_msg=said)
