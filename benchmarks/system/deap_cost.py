"""What a DEAP-sized person costs from samples to joined features, beside MNE and NeuroKit2.

Usage: python -m benchmarks.system.deap_cost [--repeats 3] [--theirs 1] [--trials 40]

Synthetic data in the shape of a person of DEAP (Koelstra et al. 2012): 40 trials x 40 channels x
8064 samples at 128 Hz, as EEG with EOG (34 channels), two muscles, skin conductance, a belt, a
pulse wave and skin temperature. Ours: what a study does with a person, from the samples in memory
to one labelled sequence per trial (`extract_trials`): all features four times a second, normalised
as they come, joined. Theirs: each trial filtered and decomposed once, as a whole, then spectra,
rates and variabilities over the same trailing windows at the same moments. Costs are CPU seconds of
this process (no library may use a second thread), so that other work on the machine counts little;
wall-clock times are printed too.
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

from benchmarks.figures import Figure, tell
from benchmarks.parts.deap_by_others import THEIRS
from biosense.core.recording import Rating, Recording, Trial
from biosense.core.types import Chunk, Floats, Modality, StreamInfo
from biosense.processing.eeg.layouts import layout
from biosense.processing.normalise import RunningNormalise
from biosense.processing.pipelines import feature_pipeline
from biosense.studies.features.extract import ExtractSettings, extract_trials
from biosense.testing.body import breath_waves, ppg_waves, scr_waves, skin_waves

TRIALS, SAMPLES, SFREQ = 40, 8064, 128.0
PAUSE_S = 5.0  # between two trials
_WHOLE = ("times", "data")

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


def person(trials: Sequence[dict[Modality, Chunk]]) -> Recording:
    """Return the trials as one recording, as the reader of a data set does."""
    streams = []
    for info in INFOS:
        assert info.modality is not None
        parts = [trial[info.modality] for trial in trials]
        times, data = (np.concatenate([getattr(p, what) for p in parts]) for what in _WHOLE)
        streams.append(Chunk.of(info, times, data))
    shown = [
        Trial(float(eeg.times[0]), float(eeg.times[-1]), f"film {n}", rating=Rating(0.0, 0.0, 0.0))
        for n, eeg in enumerate(trial[Modality.EEG] for trial in trials)
    ]
    return Recording(tuple(streams), subject="one", trials=tuple(shown))


def extracted(recording: Recording) -> int:
    """Compute the features of a person as a study does; return how many points there are."""
    return sum(s.n for s in extract_trials(recording, ExtractSettings()).sequences)


def two_at_once(people: int, trials: int) -> float:
    """Return the wall-clock seconds per person of two processes, each with people of its own."""
    with ProcessPoolExecutor(2, initializer=_prepare, initargs=(trials,)) as pool:
        list(pool.map(_extract_own, range(2)))  # imports and the drawing are no part of it
        began = time.perf_counter()
        list(pool.map(_extract_own, range(people)))
        return (time.perf_counter() - began) / people


_own: list[Recording] = []


def _prepare(trials: int) -> None:
    threadpool_limits(1)
    _own.append(person([one_trial(number) for number in range(trials)]))


def _extract_own(_: int) -> int:
    return extracted(_own[0])


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


def compare(trials: Sequence[dict[Modality, Chunk]], repeats: int, few: int) -> Figure:
    """Print what each modality costs us and them; theirs is measured on a few trials."""
    title = f"CPU seconds for {len(trials)} trials"
    print(f"{title:28}{'ours':>8}{'MNE / NeuroKit2':>18}{'ratio':>8}")
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
    name = f"features of a person, {len(trials)} trials of DEAP's shape, by modality"
    return Figure(name, sums[0], "CPU s", sums[1], "MNE and NeuroKit2", timed=True)


def totals(recording: Recording, repeats: int) -> Figure:
    """Print the cost of everything, of one person alone and of two at once."""
    points = extracted(recording)
    spent = cpu(lambda: extracted(recording), repeats)
    median, least = wall(lambda: extracted(recording), repeats)
    print(f"\nas a study does it, {points} points: {spent:.2f} CPU s a person, ", end="")
    print(f"wall {median:.2f} s (least {least:.2f})")
    trials = len(recording.trials)
    both = [two_at_once(4, trials) for _ in range(repeats)]
    print(f"two people at once: wall {statistics.median(both):.2f} s a person", end=" ")
    print(f"(least {min(both):.2f})")
    name = f"a person of {trials} trials, two at once on two cores"
    return Figure(name, statistics.median(both), "s", timed=True)


def main() -> None:
    """Run both parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--theirs", type=int, default=1, help="trials measured of the others")
    parser.add_argument("--trials", type=int, default=TRIALS)
    options = parser.parse_args()
    trials = [one_trial(number) for number in range(options.trials)]
    print(f"load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with threadpool_limits(1):
        by_modality = compare(trials, options.repeats, options.theirs)
        tell(by_modality, totals(person(trials), options.repeats))


if __name__ == "__main__":
    main()
