"""`biosense check`: what is inside a recording, and what is wrong with it."""

from __future__ import annotations

import json as json_format
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biosense.cli.options import Json, RecordingPath

if TYPE_CHECKING:
    from biosense.live.inspect import Inspection


def check(
    recording: RecordingPath,
    repair: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Write what can be saved to a new one.")
    ] = None,
    json: Json = False,
) -> None:
    """Say what is inside a recording: streams, rates, gaps, drift, quality, events."""
    from biosense.cli.console import console, print_json
    from biosense.live.inspect import inspect

    if repair is not None:
        from biosense.acquisition.xdf.repair import repair as salvage

        made = salvage(recording, repair)
        recording = repair
        console.print(f"saved {sum(made.samples.values())} samples in {made.path}")
    found = inspect(recording)
    if json:
        print_json(json_format.dumps(asdict(found)))
    else:
        _print(found)


def _print(found: Inspection) -> None:
    from rich.table import Table

    from biosense.cli.console import console, say_warning

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("stream")
    table.add_column("kind")
    for heading in ("ch", "samples", "seconds", "Hz", "of", "gaps", "lost", "ppm", "quality"):
        table.add_column(heading, justify="right")
    for name, stream in found.streams.items():
        seconds = "" if stream.seconds is None else f"{stream.seconds:.1f}"
        rate = "" if stream.rate_hz is None else f"{stream.rate_hz:.2f}"
        nominal = "" if stream.nominal_hz is None else f"{stream.nominal_hz:g}"
        table.add_row(
            name,
            stream.kind,
            str(stream.channels),
            str(stream.samples),
            seconds,
            rate,
            nominal,
            str(stream.gaps),
            str(stream.lost),
            "" if stream.drift_ppm is None else f"{stream.drift_ppm:.1f}",
            "" if stream.quality is None else f"{stream.quality:.2f}",
        )
    console.print(table)
    for event in found.events:
        console.print(event, style="dim")
    for problem in found.problems:
        say_warning(problem)
    if not found.problems:
        console.print("nothing is wrong with this recording", style="green")
