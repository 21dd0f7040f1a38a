"""`biosense datasets`: which data sets can be read, and where they are given out."""

from __future__ import annotations

import json as json_format
from dataclasses import asdict

from biosense.cli.options import Json


def datasets(json: Json = False) -> None:
    """List the data sets that can be studied, with where and on which terms they are given out."""
    from biosense.cli.console import console, print_json
    from biosense.datasets.registry import DATASETS

    if json:
        found = [asdict(kind.about) for kind in DATASETS.values()]
        print_json(json_format.dumps({"datasets": found}))
        return
    for name, kind in sorted(DATASETS.items()):
        rated = "rated continuously" if kind.about.continuous else "rated once per trial"
        console.print(f"{name}: {kind.about.title}", style="bold", soft_wrap=True)
        console.print(f"  {kind.about.people} people, {rated}")
        console.print(f"  {kind.about.access}")
        console.print(f"  {kind.about.citation}", style="dim")
