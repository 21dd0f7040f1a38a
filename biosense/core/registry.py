"""One table per kind of part: a new part is found by the command line and by the contract tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from biosense.core.errors import BadInput

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """Hold the parts of one kind by name; a wrong name is answered with the right ones.

    Examples
    --------
    >>> table = Registry("model", {"early": 1})
    >>> table["late"]
    Traceback (most recent call last):
    biosense.core.errors.BadInput: no model 'late'; there are: early
    """

    def __init__(self, kind: str, parts: Mapping[str, T]) -> None:
        self.kind = kind
        self._parts = dict(parts)

    def __getitem__(self, name: str) -> T:
        if name not in self._parts:
            known = ", ".join(sorted(self._parts)) or "none"
            raise BadInput(f"no {self.kind} {name!r}; there are: {known}")
        return self._parts[name]

    def __contains__(self, name: object) -> bool:
        return name in self._parts

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)
