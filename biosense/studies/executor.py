"""Where the jobs of a study run: here, on every core, or on a cluster that somebody else built.

biosense schedules nothing itself. Jobs go through joblib: its loky processes on this computer, or
its dask backend with a scheduler of `dask.distributed` anywhere. A cluster under Slurm, PBS or SGE
is one with dask-jobqueue, in four lines of Python that run on the login node::

    from dask_jobqueue import SLURMCluster
    cluster = SLURMCluster(cores=8, processes=8, memory="32GB", walltime="04:00:00")
    cluster.scale(jobs=10)
    print(cluster.scheduler_address)  # biosense study .. --scheduler tcp://..

Jobs are independent of each other and equal wherever they run: every one has the seed and the data
in it, one thread of torch, and gives back arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeVar

from biosense.core.errors import BadInput, MissingExtra

Shared = TypeVar("Shared")
Task = TypeVar("Task")
Result = TypeVar("Result")

LOCAL = "local"  # an address: a cluster of dask on this computer


@dataclass(frozen=True)
class Executor:
    """Say where jobs run.

    Parameters
    ----------
    jobs
        Processes on this computer: 1 runs them in this one, -1 takes every core.
    address
        Of a dask scheduler ("tcp://host:8786"), or "local" for a dask cluster of `jobs` processes
        on this computer; empty: no dask.

    Examples
    --------
    >>> sorted(Executor().run(pow, 2, [1, 2, 3]))
    [2, 4, 8]
    """

    jobs: int = 1
    address: str = ""

    def __post_init__(self) -> None:
        if self.jobs == 0 or self.jobs < -1:
            raise BadInput(f"jobs={self.jobs} must be a number of processes, or -1 for every core")

    def run(
        self, function: Callable[[Shared, Task], Result], shared: Shared, tasks: Sequence[Task]
    ) -> Iterator[Result]:
        """Call a function with what all calls share and with each task; yield as results come.

        An exception of a task ends the iteration and is raised here.

        Parameters
        ----------
        function
            Of a module, not nested: it is sent to other processes.
        shared
            Sent to every worker of a dask cluster once.
        """
        if self.jobs == 1 and not self.address:
            for task in tasks:
                yield _alone(function, shared, task)
            return
        with ExitStack() as stack:
            parallel = stack.enter_context(self._parallel(shared))
            from joblib import delayed

            calls = (delayed(_alone)(function, shared, task) for task in tasks)
            yield from parallel(calls)

    @contextmanager
    def _parallel(self, shared: Any) -> Iterator[Any]:
        from joblib import Parallel, parallel_config

        order = "generator_unordered"
        if not self.address:
            with parallel_config("loky", n_jobs=self.jobs, inner_max_num_threads=1):
                yield Parallel(return_as=order, pre_dispatch="n_jobs")
            return
        with (
            _dask_client(self.address, self.jobs) as client,
            parallel_config("dask", client=client, scatter=[shared]),
        ):
            yield Parallel(n_jobs=-1, return_as=order)


def _alone(function: Callable[[Any, Any], Result], shared: Any, task: Any) -> Result:
    """Do one job with one thread: the models are small, and more threads would only wait."""
    import torch

    torch.set_num_threads(1)
    return function(shared, task)


@contextmanager
def _dask_client(address: str, jobs: int) -> Iterator[Any]:
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise MissingExtra(
            "a scheduler needs dask, which is not installed: pip install 'biosense[cluster]'"
        ) from error
    with ExitStack() as stack:
        place: Any = address
        if address == LOCAL:
            workers = None if jobs == -1 else jobs
            local = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                dashboard_address=None,
                host="127.0.0.1",
            )
            place = stack.enter_context(local)
        try:
            client = distributed.Client(place, timeout=10)
        except (OSError, ValueError) as error:
            raise BadInput(
                f"no dask scheduler answers at {address!r}: {error}; start one, or leave out "
                "--engine and use --jobs"
            ) from error
        yield stack.enter_context(client)
