"""`biosense estimate`: the live numbers, offline."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biosense.cli.options import Json, RecordingPath

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biosense.acquisition.xdf.reader import XdfReader
    from biosense.core.affect import Estimate
    from biosense.core.types import Modality
    from biosense.models.evaluation.contributions import Contributions


def estimate(
    recording: RecordingPath,
    model: Annotated[
        str | None,
        typer.Option(metavar="CKPT", help="Checkpoint; that of the live run by default."),
    ] = None,
    mains: Annotated[
        float | None,
        typer.Option(min=45.0, max=65.0, help="Mains frequency; that of the live run by default."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write .csv or .parquet.")
    ] = None,
    contributions: Annotated[
        bool,
        typer.Option(
            "--contributions", help="Also write what each modality adds to each estimate."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Estimate valence and arousal over a recording, with the numbers of the live run."""
    if contributions and out is None:
        raise typer.BadParameter("--contributions are columns of a table: name it with --out FILE")
    if out is not None and out.suffix not in (".csv", ".parquet"):
        raise typer.BadParameter(f"{out} must end in .csv or .parquet")
    from dataclasses import asdict

    from biosense.acquisition.xdf.reader import XdfReader

    reader = XdfReader(recording)  # a wrong path is answered before anything heavy is loaded
    from biosense.cli.console import console, print_json, say_warning
    from biosense.estimation.compare import compare_with_live
    from biosense.estimation.offline import estimate_as_live
    from biosense.estimation.recorded_run import recorded_header

    found = estimate_as_live(reader, model, mains_hz=mains, contributions=contributions)
    name, estimates, header = found.model, found.estimates, recorded_header(reader)
    for problem in found.cautions:
        say_warning(problem)
    if out is not None:
        write_table(out, estimates, found.loaded.model.modalities, found.contributions)
    live = compare_with_live(reader, estimates)
    _say_what_is_missing(reader, estimates)
    if json:
        result = {
            "recording": str(recording),
            "model": name,
            "estimates": len(estimates),
            "live": asdict(live) if live else None,
            "out": str(out) if out else None,
        }
        print_json(json_format.dumps(result))
        return
    console.print(f"{len(estimates)} estimates with model {name!r}")
    if live:
        other = f" with model {header.model!r}" if header and header.model != name else ""
        console.print(f"against the live run{other}: {live}")
    if out:
        console.print(f"written to {out}")


def _say_what_is_missing(reader: XdfReader, estimates: Sequence[Estimate]) -> None:
    from biosense.cli.console import say_warning

    for damage in reader.damage:
        say_warning(f"{damage.size} bytes are unreadable: {damage.reason}")
    if not (reader.damage or reader.complete):
        say_warning("the recording was not closed: its run was killed, or goes on")
    if not estimates:
        say_warning("no estimates: `biosense check` says what is wrong with it")


def write_table(
    path: Path,
    estimates: Sequence[Estimate],
    modalities: Sequence[Modality],
    added: Sequence[Contributions] = (),
) -> None:
    """Write estimates as .csv or .parquet: the columns of `estimates_table`."""
    from biosense.estimation.estimate_table import estimates_table

    table = estimates_table(estimates, modalities, added)
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path, index=False)
