"""Skin conductance responses found online beside NeuroKit2, which sees the whole recording.

Usage: python -m benchmarks.eda.responses [DATA] [--seeds 20] [--rates 4 8 32 128]

DATA holds, in any folder, neurokit_bio_*_100hz.csv and rcqoea_P*.npz; without it real recordings
are left out. `biosense` is the live pipeline, in chunks of a quarter of a second. Simulated
responses have the canonical shape exp(-t/2) - exp(-t/0.7), 0.1 to 1 uS on a level that drifts by
0.6 uS, with white noise. An onset counts as found within 1 s.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, tell
from benchmarks.parts.eda_online import online
from benchmarks.parts.eda_scene import SECONDS, Scene, count, response, scene, total
from biosense.core.types import Floats
from biosense.processing.eda.features import EdaFeatures
from biosense.processing.eda.scr import ScrDetector

RATES = (4.0, 8.0, 32.0, 128.0)
SPACINGS = (("isolated", 8.0, 15.0), ("overlapping", 3.0, 8.0), ("dense", 1.5, 6.0))
NOISES_US = (0.002, 0.005, 0.01)


def responses(times: Floats, eda: Floats, sfreq: float) -> Floats:
    """Return rows of onset, amplitude (uS), rise time, half recovery, time of confirmation."""
    chunks, _ = online(ScrDetector(), times, eda, sfreq)
    rows = [np.column_stack([chunk.times, chunk.data]) for chunk in chunks]
    return np.concatenate([np.empty((0, 5)), *rows]) * [1, 1e6, 1, 1, 1]


def neurokit_onsets(eda: Floats, sfreq: float) -> Floats:
    import neurokit2

    try:
        _, found = neurokit2.eda_process(eda, sampling_rate=round(sfreq))
    except (ValueError, IndexError, ZeroDivisionError):  # it finds no peak, or the rate is too low
        return np.empty(0)
    onsets = np.asarray(found["SCR_Onsets"], np.float64)
    return onsets[np.isfinite(onsets)] / sfreq


def simulated(seeds: int, rates: list[float]) -> list[Figure]:
    """Print F1 for every spacing, noise and rate; return the mean of each spacing."""
    print(f"\nresponses found, {seeds} seeds of {SECONDS:g} s")
    print("              noise    rate | biosense F1  prec  recall  onset error  | NeuroKit2 F1")
    figures = []
    for name, *gaps in SPACINGS:
        every = [
            scored(name, [scene(seed, sfreq, tuple(gaps), noise) for seed in range(seeds)], sfreq)
            for noise in NOISES_US
            for sfreq in rates
        ]
        ours, other = np.mean(every, axis=0).tolist()
        title = f"skin conductance responses, {name}"
        figures.append(Figure(title, ours, "F1", other, "NeuroKit2", more_is_better=True))
    return figures


def scored(name: str, scenes: list[Scene], sfreq: float) -> tuple[float, float]:
    """Print a row; return our F1 and NeuroKit2's."""
    ours = total([count(responses(s.times, s.eda, sfreq)[:, 0], s.onsets) for s in scenes])
    other = total([count(neurokit_onsets(s.eda, sfreq), s.onsets) for s in scenes])
    print(
        f"{name:12s} {1e3 * scenes[0].noise:3.0f} nS {sfreq:4.0f} Hz |   {ours.f1:5.3f}"
        f"      {ours.hits / max(1, ours.found):4.2f}   {ours.hits / ours.true:4.2f}"
        f"   {np.median(ours.errors):+5.2f} +- {np.std(ours.errors):4.2f} |"
        f"   {other.f1:5.3f}"
    )
    return ours.f1, other.f1


def amplitudes(seeds: int, rates: list[float]) -> None:
    print(
        f"\namplitude of one response over the true one, {seeds} places between the samples: "
        "least, most"
    )
    for sfreq in rates:
        cells = []
        for height in (0.1, 0.3, 1.0):
            times = np.arange(int(40 * sfreq)) / sfreq
            got = []
            for seed in range(seeds):
                onset = 10 + np.random.default_rng(seed).uniform(0, 1)
                rows = responses(times, 3 + height * response(times - onset), sfreq)
                got += (rows[:, 1] / height).tolist() or [np.nan]
            cells.append(f"{height:3.1f} uS {min(got):5.3f} {max(got):5.3f}")
        print(f"{sfreq:4.0f} Hz | " + " | ".join(cells))


