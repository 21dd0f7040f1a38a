"""Features of simulated participants, for training and for tests of models."""

from __future__ import annotations

from collections.abc import Iterable

from joblib import Parallel, delayed

from biosense.acquisition.simulated import ALL_MODALITIES, simulate
from biosense.estimation.processor import ProcessorSettings
from biosense.estimation.run_processor import extract
from biosense.models.sequences import LabelledSequence


def simulate_people(
    seeds: Iterable[int], seconds: float, *, jobs: int = 1
) -> list[LabelledSequence]:
    """Simulate participants and compute their features.

    Parameters
    ----------
    seeds
        One participant each.
    seconds
        Length of each recording.
    jobs
        Processes; -1 for all cores.
    """
    work = (delayed(_features)(seed, seconds) for seed in seeds)
    return list(Parallel(n_jobs=jobs)(work))


def _features(seed: int, seconds: float) -> LabelledSequence:
    recording = simulate(seed, seconds, modalities=ALL_MODALITIES)
    return extract(recording, ProcessorSettings())
