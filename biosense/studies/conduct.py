"""Conduct a study from its data set to its report: what the command and the public API call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from biosense.core.errors import BadInput
from biosense.datasets.registry import DATASETS
from biosense.models.registry import MODELS
from biosense.models.training.settings import STUDY, TrainingSettings
from biosense.studies.candidates.baselines import ForestCandidate, RidgeCandidate
from biosense.studies.execution.jobs import JobStore
from biosense.studies.execution.plan import PlanSettings, Split, plan_study
from biosense.studies.executor import Executor
from biosense.studies.features.source import DataSource
from biosense.studies.results.assess import Assessment
from biosense.studies.results.result import RESULT_FILE, StudyResult
from biosense.studies.run import Done, RunSettings, run_study
from biosense.studies.scoring.statistics import RESAMPLES
from biosense.studies.splits.protocols import PROTOCOLS

DEFAULT_MODELS = ("cross_attention",)
QUICK_TRIALS = 4
QUICK_RESAMPLES = 1000
_TINY = TrainingSettings(width=8, window_s=4.0, epochs=2, batches=2, crop_s=(20.0, 40.0))
_FEW_TREES = (RidgeCandidate(), ForestCandidate(n_trees=10))


@dataclass(frozen=True)
class StudyDesign:
    """Say what a study compares and how; what is None has its usual value.

    Parameters
    ----------
    protocol
        What is held out, a key of `PROTOCOLS`.
    models
        Fusion models, keys of `MODELS`; the first is the one that is judged.
    seeds
        Fits in each fold (5; quick: 1).
    folds
        Most folds along an axis that is held out (5; quick: 3).
    epochs
        Most epochs of a fit.
    gap_s
        Seconds between the sides under "time".
    quick
        Tiny models, four trials of each person, one seed: tries the program.
    refit_subsets
        Fit every subset of the modalities anew.
    calibrate
        Numbers of labelled videos of each test person; none at all: no calibration.
    pooled
        Judge by all steps together, not within sequences.

    Raises
    ------
    BadInput
        The protocol or a model is unknown, or a number is none.

    Examples
    --------
    >>> StudyDesign("subject", quick=True).split.n_folds
    3
    """

    protocol: str
    models: tuple[str, ...] = DEFAULT_MODELS
    seeds: int | None = None
    folds: int | None = None
    epochs: int | None = None
    gap_s: float | None = None
    quick: bool = False
    refit_subsets: bool = False
    calibrate: tuple[int, ...] | None = None
    pooled: bool = False

    def __post_init__(self) -> None:
        PROTOCOLS[self.protocol]  # answers a wrong name with the right ones
        for name in self.models:
            MODELS[name]
        for name in ("seeds", "folds", "epochs"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise BadInput(f"{name}={value} must be at least 1")

    @property
    def split(self) -> Split:
        """How the data set is split."""
        split = Split(self.protocol, n_folds=self.folds or (3 if self.quick else 5))
        return split if self.gap_s is None else replace(split, gap_s=self.gap_s)

    @property
    def plan(self) -> PlanSettings:
        """What is fitted, and how often."""
        training = _TINY if self.quick else STUDY
        if self.epochs is not None:
            training = replace(training, epochs=self.epochs)
        settings = PlanSettings(
            self.models,
            training,
            tuple(range(self.seeds or (1 if self.quick else 5))),
            self.refit_subsets,
            calibrate=self.calibrate,
        )
        return replace(settings, plain=_FEW_TREES) if self.quick else settings

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the result must know of it."""
        if not self.quick:
            return ()
        said = "four trials of each person, one seed, tiny models that are hardly trained"
        return (f"--quick: {said}",)


@dataclass(frozen=True)
class Watching:
    """Say who is told of a study as it goes on.

    Parameters
    ----------
    progress
        Told of every finished fit.
    log
        Told a line about what takes time, what was found again and what was damaged.
    """

    progress: Callable[[Done], None] = lambda _: None
    log: Callable[[str], None] = lambda _: None


def conduct(
    source: DataSource,
    design: StudyDesign,
    *,
    out: Path | None = None,
    executor: Executor | None = None,
    watching: Watching | None = None,
    command: str = "",
) -> StudyResult:
    """Conduct a study: read, extract, split, fit, score, and write it down.

    Parameters
    ----------
    source
        The data set.
    design
        What is compared.
    out
        Folder for result.json, report.html and finished fits; a study that was stopped goes on
        where it was if the folder is the same. None writes nothing.
    executor
        Where fits run; by default one after the other in this process.
    watching
        Who is told.
    command
        What makes the result again, as it is told.

    Returns
    -------
    StudyResult
        Scores of every entry with intervals over people, comparisons, verdicts.

    Raises
    ------
    BadInput
        The data do not allow the split.
    LeakFound
        The same data occurs under two names.
    DatasetIncomplete
        Nothing in the folder of the data set can be used.
    """
    executor, watching = executor or Executor(), watching or Watching()
    source = _shortened(source, design)
    with source.open() as dataset:
        data = source.load(dataset, executor, watching.log)
    store = None if out is None else JobStore(out / "jobs")
    result = run_study(
        data,
        plan_study(data, design.split, design.plan),
        settings=RunSettings(executor, store, watching.progress, watching.log),
        assessment=_assessment(source, design, command),
    )
    if out is not None:
        write_study(result, out)
    return result


def write_study(result: StudyResult, out: Path) -> None:
    """Write result.json and report.html into a folder, which is made where it is not there."""
    from biosense.studies.report.page import write_study_report  # draws: needs matplotlib

    out.mkdir(parents=True, exist_ok=True)
    result.write(out / RESULT_FILE)
    write_study_report(result, out / "report.html")


def _shortened(source: DataSource, design: StudyDesign) -> DataSource:
    if not design.quick or source.extract.trials is not None:
        return source
    return replace(source, extract=replace(source.extract, trials=QUICK_TRIALS))


def _assessment(source: DataSource, design: StudyDesign, command: str) -> Assessment:
    shuffled = "--shuffle-order: what is lost against the true order was read from it"
    return Assessment(
        title=DATASETS[source.dataset].about.title,
        fabricated=source.fabricate,
        command=command,
        n_resamples=QUICK_RESAMPLES if design.quick else RESAMPLES,
        level="pooled" if design.pooled else "",
        notes=design.notes if source.extract.shuffle is None else (*design.notes, shuffled),
    )