def steps(seeds: int, rates: list[float]) -> None:
    heights = (0.1, 0.3, 1.0, 3.0, -0.5)
    print("\nresponses raised by steps of a slipping electrode, 0.1 to 3 uS up and 0.5 uS down")
    for sfreq in rates:
        ours = other = 0
        for seed in range(seeds):
            for height in heights:
                rng = np.random.default_rng(seed)
                times = np.arange(int(60 * sfreq)) / sfreq
                eda = 4 + height * (times > 20 + rng.uniform(0, 1))
                eda += 0.002 * rng.standard_normal(len(times))
                ours += len(responses(times, eda, sfreq))
                near = neurokit_onsets(eda, sfreq) if seed < 4 else np.empty(0)
                other += int(((near > 18) & (near < 23)).sum())
        print(
            f"{sfreq:4.0f} Hz | biosense {ours:3d} by {5 * seeds} steps | "
            f"NeuroKit2 {other:3d} by {5 * min(seeds, 4)} steps"
        )


def real(folder: Path) -> None:
    print("\nreal recordings: responses of 0.05 uS and more, and how many of them agree within 1 s")
    for name in ("eventrelated", "resting_8min"):
        path = next(folder.rglob(f"neurokit_bio_{name}_100hz.csv"))
        eda = np.genfromtxt(path, delimiter=",", names=True)["EDA"]
        times = np.arange(len(eda)) / 100.0
        rows = responses(times, eda, 100.0)
        large = rows[rows[:, 1] > 0.05, 0]
        other = neurokit_onsets(eda, 100.0)
        both = count(large, other)
        print(f"{name}: biosense {len(large)}, NeuroKit2 {len(other)}, both {both.hits}")


def wearable(folder: Path) -> None:
    """Print responses of 40 clips of 30 s per person."""
    for path in sorted(folder.rglob("rcqoea_P*.npz")):
        found = []
        with np.load(path) as file:
            for number in file["clip"]:
                eda, sfreq = file[f"V{number:02d}_sc_uS"].astype(np.float64), 128.0
                times = np.arange(len(eda)) / sfreq  # both see the same even samples
                rows = responses(times, eda, sfreq)
                found.append(count(rows[:, 0], neurokit_onsets(eda, sfreq)))
        all_of = total(found)
        print(
            f"{path.stem}: biosense {all_of.found} responses, NeuroKit2 {all_of.true}, both"
            f" {all_of.hits}"
        )


def cost() -> Figure:
    """Print and return what a second of EDA costs."""
    import neurokit2

    one = scene(0, 128.0, (3.0, 8.0), 0.002)
    _, seconds = online(EdaFeatures(), one.times, one.eda, 128.0)
    began = time.process_time()
    neurokit2.eda_process(one.eda, sampling_rate=128)
    other = time.process_time() - began
    print(
        f"\ncost at 128 Hz: biosense {1e3 * seconds / SECONDS:.2f} ms of one core per second of EDA"
        f" (live, pipeline and features); NeuroKit2 {1e3 * other / SECONDS:.2f} ms (offline)"
    )
    ms, theirs = 1e3 * seconds / SECONDS, 1e3 * other / SECONDS
    return Figure("a second of EDA at 128 Hz", ms, "ms", theirs, "NeuroKit2, offline", timed=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--rates", type=float, nargs="+", default=list(RATES), help="Hz")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    if asked.folder:
        real(asked.folder)
        wearable(asked.folder)
    amplitudes(asked.seeds, asked.rates)
    steps(asked.seeds, asked.rates)
    spent = cost()
    tell(*simulated(asked.seeds, asked.rates), spent)


if __name__ == "__main__":
    main()
