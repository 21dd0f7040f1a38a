"""What a DEAP-sized person costs from raw samples to joined features, beside MNE and NeuroKit2.

Usage: python -m benchmarks.deap_cost [--repeats 3] [--theirs 1]

Synthetic data in the shape of a person of DEAP (Koelstra et al. 2012): 40 trials x 40 channels x
8064 samples at 128 Hz, as EEG with EOG (34 channels), two muscles, skin conductance, a belt, a
pulse wave and skin temperature. Ours: the processor of live runs, each trial pushed as one chunk of
each stream, with running normalisation and join: all features four times a second. Theirs: each
trial filtered and decomposed once, as a whole, then spectra, rates and variabilities over the same
trailing windows at the same moments. Costs are CPU seconds of this process (no library may use a
second thread), so that other work on the machine counts little; wall-clock times are printed too.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.deap_theirs import THEIRS
from biosense.core.types import Chunk, Floats, FusionInput, Modality, StreamInfo
from biosense.live.offline import process
from biosense.live.processor import Processor, ProcessorSettings
from biosense.models.sequences import LabelledSequence
from biosense.processing.eeg_layouts import layout
from biosense.processing.example_body import ppg_waves, scr_waves
from biosense.processing.example_slow import breath_waves, skin_waves
from biosense.processing.normalise import RunningNormalise
from biosense.processing.pipelines import feature_pipeline

TRIALS, SAMPLES, SFREQ = 40, 8064, 128.0
PAUSE_S = 5.0  # between two trials
WAIT_S = 1e6  # whole trials come one stream after the other: the join waits for all of them

INFOS = (
    StreamInfo("eeg", Modality.EEG, (*layout("deap"), "hEOG", "vEOG"), SFREQ, "uV"),
    StreamInfo("emg", Modality.EMG, ("zygomaticus", "trapezius"), SFREQ, "uV"),
    StreamInfo("eda", Modality.EDA, ("eda",), SFREQ, "uS"),
    StreamInfo("resp", Modality.RESP, ("belt",), SFREQ),
    StreamInfo("ppg", Modality.PPG, ("ppg",), SFREQ),
    StreamInfo("temp", Modality.TEMP, ("finger",), SFREQ, "degC"),
)


def one_trial(number: int) -> dict[Modality, Chunk]:
    """Draw the signals of a trial."""
    rng = np.random.default_rng(number)
    times = number * (SAMPLES / SFREQ + PAUSE_S) + np.arange(SAMPLES) / SFREQ
    noise = np.cumsum(rng.standard_normal((SAMPLES, 34)), axis=0)
    brain = noise - np.repeat(noise[::64].mean(axis=1), 64)[:, None]
    brain = 3.0 * np.diff(brain, axis=0, prepend=0) + 0.2 * (brain - brain.mean(axis=0))
    brain += 8.0 * np.sin(2 * np.pi * 10 * times)[:, None] * rng.uniform(0.2, 1, 34)
    blinks = 150 * np.exp(-(((times % 4.0 - 2.0) / 0.1) ** 2))
    brain[:, [0, 16, 33]] += blinks[:, None] * [1.0, 1.0, 3.0]
    force = np.where(times % 4.0 < 1.0, 40.0, 4.0)[:, None]
    waves: dict[Modality, Floats] = {
        Modality.EEG: brain,
        Modality.EMG: force * rng.standard_normal((SAMPLES, 2)),
        Modality.EDA: 1e6 * scr_waves(times),
        Modality.RESP: breath_waves(times),
        Modality.PPG: ppg_waves(times),
        Modality.TEMP: skin_waves(times),
    }
    return {kind: Chunk.of(info_of(kind), times, wave) for kind, wave in waves.items()}


def info_of(kind: Modality) -> StreamInfo:
    """Return the stream of a modality."""
    return next(info for info in INFOS if info.modality is kind)


def joined(trials: Sequence[dict[Modality, Chunk]]) -> list[FusionInput]:
    """Return the features of all streams at every point of the grid, as a study computes them."""
    items = [chunk for trial in trials for chunk in trial.values()]
    outcomes = process(items, INFOS, Processor(ProcessorSettings(patience=WAIT_S)))
    return [outcome for outcome in outcomes if isinstance(outcome, FusionInput)]


def sequence(trials: Sequence[dict[Modality, Chunk]]) -> LabelledSequence:
    """Return the joined features as a model takes them: what a worker hands back."""
    points = joined(trials)
    return LabelledSequence.from_inputs("one", points, np.zeros((len(points), 2)))


def alone(kind: Modality, trials: Sequence[dict[Modality, Chunk]]) -> int:
    """Compute the normalised features of one modality; return how many points there are."""
    info, count = info_of(kind), 0
    pipeline, normalise = feature_pipeline(info), RunningNormalise()
    normalise.start(pipeline.start(info))
    for trial in trials:
        count += len(normalise.push_all(pipeline.push(trial[kind])))
    return count


def cpu(what: Callable[[], object], repeats: int) -> float:
    """Return the median CPU seconds of several runs."""
    costs = []
    for _ in range(repeats):
        began = time.process_time()
        what()
        costs.append(time.process_time() - began)
    return statistics.median(costs)


def wall(what: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Return the median and the least wall-clock seconds of several runs."""
    costs = []
    for _ in range(repeats):
        began = time.perf_counter()
        what()
        costs.append(time.perf_counter() - began)
    return statistics.median(costs), min(costs)


