"""Skin conductance online against NeuroKit2 and cvxEDA: `python -m benchmarks.eda.bench
DATA_FOLDER`.

DATA_FOLDER holds neurokit_bio_*_100hz.csv and rcqoea_P*.npz. `biosense` is the live pipeline, in
chunks of a quarter of a second; NeuroKit2 and cvxEDA (asked where cvxopt is installed) see the
whole recording at once. Simulated responses have the canonical shape exp(-t/2) - exp(-t/0.7), 0.1
to 1 uS on a level that drifts by 0.6 uS, with white noise. An onset counts as found within 1 s.
The part on tonic levels runs alone, too: benchmarks/eda/tonic.py says how they are compared.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np

from benchmarks.eda.scene import SECONDS, count, response, scene, total
from benchmarks.eda.tonic import HAS_CVX, online, split_level, tonic, tonic_online
from biosense.core.types import Floats
from biosense.processing.eda.features import EdaFeatures
from biosense.processing.eda.scr import ScrDetector
from biosense.processing.offline.eda import Method

SEEDS = range(20)
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


def simulated() -> None:
    print(f"responses found, {len(SEEDS)} seeds of {SECONDS:g} s")
    print("              noise    rate | biosense F1  prec  recall  onset error  | NeuroKit2 F1")
    for name, low, high in SPACINGS:
        for noise in NOISES_US:
            for sfreq in RATES:
                scenes = [scene(seed, sfreq, (low, high), noise) for seed in SEEDS]
                ours = total(
                    [count(responses(s.times, s.eda, sfreq)[:, 0], s.onsets) for s in scenes]
                )
                other = total([count(neurokit_onsets(s.eda, sfreq), s.onsets) for s in scenes])
                print(
                    f"{name:12s} {1e3 * noise:3.0f} nS {sfreq:4.0f} Hz |   {ours.f1:5.3f}"
                    f"      {ours.hits / max(1, ours.found):4.2f}   {ours.hits / ours.true:4.2f}"
                    f"   {np.median(ours.errors):+5.2f} +- {np.std(ours.errors):4.2f} |"
                    f"   {other.f1:5.3f}"
                )


def amplitudes() -> None:
    print(
        "\namplitude of one response over the true one, 20 places between the samples: least, most"
    )
    for sfreq in RATES:
        cells = []
        for height in (0.1, 0.3, 1.0):
            times = np.arange(int(40 * sfreq)) / sfreq
            got = []
            for seed in SEEDS:
                onset = 10 + np.random.default_rng(seed).uniform(0, 1)
                rows = responses(times, 3 + height * response(times - onset), sfreq)
                got += (rows[:, 1] / height).tolist() or [np.nan]
            cells.append(f"{height:3.1f} uS {min(got):5.3f} {max(got):5.3f}")
        print(f"{sfreq:4.0f} Hz | " + " | ".join(cells))


def steps() -> None:
    heights = (0.1, 0.3, 1.0, 3.0, -0.5)
    print("\nresponses raised by steps of a slipping electrode, 0.1 to 3 uS up and 0.5 uS down")
    for sfreq in RATES:
        ours = other = 0
        for seed in SEEDS:
            for height in heights:
                rng = np.random.default_rng(seed)
                times = np.arange(int(60 * sfreq)) / sfreq
                eda = 4 + height * (times > 20 + rng.uniform(0, 1))
                eda += 0.002 * rng.standard_normal(len(times))
                ours += len(responses(times, eda, sfreq))
                near = neurokit_onsets(eda, sfreq) if seed < 4 else np.empty(0)
                other += int(((near > 18) & (near < 23)).sum())
        print(
            f"{sfreq:4.0f} Hz | biosense {ours:3d} by 100 steps | NeuroKit2 {other:3d} by 20 steps"
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
    """Print responses of 40 clips of 30 s per person, and how levels agree from clip to clip."""
    for path in sorted(folder.rglob("rcqoea_P*.npz")):
        found, levels = [], []
        with np.load(path) as file:
            for number in file["clip"]:
                eda, times = (file[f"V{number:02d}_{name}"] for name in ("sc_uS", "gsr_t"))
                eda, sfreq = eda.astype(np.float64), 128.0
                times = np.arange(len(eda)) / sfreq  # both see the same even samples
                rows = responses(times, eda, sfreq)
                found.append(count(rows[:, 0], neurokit_onsets(eda, sfreq)))
                method: Method = "cvxeda" if HAS_CVX else "smoothmedian"
                both = (tonic_online(times, eda, sfreq), split_level(eda, sfreq, method))
                levels.append([float(level.at(np.array([20.0]))[0]) for level in both])
        all_of = total(found)
        agree = np.corrcoef(np.array(levels).T)[0, 1]
        print(
            f"{path.stem}: biosense {all_of.found} responses, NeuroKit2 {all_of.true}, both"
            f" {all_of.hits}; level at 20 s over {len(levels)} clips, correlation {agree:.3f}"
        )


def cost() -> None:
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    real(arguments.folder)
    wearable(arguments.folder)
    print()
    tonic(arguments.folder)
    amplitudes()
    steps()
    cost()
    print()
    simulated()


if __name__ == "__main__":
    main()
