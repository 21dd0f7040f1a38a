"""`biosense export-model`: a model's step as an ONNX graph, for programs without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export_model(
    checkpoint: Annotated[
        str, typer.Argument(metavar="CKPT", help="A checkpoint: a file, 'default' or 'demo'.")
    ],
    onnx: Annotated[Path, typer.Option(metavar="FILE", help="ONNX graph to write.")],
) -> None:
    """Write the step of a model as an ONNX graph, which `OnnxStep` runs where there is no torch."""
    from biosense.cli.console import console
    from biosense.models.deployment.checkpoint import load
    from biosense.models.deployment.onnx import export_step

    loaded = load(checkpoint)
    export_step(loaded, onnx)
    warning = f" {loaded.info.card.warning}" if loaded.info.card.warning else ""
    console.print(f"written to {onnx}, one step of {loaded.info.hop:g} s.{warning}")
