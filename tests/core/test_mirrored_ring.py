"""The ring gives the newest rows in order, whatever the sizes that they came in."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from biosense.core.errors import BadInput
from biosense.core.ring import MirroredRing


@pytest.mark.parametrize("capacity", [1, 2, 7, 64])
def test_every_window_is_what_was_put_in(capacity: int) -> None:
    rng = np.random.default_rng(capacity)
    ring = MirroredRing(capacity, 2)
    rows = rng.standard_normal((500, 2))
    done = 0
    while done < 500:
        size = min(int(rng.integers(0, 2 * capacity + 2)), 500 - done)
        ring.append(rows[done : done + size])
        done += size
        assert ring.total == done
        assert len(ring) == min(done, capacity)
        assert_array_equal(ring.last(len(ring)), rows[done - len(ring) : done])
        middle = done - len(ring) // 2
        assert_array_equal(ring.window(done - len(ring), middle), rows[done - len(ring) : middle])


def test_a_window_is_one_view_that_cannot_be_written_to() -> None:
    ring = MirroredRing(4, 1)
    ring.append(np.arange(6.0)[:, None])
    view = ring.last(4)
    assert view.base is not None
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1.0


def test_rows_that_are_gone_are_refused_with_what_there_is() -> None:
    ring = MirroredRing(3, 1)
    ring.append(np.zeros((5, 1)))
    with pytest.raises(BadInput, match="rows 1 to 4 are not in the ring, which holds 2 to 5"):
        ring.window(1, 4)
    with pytest.raises(BadInput, match="rows 1 to 5"):
        ring.last(4)


def test_clear_forgets() -> None:
    ring = MirroredRing(3, 1)
    ring.append(np.ones((5, 1)))
    ring.clear()
    assert (len(ring), ring.total) == (0, 0)
    ring.append(np.full((1, 1), 7.0))
    assert ring.last(1).tolist() == [[7.0]]


def test_types_are_kept() -> None:
    ring = MirroredRing(2, 1, np.bool_)
    ring.append(np.array([[True], [False]]))
    assert ring.last(2).dtype == np.bool_


def test_an_empty_ring_is_refused() -> None:
    with pytest.raises(BadInput, match="capacity=0 and channels=2"):
        MirroredRing(0, 2)
