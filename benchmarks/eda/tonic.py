"""The tonic level of skin conductance, live, against offline splits (cvxEDA, NeuroKit2).

Usage: python -m benchmarks.eda.tonic DATA [--only resting] [--clips]

DATA holds, in any folder, neurokit_bio_*_100hz.csv and rcqoea_P*.npz. `biosense` is the live
pipeline, in chunks of a quarter of a second; the references see the whole recording at once. Levels
are compared by their correlation at the delay at which it is highest, from 25 s after the beginning
to 10 s before the end.

cvxEDA (asked where cvxopt is installed) describes the level by a spline with a knot every 10 s:
where the first one lies is chance, so it is asked five times, from 0, 2, 4, 6 and 8 s on. How well
these five agree among themselves (delay 0) says how far anything can agree with them. NeuroKit2's
high-pass and median leave the slow part of responses in the level.

The recordings at 100 Hz and the simulations were in sight when the settings were chosen, the
wearable ones were not: their clips of 30 s are joined by straight lines across the pauses, and
compared also within stretches of 150 s, where what drifts over minutes does not help. With --clips
the levels at 20 s of each clip are compared from clip to clip, too.
"""

from __future__ import annotations

import argparse
import importlib.util
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, tell
from benchmarks.parts.eda_online import online
from benchmarks.parts.eda_scene import scene
from biosense.core.types import Floats
from biosense.processing.eda.features import EDA_CHANNELS, EdaFeatures
from biosense.processing.offline.eda import Method, split_eda

HAS_CVX = importlib.util.find_spec("cvxopt") is not None
KNOTS_FROM_S = (0.0, 2.0, 4.0, 6.0, 8.0)
DELAYS_S = np.arange(0, 12.25, 0.25)
STEP_S = 0.25
PAUSE_S = 60.0  # a longer one parts a recording
JOINED_HZ = 32.0


@dataclass(frozen=True, eq=False)
class Level:
    """Hold a tonic level: session times and microsiemens, shape (n,)."""

    times: Floats
    values: Floats

    def at(self, times: Floats) -> Floats:
        return np.interp(times, self.times, self.values)


def tonic_online(times: Floats, eda: Floats, sfreq: float) -> Level:
    epochs, _ = online(EdaFeatures(), times, eda, sfreq)
    column = EDA_CHANNELS.index("scl_log")
    level = np.exp([epoch.data[column] for epoch in epochs])
    known = np.isfinite(level)
    return Level(np.array([epoch.stop for epoch in epochs])[known], level[known])


def split_level(eda: Floats, sfreq: float, method: Method, start: float = 0.0) -> Level:
    split = split_eda(eda[round(start * sfreq) :], sfreq, method=method)
    return Level(start + np.arange(len(split.tonic)) / split.sfreq, split.tonic)


def trailing(eda: Floats, sfreq: float, seconds: float = 60.0) -> Level:
    """Return cvxEDA's level as it would be known live: of the last minute, 5 s before its end."""
    stops = np.arange(round(20 * sfreq), len(eda), round(sfreq))
    begins = np.maximum(stops - round(seconds * sfreq), 0)
    levels = [
        split_eda(eda[begin:stop], sfreq).tonic[-(5 * 8)]
        for begin, stop in zip(begins, stops, strict=True)
    ]
    return Level(stops / sfreq, np.array(levels))


def agreement(
    level: Level, reference: Level, end: float, within: float | None = None
) -> tuple[float, float]:
    """Return the highest correlation, and the delay where it lies.

    With `within`, each stretch of so many seconds is freed of its mean first.
    """
    grid = _grid(end, within)
    one = _centred(level.at(grid), within)
    found = [
        float(np.corrcoef(one, _centred(reference.at(grid - delay), within))[0, 1])
        for delay in DELAYS_S
    ]
    best = int(np.argmax(found))
    return found[best], float(DELAYS_S[best])


