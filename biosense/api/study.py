"""What a model is worth on a data set, in one call, and what it found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from biosense.api.html import table_html
from biosense.studies.conduct import DEFAULT_MODELS, StudyDesign, conduct
from biosense.studies.executor import Executor
from biosense.studies.features.source import DataSource
from biosense.studies.report.draw_scores import draw_entries
from biosense.studies.report.page import write_study_report
from biosense.studies.results.result import StudyResult
from biosense.viz.palette import LIGHT
from biosense.viz.svg import figure_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


class Study:
    """What a study found: a table, a report, a picture.

    Parameters
    ----------
    result
        Everything as values.
    """

    def __init__(self, result: StudyResult) -> None:
        self.result = result

    def to_pandas(self) -> pd.DataFrame:
        """Return the scores, a row for each entry and target, with their intervals over people.

        Returns
        -------
        pandas.DataFrame
            `entry`, `kind` (model, control, ..), `target`, `modalities`, `judged`, the scores, and
            `<score>_low`, `<score>_high`.
        """
        return self.result.to_pandas()

    @property
    def verdicts(self) -> tuple[str, ...]:
        """What can be said of it, the doubtful first."""
        return tuple(verdict.text for verdict in self.result.verdicts)

    def report(self, path: str | Path) -> Path:
        """Write the page of the study: one file that needs no network.

        Returns
        -------
        Path
            Where it was written.
        """
        place = Path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        write_study_report(self.result, place)
        return place

    def plot(self) -> Figure:
        """Draw the headline score of every entry with its 95 % interval over people.

        Returns
        -------
        matplotlib.figure.Figure
            Controls are hollow; the band is the interval of the model that is judged.
        """
        with figure_style(LIGHT):
            figure = draw_entries(self.result)
        figure.set_facecolor(LIGHT["panel"])
        return figure

    def __repr__(self) -> str:
        result = self.result
        return f"<Study of {result.dataset!r} by {result.protocol!r}: {result.chosen!r} is judged>"

    def _repr_html_(self) -> str:
        result, metric = self.result, "ccc"  # on the level of the study, with its interval
        made_up = "FABRICATED DATA · " if result.fabricated else ""
        rows = []
        for row in result.results:
            cells: list[object] = [row.name, row.kind]
            for target in ("valence", "arousal"):
                value = row.metrics[target].get(metric)
                bounds = row.intervals[target].get(metric)
                low, high = (bounds.low, bounds.high) if bounds else (None, None)
                said = "\N{EN DASH}" if value is None else f"{value:.3f}"
                span = "" if low is None or high is None else f" [{low:.2f}, {high:.2f}]"
                cells.append(said + span)
            rows.append(cells)
        aside = f"{made_up}{result.protocol} · {result.people} people · {_said(metric)}"
        return table_html(result.title, aside, ("entry", "kind", "valence", "arousal"), rows)


def _said(metric: str) -> str:
    return metric.replace("_", " ").replace("ccc", "CCC")


def study(
    dataset: str,
    root: str | Path | None = None,
    *,
    protocol: str = "subject",
    models: Sequence[str] | str = DEFAULT_MODELS,
    fabricate: bool = False,
    quick: bool = False,
    people: int | None = None,
    seeds: int | None = None,
    folds: int | None = None,
    epochs: int | None = None,
    out: str | Path | None = None,
    jobs: int = 1,
    cache: str | Path | None = None,
) -> Study:
    """Judge models on a data set, beside the controls that need no physiology.

    Parameters
    ----------
    dataset
        A name in `datasets.names()`.
    root
        The folder with its files.
    protocol
        What is held out: "subject", "stimulus", "subject-stimulus" or "time".
    models
        Fusion families; the first is the one that is judged.
    fabricate
        Make up a miniature and use that: tries the program, says nothing about people.
    quick
        Tiny models, four trials of each person, one seed.
    people
        So many people only; how many are made up.
    seeds, folds, epochs
        Fits in each fold, most folds, most epochs of a fit; usual values by default.
    out
        Folder for result.json, report.html and finished fits: the same call goes on from there.
    jobs
        Processes on this computer, -1 for all cores.
    cache
        Where features are kept; the user's cache folder by default.

    Returns
    -------
    Study
        `to_pandas()`, `report(path)`, `plot()`, `verdicts`.

    Raises
    ------
    BadInput
        If the data set, protocol or a model is unknown, or the data do not allow the split.
    LeakFound
        If the same data occurs under two names.
    DatasetIncomplete
        If nothing in the folder can be used.

    Examples
    --------
    A study of made-up data takes some ten seconds::

        result = bs.study("deap", fabricate=True, quick=True, models=["ridge"])
        result.report("report.html")
    """
    names = (models,) if isinstance(models, str) else tuple(models)
    source = DataSource(
        dataset,
        None if root is None else Path(root),
        fabricate=fabricate,
        people=people,
        cache=None if cache is None else Path(cache),
    )
    design = StudyDesign(protocol, names, seeds=seeds, folds=folds, epochs=epochs, quick=quick)
    return Study(
        conduct(
            source,
            design,
            out=None if out is None else Path(out),
            executor=Executor(jobs=jobs),
            command=f"biosense.study({dataset!r}, protocol={protocol!r}, models={names!r})",
        )
    )
