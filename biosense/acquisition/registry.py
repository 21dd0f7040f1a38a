"""Sources that others bring: opened by `--source NAME`, `--source NAME:ARGUMENT` and in presets."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from biosense.core.clock import Clock
from biosense.core.errors import BadInput
from biosense.core.registry import Registry
from biosense.core.source import Source

Maker = TypeVar("Maker", bound=Callable[..., Source])

_NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


def _as_maker(part: Any) -> Callable[..., Source]:
    if not callable(part):
        raise BadInput(
            f"got {part!r} as a source, wanted a class or function that is called as "
            "make(argument, clock=clock) and returns a Source"
        )
    maker: Callable[..., Source] = part
    return maker


SOURCES: Registry[Callable[..., Source]] = Registry(
    "source", {}, group="biosense.sources", adapt=_as_maker
)
"""Makers of sources, by name; LSL, Bluetooth, cameras, the simulation have their own options."""


def register_source(name: str) -> Callable[[Maker], Maker]:
    """Register what makes a source, so that live runs open it by name.

    It is known to the process that runs the decorator. For the command line, name it in an entry
    point of the group "biosense.sources" of your package instead.

    Parameters
    ----------
    name
        What it is called by: `biosense live --source NAME`, and `source = "NAME"` in a preset.

    Returns
    -------
    callable
        Decorates a class or function that is called as `make(argument, clock=clock, **options)`:
        `argument` is the text behind the colon of `NAME:ARGUMENT` ("" without one), `clock` tells
        session time, options are those of a preset. Gives it back.

    Raises
    ------
    BadInput
        The name cannot be typed, or the part cannot be called.

    See Also
    --------
    biosense.testing.check_source : Try whether a source does what every source promises.

    Notes
    -----
    `examples/plugins/own_device.py` in biosense's repository is a template.
    """
    return lambda maker: SOURCES.register(name, maker)


def open_source(wanted: str, *, clock: Clock, options: Mapping[str, Any] = _NO_OPTIONS) -> Source:
    """Make a registered source; it is not entered yet.

    Parameters
    ----------
    wanted
        Its name, and behind a colon what it takes: "grip:COM3".
    clock
        Session time.
    options
        Further keyword arguments.

    Returns
    -------
    Source
        To be used in `async with`.

    Raises
    ------
    BadInput
        There is no such source, or it does not take what is given.
    """
    name, _, argument = wanted.partition(":")
    make = SOURCES[name]
    try:
        inspect.signature(make).bind(argument, clock=clock, **options)
    except TypeError as error:
        raise BadInput(
            f"source {name!r} cannot be made of argument {argument!r} and options {dict(options)}: "
            f"{error}"
        ) from error
    return make(argument, clock=clock, **options)
