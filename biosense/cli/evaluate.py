"""`biosense evaluate`: score a checkpoint on a data set."""

from __future__ import annotations

import json as json_format
from typing import TYPE_CHECKING, Annotated

import typer

from biosense.cli.options import Json
from biosense.cli.study_data import (
    Cache,
    DataOptions,
    DatasetName,
    Fabricate,
    Jobs,
    NoCache,
    NoVideo,
    People,
    Root,
    log,
    opened,
)
from biosense.core.affect import TARGETS

if TYPE_CHECKING:
    from rich.table import Table

    from biosense.studies.evaluate import Evaluation

_SHOWN = ("ccc", "pearson", "rmse", "pooled_ccc", "macro_f1", "balanced_accuracy")


def evaluate(
    checkpoint: Annotated[
        str, typer.Argument(metavar="CKPT", help="A checkpoint: a file, 'default' or 'demo'.")
    ],
    dataset: DatasetName,
    root: Root = None,
    fabricate: Fabricate = False,
    people: People = None,
    jobs: Jobs = 1,
    cache: Cache = None,
    no_cache: NoCache = False,
    no_video: NoVideo = False,
    mains: Annotated[float, typer.Option(min=45.0, max=65.0, help="Mains frequency.")] = 50.0,
    json: Json = False,
) -> None:
    """Score a checkpoint on a data set that it was not trained on, beside trivial controls."""
    from dataclasses import replace

    from biosense.cli.console import console, print_json, say_warning
    from biosense.estimation.load_model import load_model
    from biosense.studies.evaluate import evaluate_checkpoint
    from biosense.studies.executor import Executor
    from biosense.studies.features.source import FABRICATED

    options = DataOptions(dataset, root, fabricate, people, cache, no_cache, no_video, mains)
    with opened(options.source()) as opening:
        model = load_model(checkpoint)
        source = replace(options, conditioning=model.info.conditioning).source()
        executor = Executor(jobs)
        data = source.load(opening, executor, log)
    found = evaluate_checkpoint(model, data, fabricated=fabricate, executor=executor)
    if json:
        print_json(json_format.dumps(found.as_dict(), allow_nan=False))
        return
    for target in TARGETS:
        console.print(_table(found, target))
    for note in found.notes[:2]:
        say_warning(note)
    if fabricate:
        console.print(FABRICATED, style="bold white on red")


def _table(found: Evaluation, target: str) -> Table:
    from rich.table import Table

    title = f"{target}: {found.people} people, {found.sequences} sequences, by {found.level}"
    table = Table(title=title, box=None, pad_edge=False, header_style="dim", title_justify="left")
    table.add_column("")
    for name in _SHOWN:
        table.add_column(name, justify="right")
    rows = {found.model: found.metrics, **found.controls}
    for name, values in rows.items():
        style = "bold" if name == found.model else ""
        table.add_row(name, *(_number(values[target].get(key)) for key in _SHOWN), style=style)
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
