"""One table per kind of part: the package's own, those of plug-ins, and those registered by hand.

A plug-in is any installed package with entry points in a group of biosense. It is imported when one
of its parts is asked for; one that fails is named, and costs nobody else anything.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from biosense.core.errors import BadInput
from biosense.core.suggest import unknown_name

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")
Part = TypeVar("Part")

log = logging.getLogger(__name__)

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class Plugin:
    """Hold what is known of a part that an installed package brings.

    Parameters
    ----------
    kind, name
        What it is and what it is called by.
    package
        Name and version of the package that brings it.
    problem
        Why it cannot be used; empty where it can.
    """

    kind: str
    name: str
    package: str
    problem: str = ""


class Registry(Mapping[str, T], Generic[T]):
    """Hold the parts of one kind by name; a wrong name is answered with the right ones.

    Looking a name up imports the plug-in that brings it, no other. Iterating imports all plug-ins
    of this kind and leaves out those that fail, after an error in the log that names each.

    Parameters
    ----------
    kind
        What the parts are, for messages.
    parts
        Those of biosense itself, in the order in which they are listed.
    group
        Group of entry points in which packages offer more; empty for a table that takes none.
    adapt
        Makes a part of what a plug-in or a user hands in, or raises `BadInput` saying what is
        wanted; by default it is the part.

    Examples
    --------
    >>> table = Registry("model", {"early": 1})
    >>> table["late"]
    Traceback (most recent call last):
    biosense.core.errors.BadInput: no model 'late'; there are: early
    >>> table.register("late", 2)
    2
    >>> list(table)
    ['early', 'late']
    """

    def __init__(
        self,
        kind: str,
        parts: Mapping[str, T],
        *,
        group: str = "",
        adapt: Callable[[Any], T] | None = None,
    ) -> None:
        self.kind = kind
        self.group = group
        self._adapt = adapt
        self._own = dict(parts)
        self._registered: dict[str, T] = {}
        self._loaded: dict[str, T] = {}
        self._problems: dict[str, str] = {}

    def register(self, name: str, part: Part) -> Part:
        """Add a part for this process, in place of one that was added under this name before.

        Parameters
        ----------
        name
            Letters, digits, "_", "-" and "."; none of biosense's own.
        part
            What `adapt` takes.

        Returns
        -------
        object
            The part as it was given.

        Raises
        ------
        BadInput
            The name is one of biosense's own or no name, or the part is none of this kind.
        """
        if name in self._own:
            raise BadInput(
                f"{self.kind} {name!r} is biosense's own: register yours by another name"
            )
        if not _NAME.fullmatch(name):
            raise BadInput(f"{self.kind} {name!r}: a name has letters, digits, '_', '-' and '.'")
        self._registered[name] = self._made(part)
        return part

    @contextmanager
    def temporarily(self, name: str, part: Any) -> Iterator[None]:
        """Have a part under a name while a `with` block runs.

        Parameters
        ----------
        name, part
            As for `register`; it raises as that does.
        """
        before = dict(self._registered)
        self.register(name, part)
        try:
            yield
        finally:
            self._registered = before

    def foreign(self) -> dict[str, T]:
        """Return the parts that are not biosense's own and were registered or asked for so far.

        Returns
        -------
        dict
            By name; no plug-in is imported for it.
        """
        return {**self._loaded, **self._registered}

    def plugins(self) -> tuple[Plugin, ...]:
        """Import every plug-in of this kind and say what each brings, or why it cannot be used.

        Returns
        -------
        tuple of Plugin
            Sorted by name.
        """
        for name in self._found:
            self._load(name)
        return tuple(
            Plugin(
                self.kind, name, " and ".join(map(_package, found)), self._problems.get(name, "")
            )
            for name, found in self._found.items()
        )

    def __getitem__(self, name: str) -> T:
        for known in (self._own, self._registered):
            if name in known:
                return known[name]
        if name in self._found:
            self._load(name)
            if name not in self._problems:
                return self._loaded[name]
            raise BadInput(self._reason(name))
        raise unknown_name(self.kind, name, sorted({*self._own, *self._registered, *self._found}))

    def __contains__(self, name: object) -> bool:
        if name in self._own or name in self._registered:
            return True
        return name in self._found and self._load(str(name))

    def __iter__(self) -> Iterator[str]:
        yield from [*self._own, *self._registered]
        for name in self._found:
            if name in self._registered or name in self._problems:
                continue
            if self._load(name):
                yield name
            else:
                log.error("%s", self._reason(name))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @cached_property
    def _found(self) -> dict[str, list[EntryPoint]]:
        from importlib.metadata import entry_points  # it looks into every installed package

        found: dict[str, list[EntryPoint]] = {}
        for each in entry_points(group=self.group) if self.group else ():
            found.setdefault(each.name, []).append(each)
        return dict(sorted(found.items()))

    def _load(self, name: str) -> bool:
        """Import a part that was found, once; say whether it can be used."""
        if name not in self._loaded and name not in self._problems:
            try:
                self._loaded[name] = self._made(self._only(name).load())
            except Exception as error:  # noqa: BLE001 - a plug-in may fail in any way; it is named
                self._problems[name] = f"{type(error).__name__}: {error}"
        return name in self._loaded

    def _only(self, name: str) -> EntryPoint:
        if name in self._own:
            raise BadInput("biosense has one of this name itself")
        first, *others = self._found[name]
        if others:
            raise BadInput("several packages bring one of this name: uninstall all but one")
        return first

    def _made(self, part: Any) -> T:
        made: T = part if self._adapt is None else self._adapt(part)
        return made

    def _reason(self, name: str) -> str:
        packages = " and ".join(map(_package, self._found[name]))
        return f"{self.kind} {name!r} of {packages} cannot be used: {self._problems[name]}"


def _package(found: EntryPoint) -> str:
    return "an unnamed package" if found.dist is None else f"{found.dist.name} {found.dist.version}"
