"""`biosense study`: what a fusion model is worth on a data set, and what its numbers rest on."""

from __future__ import annotations

import json as json_format
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biosense.cli.options import Json
from biosense.cli.study_data import (
    Cache,
    Calibrate,
    Conditioning,
    DataOptions,
    DatasetName,
    Fabricate,
    Jobs,
    NoCache,
    NoVideo,
    People,
    Root,
    SchedulerAddress,
    check_name,
    labelled_counts,
    log,
    warn_of_made_up,
)
from biosense.core.affect import TARGETS

if TYPE_CHECKING:
    from rich.table import Table

    from biosense.studies.results.result import StudyResult
    from biosense.studies.run import Done

_NOT_IN_JSON = ("curves", "plane")  # they are in the result file, for the report
_SHOWN = ("ccc", "rmse", "pooled_ccc", "macro_f1")


def study(
    dataset: DatasetName,
    protocol: Annotated[
        str, typer.Option(help="What is held out: subject, stimulus, subject-stimulus or time.")
    ],
    root: Root = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="Fusion model; the first named is the one that is judged."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write result.json and report.html here.")
    ] = None,
    jobs: Jobs = 1,
    scheduler: SchedulerAddress = "",
    seeds: Annotated[int | None, typer.Option(min=1, help="Fits in each fold (5).")] = None,
    folds: Annotated[int | None, typer.Option(min=2, help="Most folds along an axis (5).")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Most epochs of a fit (15).")] = None,
    gap: Annotated[
        float | None, typer.Option(min=0.0, help="Seconds between the sides under 'time' (60).")
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Tiny models, four trials, one seed: tries the command."),
    ] = False,
    refit_subsets: Annotated[
        bool, typer.Option("--refit-subsets", help="Fit every subset of modalities anew.")
    ] = False,
    shuffle_order: Annotated[
        bool, typer.Option("--shuffle-order", help="Put each person's trials in random order.")
    ] = False,
    calibrate: Calibrate = None,
    conditioning: Conditioning = "person",
    pooled: Annotated[
        bool, typer.Option("--pooled", help="Judge by all steps together, not within sequences.")
    ] = False,
    fabricate: Fabricate = False,
    people: People = None,
    trials: Annotated[
        int | None, typer.Option(min=1, help="So many trials of each person only.")
    ] = None,
    cache: Cache = None,
    no_cache: NoCache = False,
    no_video: NoVideo = False,
    mains: Annotated[float, typer.Option(min=45.0, max=65.0, help="Mains frequency.")] = 50.0,
    json: Json = False,
) -> None:
    """Say what a fusion model is worth on a data set: folds, seeds, controls, intervals, a report.

    A study that was stopped goes on where it was, if --out is the same.
    """
    from biosense.cli.console import print_json
    from biosense.models.registry import MODELS
    from biosense.studies.conduct import DEFAULT_MODELS, StudyDesign, Watching, conduct
    from biosense.studies.executor import Executor
    from biosense.studies.splits.protocols import PROTOCOLS

    check_name(PROTOCOLS, protocol)
    for name in model or ():
        check_name(MODELS, name)
    design = StudyDesign(
        protocol, tuple(model or DEFAULT_MODELS), seeds, folds, epochs, gap, quick, refit_subsets,
        labelled_counts(calibrate, protocol), pooled,
    )  # fmt: skip
    source = DataOptions(
        dataset, root, fabricate, people, cache, no_cache, no_video, mains,
        0 if shuffle_order else None, trials, conditioning,
    ).source()  # fmt: skip
    warn_of_made_up(source)
    with _progress() as progress:
        result = conduct(
            source,
            design,
            out=out,
            executor=Executor(jobs, scheduler),
            watching=Watching(progress, log),
            command=shlex.join(["biosense", *sys.argv[1:]]),
        )
    _say_where(out)
    if json:
        plain = result.as_dict()
        print_json(json_format.dumps({k: v for k, v in plain.items() if k not in _NOT_IN_JSON}))
        return
    _print(result)


@contextmanager
def _progress() -> Iterator[Callable[[Done], None]]:
    """Show jobs as they end, with the time that is left."""
    from rich.progress import BarColumn, Progress, TextColumn

    from biosense.cli.console import console

    columns = (
        TextColumn("{task.fields[jobs]}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[left]} left"),
        TextColumn("{task.description}", style="dim"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None, jobs="jobs", left="? s")

        def told(done: Done) -> None:
            progress.update(
                task,
                completed=done.done,
                total=done.total,
                description=done.text,
                jobs=f"{done.done} of {done.total} jobs",
                left=_duration(done.seconds_left),
            )

        yield told


def _duration(seconds: float) -> str:
    """Return a length of time in the unit that it is waited for.

    >>> _duration(42.3), _duration(600), _duration(9000)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _say_where(out: Path | None) -> None:
    from biosense.cli.console import console

    if out is not None:
        console.print(f"wrote {out / 'report.html'}: open it in a browser", soft_wrap=True)


def _print(result: StudyResult) -> None:
    from biosense.cli.console import console
    from biosense.studies.features.source import FABRICATED

    styles = {"good": "green", "bad": "yellow", "plain": ""}
    for verdict in result.verdicts:
        console.print(f"- {verdict.text}", style=styles[verdict.tone])
    for target in TARGETS:
        console.print(_table(result, target))
    if result.fabricated:
        console.print(FABRICATED, style="bold white on red")


def _table(result: StudyResult, target: str) -> Table:
    from rich.table import Table

    title = f"{target}, {result.dataset}, {result.protocol_level} ({result.protocol} held out)"
    table = Table(title=title, box=None, pad_edge=False, header_style="dim", title_justify="left")
    table.add_column("", no_wrap=True)
    for heading in ("ccc", "95 %", *_SHOWN[1:]):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in result.results:
        values, bounds = row.metrics[target], row.intervals[target]["ccc"]
        between = "" if bounds.low is None else f"{bounds.low:.2f} to {bounds.high:.2f}"
        rest = (_number(values.get(name)) for name in _SHOWN[1:])
        style = "bold" if row.name == result.chosen else "dim" if "c" in row.kind[:1] else ""
        table.add_row(row.name, _number(values["ccc"]), between, *rest, style=style)
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