def compare(trials: Sequence[dict[Modality, Chunk]], repeats: int, few: int) -> None:
    """Print what each modality costs us and them; theirs is measured on a few trials."""
    print(f"{'CPU seconds for 40 trials':28}{'ours':>8}{'MNE / NeuroKit2':>18}{'ratio':>8}")
    sums = [0.0, 0.0]
    for info in INFOS:
        kind = info.modality
        assert kind is not None
        ours = cpu(lambda kind=kind: alone(kind, trials), repeats)
        shown = [trial[kind].data for trial in trials[:few]]
        spent = cpu(lambda kind=kind, shown=shown: [THEIRS[kind](data) for data in shown], 1)
        theirs = spent * len(trials) / few
        sums = [sums[0] + ours, sums[1] + theirs]
        print(f"{info.name:28}{ours:8.2f}{theirs:18.1f}{theirs / ours:8.0f}", flush=True)
    print(f"{'sum':28}{sums[0]:8.2f}{sums[1]:18.1f}{sums[1] / sums[0]:8.0f}")


def totals(trials: Sequence[dict[Modality, Chunk]], repeats: int) -> None:
    """Print the cost of everything with the join, with one worker and with two."""
    points = len(joined(trials))
    spent = cpu(lambda: joined(trials), repeats)
    median, least = wall(lambda: joined(trials), repeats)
    print(f"\nall with the join, {points} points, 1 worker: {spent:.2f} CPU s, ", end="")
    print(f"wall {median:.2f} s (least {least:.2f})")
    halves = [trials[: len(trials) // 2], trials[len(trials) // 2 :]]
    with ProcessPoolExecutor(2, initializer=threadpool_limits, initargs=(1,)) as pool:
        list(pool.map(sequence, [half[:1] for half in halves]))  # imports are no part of it
        median, least = wall(lambda: list(pool.map(sequence, halves)), repeats)
    print(f"2 workers, half of the trials each: wall {median:.2f} s (least {least:.2f})")


def main() -> None:
    """Run both parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--theirs", type=int, default=1, help="trials measured of the others")
    options = parser.parse_args()
    trials = [one_trial(number) for number in range(TRIALS)]
    print(f"load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with threadpool_limits(1):
        compare(trials, options.repeats, options.theirs)
        totals(trials, options.repeats)


if __name__ == "__main__":
    main()
