"""`biosense export`: a recording in the formats of other programs."""

from __future__ import annotations

import json as json_format
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biosense.cli.options import Json, RecordingPath

if TYPE_CHECKING:
    from biosense.acquisition.xdf.reader import XdfReader
    from biosense.recordings.export.result import Exported


def export(
    recording: RecordingPath,
    bids: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Add it to a BIDS data set.")
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write tables: streams, features, estimates, markers."),
    ] = None,
    fif: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write one stream as MNE's .fif.")
    ] = None,
    stream: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --fif: which; the EEG by default.")
    ] = None,
    subject: Annotated[
        str | None,
        typer.Option(metavar="ID", help="With --bids: pseudonym; the recording's by default."),
    ] = None,
    task: Annotated[
        str, typer.Option(metavar="NAME", help="With --bids: what was done.")
    ] = "affect",
    session: Annotated[
        str, typer.Option(metavar="NAME", help="With --bids: which visit, if there are several.")
    ] = "",
    run: Annotated[
        int | None, typer.Option(min=1, help="With --bids: which recording of several.")
    ] = None,
    mains: Annotated[
        float | None,
        typer.Option(min=45.0, max=65.0, help="Mains frequency; that of the live run by default."),
    ] = None,
    features: Annotated[
        bool, typer.Option(help="With --csv: compute the features, which takes most of the time.")
    ] = True,
    overwrite: Annotated[bool, typer.Option(help="Replace files that exist.")] = False,
    json: Json = False,
) -> None:
    """Write a recording for other programs: BIDS, tables (.csv), or MNE (.fif)."""
    targets = {"--bids": bids, "--csv": csv, "--fif": fif}
    chosen = [name for name, path in targets.items() if path is not None]
    if len(chosen) != 1:
        said = " and ".join(chosen) or "none of them"
        raise typer.BadParameter(f"say one of --bids DIR, --csv DIR and --fif FILE, got {said}")
    if fif is None and stream is not None:
        raise typer.BadParameter("--stream goes with --fif")
    if bids is None and (subject, task, session, run) != (None, "affect", "", None):
        raise typer.BadParameter("--subject, --task, --session and --run go with --bids")
    from biosense.acquisition.xdf.reader import XdfReader

    reader = XdfReader(recording)  # a wrong path is answered before anything heavy is loaded
    from biosense.cli.console import console

    with console.status("exporting"):
        if csv is not None:
            from biosense.recordings.export.csv import export_csv

            made = export_csv(reader, csv, mains_hz=mains, features=features, overwrite=overwrite)
        elif fif is not None:
            from biosense.recordings.export.fif import export_fif

            made = export_fif(reader, fif, stream=stream, overwrite=overwrite)
        else:
            assert bids is not None
            from biosense.recordings.export.bids import export_bids
            from biosense.recordings.export.bids_plan import bids_settings

            names = bids_settings(
                reader, subject, task, session, run, mains_hz=mains, overwrite=overwrite
            )
            made = export_bids(reader, bids, names)
    _say(recording, chosen[0].removeprefix("--"), reader, made, json=json)


def _say(recording: Path, kind: str, reader: XdfReader, made: Exported, *, json: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from biosense.cli.console import console, print_json, say_warning

    for damage in reader.damage:
        say_warning(f"{damage.size} bytes are unreadable: {damage.reason}")
    if json:
        result = {
            "recording": str(recording),
            "format": kind,
            "out": str(made.target),
            "files": [asdict(file) for file in made.files],
            "notes": list(made.notes),
        }
        print_json(json_format.dumps(result))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("file", overflow="fold")
    table.add_column("holds", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    folder = ""
    for file in made.files:
        below, _, name = file.path.rpartition("/")
        if below != folder:
            folder = below
            table.add_row(Text(f"{folder}/", style="dim"))
        table.add_row(name, file.what, "" if file.rows is None else str(file.rows))
    console.print(table)
    for note in made.notes:
        say_warning(note)
    console.print(f"written to {made.target}", style="green", soft_wrap=True)
