"""How much faster a study is with more processes, and whether its numbers stay the same.

Usage: python -m benchmarks.system.study_scaling [--jobs 1 2 4] [--dask] [--people 8] [--epochs 4]

Runs one study of simulated features with joblib's processes and, with --dask, on a local cluster
of dask, side by side. Printed are the seconds of the whole study, the speed-up against one process,
and whether every number of the result is the same. Exit code 1 when one is not. The time includes
what each process takes to start and to load torch, which a study of hours does not notice.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import replace

import numpy as np

from benchmarks.figures import Figure, tell
from biosense.core.types import Modality
from biosense.models.sequences import LabelledSequence
from biosense.models.training.train import TrainingSettings
from biosense.studies.base import StudyData
from biosense.studies.execution.plan import PlanSettings, Split, plan_study
from biosense.studies.executor import LOCAL, Executor
from biosense.studies.results.assess import Assessment
from biosense.studies.results.result import StudyResult
from biosense.studies.run import RunSettings, run_study

WIDTHS = {Modality.EEG: 27, Modality.ECG: 12, Modality.EDA: 10}
STEPS, TRIALS = 160, 4


def made_up(people: int) -> StudyData:
    """Return features that see a slow path through noise, of as many people."""
    rng = np.random.default_rng(0)
    mixes = {modality: rng.standard_normal((2, width)) for modality, width in WIDTHS.items()}
    sequences = []
    for person in range(people):
        for trial in range(TRIALS):
            target = np.tanh(np.cumsum(rng.standard_normal((STEPS, 2)), 0) / 10)
            data = {m: target @ mix + rng.standard_normal((STEPS, mix.shape[1])) * 3
                    for m, mix in mixes.items()}  # fmt: skip
            quality = {modality: np.ones(STEPS) for modality in data}
            clock = 1000.0 * trial + 0.25 * np.arange(STEPS)
            sequences.append(
                LabelledSequence(
                    f"p{person:02d}", clock, data, quality, target, f"film{trial}", position=trial
                )
            )
    names = {m: tuple(f"{m}_{k}" for k in range(n)) for m, n in WIDTHS.items()}
    return StudyData("made-up", tuple(sequences), names, f"made-up-{people}")


def timed(data: StudyData, executor: Executor, epochs: int) -> tuple[StudyResult, float]:
    """Run the study and return its result and how long it took, seconds."""
    training = TrainingSettings(width=16, epochs=epochs, crop_s=(30.0, 60.0))
    split = Split("subject", n_folds=4)
    plan = plan_study(data, split, PlanSettings(("cross_attention",), training, (0,), plain=()))
    began = time.perf_counter()
    result = run_study(
        data, plan, settings=RunSettings(executor), assessment=Assessment(n_resamples=1000)
    )
    return result, time.perf_counter() - began


def main() -> int:
    """Time every executor and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, os.cpu_count() or 2])
    parser.add_argument("--dask", action="store_true")
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=4)
    asked = parser.parse_args()
    data = made_up(asked.people)
    executors = {f"{n} process{'es' * (n > 1)}": Executor(n) for n in asked.jobs}
    if asked.dask:
        executors |= {f"dask, {n}": Executor(n, LOCAL) for n in asked.jobs}
    first: tuple[StudyResult, float] | None = None
    is_same, taken = True, {}
    print(f"{asked.people} people, {len(data.sequences)} sequences, {os.cpu_count()} cores")
    for name, executor in executors.items():
        result, seconds = timed(data, executor, asked.epochs)
        first = first or (result, seconds)
        same = replace(result, origin=first[0].origin) == first[0]
        is_same &= same
        words = "same numbers" if same else "OTHER NUMBERS"
        print(f"{name:14s} {seconds:7.1f} s   x {first[1] / seconds:4.2f}   {words}")
        taken[name] = seconds
    (alone, slowest), *others = taken.items()
    figures = [Figure(f"a study in {n}", s, "s", slowest, alone, timed=True) for n, s in others]
    tell(*(figures or [Figure(f"a study in {alone}", slowest, "s", timed=True)]))
    return 0 if is_same else 1


if __name__ == "__main__":
    sys.exit(main())
