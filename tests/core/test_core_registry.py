"""A table of parts: wrong names, parts added by hand, plug-ins found, loaded once and named."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from biosense.core.errors import BadInput
from biosense.core.registry import Plugin, Registry
from tests.support.plugins import install


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


def number(part: Any) -> int:
    if not isinstance(part, int):
        raise BadInput(f"got {part!r}, wanted a number")
    return part


class TestByHand:
    def test_a_part_is_added_and_may_be_added_again(self) -> None:
        table = Registry("model", {"a": 1}, adapt=number)
        assert table.register("b", 2) == 2
        table.register("b", 3)
        assert dict(table) == {"a": 1, "b": 3}

    def test_what_biosense_brings_itself_stays(self) -> None:
        with pytest.raises(BadInput, match="model 'a' is biosense's own"):
            Registry("model", {"a": 1}).register("a", 2)

    @pytest.mark.parametrize("name", ["", "with blank", "port:3", "-x"])
    def test_a_name_can_be_typed(self, name: str) -> None:
        with pytest.raises(BadInput, match="letters"):
            Registry[int]("model", {}).register(name, 2)

    def test_a_part_of_another_kind_is_refused(self) -> None:
        with pytest.raises(BadInput, match="got 'x', wanted a number"):
            Registry("model", {}, adapt=number).register("b", "x")


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry[int]:
    good = {"biosense.toys": {"two": "good_toys:TWO", "late": "good_toys:LATE"}}
    bad = {"biosense.toys": {"broken": "bad_toys:X", "odd": "odd_toys:ODD", "one": "odd_toys:ONE"}}
    install(tmp_path, "good-toys", good, {"good_toys": "TWO, LATE = 2, 3"})
    install(
        tmp_path, "bad-toys", bad, {"bad_toys": "import nowhere", "odd_toys": "ODD, ONE = 'x', 5"}
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("good_toys", "bad_toys", "odd_toys"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return Registry("toy", {"one": 1}, group="biosense.toys", adapt=number)


class TestPlugins:
    def test_nothing_is_imported_before_it_is_asked_for(self, table: Registry[int]) -> None:
        assert table["one"] == 1
        assert "good_toys" not in sys.modules
        assert table["two"] == 2
        assert "good_toys" in sys.modules
        assert "bad_toys" not in sys.modules

    def test_one_that_fails_is_named_with_its_package_when_it_is_asked_for(
        self, table: Registry[int]
    ) -> None:
        wanted = "toy 'broken' of bad-toys 0.1 cannot be used: ModuleNotFoundError: .*nowhere"
        for _ in range(2):
            with pytest.raises(BadInput, match=wanted):
                table["broken"]
        with pytest.raises(
            BadInput, match=r"toy 'odd' of bad-toys 0.1 .* got 'x', wanted a number"
        ):
            table["odd"]

    def test_one_that_fails_spoils_no_list_and_is_said_once(
        self, table: Registry[int], caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.ERROR):
            assert dict(table) == {"one": 1, "late": 3, "two": 2}
            assert len(table) == 3
        assert sum("'broken' of bad-toys 0.1" in line for line in caplog.messages) == 1
        assert "broken" not in table

    def test_the_own_part_wins_and_the_other_is_told(self, table: Registry[int]) -> None:
        assert table["one"] == 1
        told = {each.name: each for each in table.plugins()}
        assert told["two"] == Plugin("toy", "two", "good-toys 0.1")
        assert "biosense has one of this name itself" in told["one"].problem
        assert "nowhere" in told["broken"].problem

    def test_a_name_that_two_packages_bring_is_refused(
        self, table: Registry[int], tmp_path: Path
    ) -> None:
        install(tmp_path, "more-toys", {"biosense.toys": {"two": "more_toys:TWO"}}, {})
        with pytest.raises(BadInput, match=r"good-toys 0.1 and more-toys 0.1 .* uninstall"):
            table["two"]

    def test_a_wrong_name_is_answered_without_importing_any(self, table: Registry[int]) -> None:
        with pytest.raises(BadInput, match="there are: broken, late, odd, one, two"):
            table["three"]
        assert "good_toys" not in sys.modules
