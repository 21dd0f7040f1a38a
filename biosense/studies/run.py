"""Run a study: all folds, candidates and seeds as independent jobs; stopped ones go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from biosense.studies.base import Fold, StudyData
from biosense.studies.execution.jobs import Job, JobResult, JobStore, carry_out, job_key, jobs_of
from biosense.studies.execution.plan import Plan
from biosense.studies.executor import Executor
from biosense.studies.kept_files import CacheDamaged
from biosense.studies.leak_checks.study_checks import check_folds
from biosense.studies.results.assess import Assessment, assess
from biosense.studies.results.result import StudyResult

Log = Callable[[str], None]


@dataclass(frozen=True)
class Done:
    """Report a finished job.

    Parameters
    ----------
    text
        What it was.
    done, total
        Jobs, those that were found again included.
    seconds, seconds_left
        Since the beginning; estimated until the end.
    """

    text: str
    done: int
    total: int
    seconds: float
    seconds_left: float


@dataclass(frozen=True)
class RunSettings:
    """Say where jobs run, what is kept of them, and who is told.

    Parameters
    ----------
    executor
        Where they run.
    store
        What finished is kept in; None keeps nothing.
    progress
        Told of every finished job.
    log
        Told what was found again, what was damaged, and which leak check failed.
    clock
        Seconds, for `progress` only.
    """

    executor: Executor = field(default_factory=Executor)
    store: JobStore | None = None
    progress: Callable[[Done], None] = lambda _: None
    log: Log = lambda _: None
    clock: Callable[[], float] = time.monotonic


def run_study(
    data: StudyData,
    plan: Plan,
    *,
    settings: RunSettings | None = None,
    assessment: Assessment | None = None,
) -> StudyResult:
    """Check the folds for leaks, fit every entry of a plan in each, and score what they said.

    Results do not depend on where jobs run, in which order they end, or how often the study was
    stopped in between.

    Parameters
    ----------
    data, plan
        Features, and what is done with them.
    settings
        Where and how; by default here, one job after the other.
    assessment
        How predictions become scores.

    Raises
    ------
    BadInput
        The data do not allow the split; see `folds`.
    LeakFound
        The same data occurs under two names.
    """
    settings = settings or RunSettings()
    folds = plan.split.of(data)
    checks = check_folds(data, folds, settings.log)
    results = run_jobs(data, plan, folds, settings)
    return assess(data, plan, folds, results, assessment or Assessment(), checks)


def run_jobs(
    data: StudyData, plan: Plan, folds: Sequence[Fold], settings: RunSettings
) -> list[JobResult]:
    """Return the results of all jobs, in the order of `jobs_of`."""
    jobs = jobs_of(plan, folds)
    keys = {job: job_key(data, plan, job) for job in jobs} if settings.store else {}
    results = _found(keys, settings)
    if results:
        settings.log(f"{len(results)} of {len(jobs)} jobs found again: they are not run")
    watch = _Watch(plan, folds, len(jobs), settings)
    left = [job for job in jobs if job not in results]
    for result in settings.executor.run(carry_out, (data, plan), left):
        results[result.job] = result
        if settings.store is not None:
            settings.store.put(keys[result.job], result)
        watch.note(result, [job for job in left if job not in results])
    return [results[job] for job in jobs]


def _found(keys: Mapping[Job, str], settings: RunSettings) -> dict[Job, JobResult]:
    found = {}
    for job, key in keys.items():
        try:
            kept = settings.store.get(key, job) if settings.store else None
        except CacheDamaged as damage:
            settings.log(str(damage))
            continue
        if kept is not None:
            found[job] = kept
    return found


class _Watch:
    """Estimate how long the rest takes: as long as jobs of the same entries took, side by side."""

    def __init__(
        self, plan: Plan, folds: Sequence[Fold], total: int, settings: RunSettings
    ) -> None:
        self._plan, self._folds, self._total, self._settings = plan, folds, total, settings
        self._began = settings.clock()
        self._took: dict[int, list[float]] = {}

    def note(self, result: JobResult, left: Sequence[Job]) -> None:
        self._took.setdefault(result.job.entry, []).append(result.seconds)
        elapsed = self._settings.clock() - self._began
        entry = self._plan.entries[result.job.entry]
        fold = self._folds[result.job.fold].name
        text = f"{entry.name}, {fold}, seed {result.job.seed}"
        done = self._total - len(left)
        self._settings.progress(Done(text, done, self._total, elapsed, self._left(left, elapsed)))

    def _left(self, left: Sequence[Job], elapsed: float) -> float:
        every = [seconds for own in self._took.values() for seconds in own]
        usual = float(np.mean(every))
        work = sum(float(np.mean(self._took.get(job.entry, usual))) for job in left)
        # How much is done at once is seen, not known: a cluster grows and shrinks.
        abreast = max(sum(every) / elapsed, 1.0) if elapsed > 0 else 1.0
        return work / abreast
