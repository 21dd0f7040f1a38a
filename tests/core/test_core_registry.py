"""A table of parts answers a wrong name with the right ones."""

from __future__ import annotations

import pytest

from biosense.core.errors import BadInput
from biosense.core.registry import Registry


def test_parts_are_found_listed_and_counted() -> None:
    parts = {"b": 2, "a": 1}
    table = Registry("model", parts)
    parts["c"] = 3
    assert table["a"] == 1
    assert list(table) == ["b", "a"]
    assert len(table) == 2
    assert "c" not in table
    assert dict(table.items()) == {"b": 2, "a": 1}


def test_a_wrong_name_is_answered_with_the_right_ones() -> None:
    with pytest.raises(BadInput, match="no model 'c'; there are: a, b"):
        Registry("model", {"b": 2, "a": 1})["c"]
    with pytest.raises(BadInput, match="there are: none"):
        Registry[int]("model", {})["c"]
