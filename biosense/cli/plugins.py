"""`biosense plugins`: what installed packages bring, and what of it cannot be used and why."""

from __future__ import annotations

import json as json_format
from collections.abc import Iterator
from dataclasses import asdict
from importlib import import_module
from typing import TYPE_CHECKING

from biosense.cli.options import Json

if TYPE_CHECKING:
    from biosense.core.registry import Plugin, Registry

_TABLES = {
    "biosense.processing.registry": "STAGES",
    "biosense.models.registry": "MODELS",
    "biosense.datasets.registry": "DATASETS",
    "biosense.acquisition.registry": "SOURCES",
    "biosense.acquisition.ble.drivers.registry": "DRIVERS",
}


def plugins(json: Json = False) -> None:
    """List the parts that installed packages bring: each is imported, and named if it fails."""
    from biosense.cli.console import console, print_json

    found = list(_found())
    if json:
        print_json(json_format.dumps({"plugins": [asdict(each) for each in found]}))
        return
    for each in found:
        console.print(f"{each.kind} {each.name}", style="bold", end=" ", highlight=False)
        console.print(f"of {each.package}", style="dim", highlight=False)
        if each.problem:
            console.print(f"  cannot be used: {each.problem}", style="yellow", soft_wrap=True)
    if not found:
        console.print("no installed package brings parts (entry points in biosense.stages, ..)")


def _found() -> Iterator[Plugin]:
    from importlib.metadata import entry_points

    offered = entry_points().groups
    for module, name in _TABLES.items():
        if name == "MODELS" and "biosense.models" not in offered:
            continue  # spares loading torch
        table: Registry[object] = getattr(import_module(module), name)
        yield from table.plugins()
