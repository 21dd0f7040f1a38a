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
    from biosense.core.types import Estimate, Modality
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
    from dataclasses import asdict, replace

    from biosense.acquisition.xdf.reader import XdfReader

    reader = XdfReader(recording)  # a wrong path is answered before anything heavy is loaded
    from biosense.cli.console import console, print_json, say_warning
    from biosense.estimation.compare import compare_with_live
    from biosense.estimation.load_model import load_model
    from biosense.estimation.offline import estimate_recording, explain_recording, recorded_header
    from biosense.estimation.processor import ProcessorSettings
    from biosense.estimation.rated_spans import caution

    header = recorded_header(reader)
    name = model or (header.model if header else "default")
    loaded = load_model(name)
    settings = header.settings if header else ProcessorSettings()
    if mains is not None:
        settings = replace(settings, mains_hz=mains)
    if header and model is None and header.model_digest != loaded.digest:
        say_warning(f"the model {name!r} has changed since the recording was made")
    if problem := caution(loaded.info.card, reader.sidecar.participant):
        say_warning(problem)
    added: Sequence[Contributions] = ()
    if contributions:
        pairs = explain_recording(reader, loaded, settings, header)
        estimates, added = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    else:
        estimates = estimate_recording(reader, loaded, settings, header)
    if out is not None:
        write_table(out, estimates, loaded.model.modalities, added)
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
