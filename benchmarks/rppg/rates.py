"""Heart rates from skin colour in synthetic scenes with known truth, beside POS, CHROM and green.

Usage: python -m benchmarks.rppg.rates [--seeds 4] [--all] [--only CONDITION]

Every scene goes through the live pipeline (resampling by frame times, POS, gate). Beside it, on the
same frames, what a program says that always tells a rate: the highest peak of POS, CHROM and green
over the same 10 s, without a gate. Nothing here is an accuracy on real video.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from benchmarks.figures import Figure, tell
from benchmarks.parts.rppg_conditions import CASES, CLEAN, QUICK
from benchmarks.parts.rppg_scene import Scene, make
from benchmarks.parts.rppg_scoring import HEADER, Row, batch_wave, print_row, score
from biosense.processing.pipelines import feature_pipeline
from biosense.processing.rppg.methods import Pos


def cost() -> Figure:
    """Print and return the cost of a frame pushed alone."""
    frames, _ = make(CLEAN, 1)
    pipeline = feature_pipeline(frames.info)
    pipeline.start(frames.info)
    spent = []
    for n in range(frames.n):
        began = time.process_time()
        pipeline.push(frames.slice(n, n + 1))
        spent.append(1e3 * (time.process_time() - began))
    mean, worst = np.mean(spent), np.quantile(spent, 0.99)
    print(f"\nresampling, POS, gate: {mean:.3f} ms a frame in the mean, 99 % {worst:.2f} ms")
    return Figure("camera pulse, a frame", float(mean), "ms", timed=True)


def print_streaming() -> None:
    """Print how far streaming is from the formula."""
    frames, _ = make(CLEAN, 1)
    stage = Pos()
    stage.start(frames.info)
    parts = [c.data[:, 0] for n in range(frames.n) for c in stage.push(frames.slice(n, n + 1))]
    streamed = np.concatenate([*parts, *(c.data[:, 0] for c in stage.flush())])
    skin = np.tensordot([2600, 1900, 1800], frames.data[:, :12].reshape(-1, 3, 4), (0, 1)) / 6300
    apart = np.abs(streamed - batch_wave(skin[:, :3], "POS")).max()
    print(f"POS frame by frame against the formula on the whole: {apart:.1e} apart at most")


def figures(rows: dict[Scene, Row]) -> list[Figure]:
    """Return the errors where there is a pulse, and what is told where there is none."""
    pulses = [row for scene, row in rows.items() if scene.is_pulse]
    photos = [row for scene, row in rows.items() if not scene.is_pulse]
    told = []
    if pulses:
        ours, pos, share = np.nanmean([(r.error, r.pos, r.told) for r in pulses], axis=0).tolist()
        name = "camera pulse, mean error over conditions"
        told.append(Figure(name, ours, "bpm", pos, "POS, always told"))
        told.append(Figure("camera pulse, windows told", 100 * share, "%", more_is_better=True))
    if photos:
        most = 100 * max(row.told for row in photos)
        told.append(Figure("camera pulse told where there is none, worst condition", most, "%"))
    return told


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--all", action="store_true", help="every condition (default with 20)")
    parser.add_argument("--only", default="", help="conditions whose name or group has this")
    args = parser.parse_args()
    began = time.perf_counter()
    cases = CASES if args.all or args.seeds >= 20 else QUICK
    print(HEADER, flush=True)
    rows = {}
    for scene in cases:
        if args.only in scene.name or args.only == scene.group:
            outcomes = [score(scene, 1000 + seed) for seed in range(args.seeds)]
            rows[scene] = print_row(scene.name, outcomes, scene.is_pulse)
    tell(*figures(rows), cost())
    print_streaming()
    print(f"{time.perf_counter() - began:.0f} s, of which computing {time.process_time():.0f} s")


if __name__ == "__main__":
    main()
