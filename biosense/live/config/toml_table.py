"""Read the tables of a preset: every key of its type, and none that is not known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from biosense.core.errors import BadInput

T = TypeVar("T")


class TomlTable:
    """One table of a preset; every key is to be asked for before `end`.

    Parameters
    ----------
    file
        The preset, for messages.
    place
        How the table is called in it: "[run]".
    values
        What stands there.

    Examples
    --------
    >>> table = TomlTable(Path("lab.toml"), "[run]", {"mains_hz": "fifty"})
    >>> table.number("mains_hz", 50.0)
    Traceback (most recent call last):
    biosense.core.errors.BadInput: lab.toml: mains_hz in [run] is 'fifty', wanted a number
    """

    def __init__(self, file: Path, place: str, values: object) -> None:
        self._file = file
        self._place = place
        if not isinstance(values, dict):
            raise BadInput(f"{file}: {place} is {values!r}, wanted a table")
        self._values: dict[str, Any] = values
        self._known: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def number(self, key: str, default: float) -> float:
        """Return a finite number."""
        return float(self._take(key, default, is_number, "a number"))

    def seconds(self, key: str, default: float | None) -> float | None:
        """Return a positive number; `default` where there is none."""
        value = self._take(key, default, lambda v: is_number(v) and v > 0, "a positive number")
        return None if value is None else float(value)

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        return bool(self._take(key, default, lambda v: isinstance(v, bool), "true or false"))

    def text(self, key: str, default: str) -> str:
        """Return a text that is not empty."""
        return str(self._take(key, default, is_text, "a text"))

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; an empty one where it is not there."""
        wanted = "a list of texts, without repetition"
        return tuple(self._take(key, [], _are_texts, wanted))

    def choice(self, key: str, among: Iterable[T]) -> T | None:
        """Return one of several words; None where it is not there."""
        known = {str(each): each for each in among}
        wanted = f"one of {', '.join(map(repr, known))}"
        word = self._take(key, None, lambda v: isinstance(v, str) and v in known, wanted)
        return None if word is None else known[word]

    def mapping(self, key: str, each: Callable[[object], bool], wanted: str) -> Mapping[str, Any]:
        """Return a table of values that `each` accepts; an empty one where it is not there."""

        def fits(value: object) -> bool:
            return isinstance(value, dict) and all(map(each, value.values()))

        return dict(self._take(key, {}, fits, wanted))

    def whatever(self, key: str, fits: Callable[[object], bool], wanted: str) -> Any:
        """Return a value that `fits`; None where it is not there."""
        return self._take(key, None, fits, wanted)

    def wrong(self, text: str) -> BadInput:
        """Make an error about this table."""
        return BadInput(f"{self._file}: {self._place} {text}")

    def end(self) -> None:
        """Refuse keys that nobody asked for."""
        unknown = sorted(self._values.keys() - set(self._known))
        if unknown:
            words = ", ".join(repr(key) for key in unknown)
            raise self.wrong(f"has no key {words}; it can have: {', '.join(self._known)}")

    def _take(self, key: str, default: Any, fits: Callable[[Any], bool], wanted: str) -> Any:
        self._known.append(key)
        if key not in self._values:
            return default
        value = self._values[key]
        if not fits(value):
            raise BadInput(f"{self._file}: {key} in {self._place} is {value!r}, wanted {wanted}")
        return value


def is_number(value: object) -> bool:
    """Tell whether a value is a finite number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_text(value: object) -> bool:
    """Tell whether a value is a text that says something."""
    return isinstance(value, str) and value != ""


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(is_text, value)) and len(set(value)) == len(value)