def _grid(end: float, within: float | None) -> Floats:
    grid = np.arange(25.0, end - 10.0, STEP_S)
    if within is None:
        return grid
    stretch = round(within / STEP_S)
    return grid[: len(grid) // stretch * stretch]


def _centred(values: Floats, within: float | None) -> Floats:
    if within is None:
        return values
    parts = values.reshape(-1, round(within / STEP_S))
    return np.asarray((parts - parts.mean(axis=1, keepdims=True)).ravel())


def consistency(references: list[Level], end: float, within: float | None = None) -> str:
    """Return how well several answers of one method agree, mean and least of their pairs."""
    grid = _grid(end, within)
    rows = [_centred(reference.at(grid), within) for reference in references]
    pairs = [float(np.corrcoef(*pair)[0, 1]) for pair in combinations(rows, 2)]
    return f"{np.mean(pairs):5.3f} (least {min(pairs):5.3f})"


def report(name: str, eda: Floats, sfreq: float, within: float | None = None) -> list[Figure]:
    """Print how the live level agrees with every reference; return it for cvxEDA."""
    end = len(eda) / sfreq
    live = tonic_online(np.arange(len(eda)) / sfreq, eda, sfreq)
    print(f"{name}{'' if within is None else f', within {within:g} s'}")
    methods: tuple[Method, ...] = ("highpass", "smoothmedian")
    for method in methods:
        best, delay = agreement(live, split_level(eda, sfreq, method), end, within)
        print(f"  biosense and {method:12s} {best:5.3f} at {delay:5.2f} s")
    if not HAS_CVX:
        return [] if within else [figure(f"{name}, and NeuroKit2's median", best)]
    several = [split_level(eda, sfreq, "cvxeda", start) for start in KNOTS_FROM_S]
    found = np.array([agreement(live, one, end, within) for one in several])
    print(
        f"  biosense and cvxEDA       {found[0, 0]:5.3f} at {found[0, 1]:5.2f} s; knots moved:"
        f" mean {found[:, 0].mean():5.3f}, least {found[:, 0].min():5.3f}"
    )
    print(f"  cvxEDA and itself, knots moved: {consistency(several, end, within)}")
    if within is None and end < 200:
        best, delay = agreement(trailing(eda, sfreq), several[0], end)
        print(f"  cvxEDA of 60 s, live, and cvxEDA {best:5.3f} at {delay:5.2f} s")
        peer = (best, "cvxEDA over a trailing minute")
        return [figure(f"{name}, and cvxEDA's", found[0, 0], *peer)]
    return [] if within else [figure(f"{name}, and cvxEDA's", found[0, 0])]


def figure(name: str, agreement: float, *other: float | str) -> Figure:
    """Return how a live level agrees with the one of the whole recording."""
    return Figure(f"tonic level, {name}", agreement, "r", *other, more_is_better=True)


def joined(path: Path) -> Iterator[Floats]:
    """Give the clips of a person in the order of their recording, joined, at `JOINED_HZ`."""
    with np.load(path) as file:
        clips = file["clip"][np.argsort(file["order"])]
        parts = [(file[f"V{n:02d}_gsr_t"], file[f"V{n:02d}_sc_uS"]) for n in clips]
    times = np.concatenate([part[0] for part in parts])
    eda = np.concatenate([part[1] for part in parts]).astype(np.float64)
    breaks = [0, *(np.flatnonzero(np.diff(times) > PAUSE_S) + 1), len(times)]
    for begin, stop in pairwise(breaks):
        grid = np.arange(times[begin], times[stop - 1], 1 / JOINED_HZ)
        yield np.interp(grid, times[begin:stop], eda[begin:stop])


def recordings(folder: Path) -> Iterator[tuple[str, Floats, float, tuple[float | None, ...]]]:
    """Give name, microsiemens, rate, and the stretches within which levels are compared."""
    for name in ("eventrelated", "resting_8min"):
        path = next(folder.rglob(f"neurokit_bio_{name}_100hz.csv"))
        yield name, np.genfromtxt(path, delimiter=",", names=True)["EDA"], 100.0, (None,)
    for seed in range(3):
        yield f"simulated {seed}", scene(seed, 32.0, (3.0, 10.0), 0.002).eda, 32.0, (None,)
    for path in sorted(folder.rglob("rcqoea_P*.npz")):
        for number, eda in enumerate(joined(path), 1):
            yield f"{path.stem} part {number}", eda, JOINED_HZ, (None, 150.0)


def clips(path: Path) -> None:
    """Print how levels at 20 s agree from clip to clip of a person."""
    levels = []
    method: Method = "cvxeda" if HAS_CVX else "smoothmedian"
    with np.load(path) as file:
        for number in file["clip"]:
            eda, sfreq = file[f"V{number:02d}_sc_uS"].astype(np.float64), 128.0
            times = np.arange(len(eda)) / sfreq  # both see the same even samples
            both = (tonic_online(times, eda, sfreq), split_level(eda, sfreq, method))
            levels.append([float(level.at(np.array([20.0]))[0]) for level in both])
    agree = np.corrcoef(np.array(levels).T)[0, 1]
    print(f"{path.stem}: level at 20 s over {len(levels)} clips, correlation {agree:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="recordings whose name contains this")
    parser.add_argument("--clips", action="store_true")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    if not HAS_CVX:
        print("cvxEDA is left out: cvxopt is not installed")
    figures = []
    for name, eda, sfreq, stretches in recordings(asked.folder):
        for within in stretches if asked.only in name else ():
            figures += report(name, eda, sfreq, within)
    if asked.clips:
        for path in sorted(asked.folder.rglob("rcqoea_P*.npz")):
            clips(path)
    tell(*(each for each in figures if "rcqoea" not in each.name))


if __name__ == "__main__":
    main()
