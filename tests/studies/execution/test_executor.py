"""Jobs give the same wherever they run: here, in processes, on a cluster."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import numpy as np
import pytest

from biosense.core.errors import BadInput
from biosense.studies.candidates.baselines import RidgeCandidate
from biosense.studies.candidates.lookup import TrainMean
from biosense.studies.execution.jobs import carry_out, jobs_of
from biosense.studies.execution.plan import Entry, Kind, Plan, Split
from biosense.studies.executor import Executor
from biosense.studies.results.assess import Assessment
from biosense.studies.run import RunSettings, run_study
from tests.support.study_toys import toy_study


def where(shared: float, task: int) -> tuple[int, int, float, int]:
    import torch

    time.sleep(0.05)  # long enough that one process does not take them all
    return task, os.getpid(), shared, torch.get_num_threads()


def fail(shared: float, task: int) -> int:
    raise BadInput(f"task {task} cannot be done")


@pytest.fixture(scope="module")
def plan() -> Plan:
    entries = (
        Entry(Kind.MODEL, "ridge", RidgeCandidate(), (0,)),
        Entry(Kind.CONTROL, "train mean", TrainMean(), (0,)),
    )
    return Plan(Split("subject", n_folds=3), entries, "ridge")


def test_one_job_runs_here_with_one_thread():
    found = list(Executor().run(where, 1.5, [1, 2]))
    assert [task for task, *_ in found] == [1, 2]
    assert {pid for _, pid, *_ in found} == {os.getpid()}
    assert {threads for *_, threads in found} == {1}


def test_two_jobs_run_in_processes_of_their_own():
    found = list(Executor(jobs=2).run(where, 1.5, range(6)))
    assert sorted(task for task, *_ in found) == list(range(6))
    assert os.getpid() not in {pid for _, pid, *_ in found}
    assert {shared for _, _, shared, _ in found} == {1.5}
    assert {threads for *_, threads in found} == {1}


@pytest.mark.parametrize("executor", [Executor(), Executor(jobs=2)])
def test_a_failing_job_ends_the_run(executor):
    with pytest.raises(BadInput, match="cannot be done"):
        list(executor.run(fail, 0.0, [1, 2]))


def test_a_study_is_the_same_in_processes_and_on_a_cluster(plan):
    data = toy_study(5, 3, 40)
    quick = Assessment(n_resamples=100)
    results = [
        run_study(data, plan, settings=RunSettings(executor), assessment=quick)
        for executor in (Executor(), Executor(jobs=2), Executor(jobs=1, address="local"))
    ]
    plain = [replace(result, origin=results[0].origin) for result in results]
    assert plain[0] == plain[1] == plain[2]


def test_a_job_is_the_same_again(plan):
    data = toy_study(5, 3, 40)
    job = jobs_of(plan, plan.split.of(data))[0]
    one, again = (carry_out((data, plan), job) for _ in range(2))
    for a, b in zip((*one.mean, *one.sd), (*again.mean, *again.sd), strict=True):
        np.testing.assert_array_equal(a, b)


def test_wrong_engines_say_what_is_right():
    with pytest.raises(BadInput, match="-1 for every core"):
        Executor(jobs=0)
    with pytest.raises(BadInput, match="no dask scheduler answers"):
        list(Executor(address="nonsense://here").run(where, 0.0, [1]))
