"""`biosense check`: what is inside a recording, what is missing, and what is wrong with it."""

from __future__ import annotations

import json as json_format
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biosense.cli.options import Json, RecordingPath

if TYPE_CHECKING:
    from rich.table import Table

    from biosense.recordings.inspection import Inspection, StreamReport

_MOST_LINES = 20  # events, and gaps of a stream, that are listed for a person; --json has all
_NUMBERS = ("ch", "samples", "seconds", "Hz", "of", "gaps", "lost", "ppm", "quality")


def check(
    recording: RecordingPath,
    repair: Annotated[
        Path | None,
        typer.Option(metavar="OUT", help="Write what can be saved to a new one, and check that."),
    ] = None,
    sync: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="A B", help="Measure how much later stream B is than stream A."),
    ] = None,
    channels: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="A B", help="With --sync: the channels that show the events."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html", help="Write a page to look at: signals before and after."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Say what is inside a recording: streams, rates, gaps, drift, quality, events.

    With --sync: the fixed delay between two streams that saw the same flashes, taps or steps.
    """
    if sync is not None:
        from biosense.cli.check_sync import check_sync

        check_sync(recording, sync, channels or (None, None), json=json)
        return
    if channels is not None:
        raise typer.BadParameter("--channels goes with --sync")
    from biosense.cli.console import print_json
    from biosense.recordings.inspect import inspect

    losses = () if repair is None else _repair(recording, repair)
    path = repair or recording
    found = inspect(path) if report is None else _report(path, report)
    if json:
        lost = {"losses": list(losses)} if repair is not None else {}
        print_json(json_format.dumps(asdict(found) | lost))
    else:
        _print(found)


def _report(recording: Path, out: Path) -> Inspection:
    from biosense.cli.console import console
    from biosense.recordings.report.page import write_report

    found = write_report(recording, out)
    console.print(f"wrote {out}: open it in a browser", soft_wrap=True)
    return found


def _repair(recording: Path, out: Path) -> tuple[str, ...]:
    from biosense.acquisition.xdf.reader import XdfReader
    from biosense.acquisition.xdf.repair import repair
    from biosense.cli.console import console, say_warning

    made = repair(recording, out)
    begin = XdfReader(made.path).begin
    losses = tuple(loss.describe(begin) for loss in made.losses)
    for loss in losses:
        say_warning(loss, "lost:")
    saved = sum(made.samples.values())
    console.print(f"saved {saved} samples in {made.path}; {recording} is as it was", soft_wrap=True)
    return losses


def _print(found: Inspection) -> None:
    from biosense.cli.console import console, say_warning

    console.print(_table(found))
    for name, stream in found.streams.items():
        for gap in stream.gap_list[:_MOST_LINES]:
            start, stop = gap.start - (found.begin or 0.0), gap.stop - (found.begin or 0.0)
            text = f"gap in {name}: {start:.3f} to {stop:.3f} s, about {gap.missing} samples"
            console.print(text, style="dim", soft_wrap=True)
        _say_rest(len(stream.gap_list), f"gaps in {name}")
    for event in found.events[:_MOST_LINES]:
        console.print(event, style="dim", soft_wrap=True)
    _say_rest(len(found.events), "events")
    for problem in found.problems:
        say_warning(problem)
    if not found.problems:
        console.print("nothing is wrong with this recording", style="green")


def _say_rest(count: int, what: str) -> None:
    from biosense.cli.console import console

    if count > _MOST_LINES:
        console.print(f"... and {count - _MOST_LINES} more {what}: --json has all", style="dim")


def _table(found: Inspection) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("stream", overflow="fold")
    table.add_column("kind", no_wrap=True)
    for heading in _NUMBERS:
        table.add_column(heading, justify="right", no_wrap=True)
    for name, stream in found.streams.items():
        table.add_row(name, *_cells(stream))
    return table


def _cells(stream: StreamReport) -> tuple[str, ...]:
    regular = stream.nominal_hz is not None
    return (
        stream.kind,
        str(stream.channels),
        str(stream.samples),
        "" if stream.seconds is None else f"{stream.seconds:.1f}",
        "" if stream.rate_hz is None else f"{stream.rate_hz:.2f}",
        f"{stream.nominal_hz:g}" if regular else "",
        str(stream.gaps) if regular else "",
        str(stream.lost) if regular else "",
        "" if stream.drift_ppm is None else f"{stream.drift_ppm:z.1f}",
        "" if stream.quality is None else f"{stream.quality:.2f}",
    )
