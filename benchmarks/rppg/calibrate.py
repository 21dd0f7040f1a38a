"""How well the confidence of the camera pulse is calibrated, and the weights that make it so.

Usage: python -m benchmarks.rppg.calibrate [--seeds 2] [--only CONDITION]

Logistic regression of "the rate is within 2 bpm" on what the gate knows of a window, fitted on
seeds kept apart from those of `benchmarks.rppg.rates`; then, on the seeds of that script, how often
rates of each confidence are right (reliability), and what is left of the error when only the surest
are used (risk and coverage).
"""

from __future__ import annotations

import argparse
from itertools import pairwise

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from benchmarks.figures import Figure, tell
from benchmarks.parts.rppg_conditions import CASES
from benchmarks.parts.rppg_scene import Scene, make
from benchmarks.parts.rppg_scoring import FIRST_S, WINDOW_S
from biosense.core.types import Floats
from biosense.processing.pipelines import feature_pipeline
from biosense.processing.rppg.features import RppgFeatures, confidence_terms

APART, BENCH = 9000, 1000  # first seeds
RIGHT_BPM = 2.0
_SCALES = np.array([1.0, 0.1, 1.0, 0.25])  # brings the terms to sizes about 1
_PRIOR = 1e-4  # of the squared weights: keeps a perfect split finite


def told(scene: Scene, seed: int) -> Floats:
    """Return a row for each rate told (once a second): terms, confidence, absolute error."""
    frames, heart = make(scene, seed)
    pipeline = feature_pipeline(frames.info)
    pipeline.start(frames.info)
    stage = pipeline.stages[-1]
    assert isinstance(stage, RppgFeatures)
    rows = []
    for start in range(0, frames.n, 3):  # no more than one epoch at a time
        for epoch in pipeline.push(frames.slice(start, start + 3)):
            if epoch.index % 4 or epoch.stop < FIRST_S or epoch.quality == 0:
                continue
            truth = heart.mean_rate(epoch.stop - WINDOW_S, epoch.stop)
            error = abs(epoch.data[0] - truth) if scene.is_pulse else np.inf
            rows.append([*confidence_terms(stage.verdict), epoch.quality, error])
    return np.array(rows).reshape(-1, 6)


def collect(first: int, seeds: int, cases: list[Scene]) -> Floats:
    """Return the rows of many scenes."""
    return np.concatenate([told(scene, first + n) for scene in cases for n in range(seeds)])


def fit(terms: Floats, right: Floats) -> Floats:
    """Return the weights of a logistic regression: maximum likelihood with a weak prior."""
    scaled = terms * _SCALES

    def loss(weights: Floats) -> tuple[float, Floats]:
        logit = scaled @ weights
        value = (
            np.mean(np.logaddexp(0.0, logit) - right * logit) + _PRIOR * weights[1:] @ weights[1:]
        )
        slope = scaled.T @ (expit(logit) - right) / len(right)
        return float(value), slope + 2 * _PRIOR * weights * [0, 1, 1, 1]

    found = minimize(loss, np.zeros(len(_SCALES)), jac=True, method="L-BFGS-B")
    return np.asarray(found.x * _SCALES)


def print_reliability(rows: Floats) -> float:
    """Print how often rates are right by their confidence; return the calibration error."""
    confidence, error = rows[:, 4], rows[:, 5]
    right = error <= RIGHT_BPM
    print(f"\n{'confidence':>12} {'mean':>6} {'right':>6} {'windows':>8}")
    edges = [0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 1.01]
    gap = 0.0
    for low, high in pairwise(edges):
        inside = (confidence >= low) & (confidence < high)
        if inside.any():
            gap += inside.sum() * abs(confidence[inside].mean() - right[inside].mean())
            print(
                f"{low:5.2f} - {min(high, 1):4.2f} {confidence[inside].mean():6.3f} "
                f"{right[inside].mean():6.3f} {inside.sum():8}"
            )
    brier = np.mean((confidence - right) ** 2)
    print(f"expected calibration error {gap / len(rows):.3f}, Brier {brier:.4f}")
    return float(gap / len(rows))


def print_coverage(rows: Floats) -> None:
    """Print the error when only the surest rates are used."""
    confidence, error = rows[:, 4], rows[:, 5]
    right = error <= RIGHT_BPM
    print(f"\n{'surest':>7} {'wrong':>6} {'MAE of pulses':>14}")
    order = np.argsort(-confidence, kind="stable")
    for share in (0.25, 0.5, 0.75, 0.9, 1.0):
        kept = order[: int(share * len(order))]
        finite = error[kept][np.isfinite(error[kept])]
        print(f"{share:7.0%} {1 - right[kept].mean():6.3f} {finite.mean():14.2f}")


def main() -> None:
    """Fit on the seeds kept apart, print the weights, and test on those of the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", default="", help="conditions whose name or group has this")
    args = parser.parse_args()
    cases = [each for each in CASES if args.only in each.name or args.only == each.group]
    apart = collect(APART, args.seeds, cases)
    right = (apart[:, 5] <= RIGHT_BPM).astype(float)
    weights = fit(apart[:, :4], right)
    print(f"{len(apart)} rates told on seeds apart, {1 - right.mean():.2%} of them wrong")
    print("weights (1, SNR dB, likeness, agreeing):", np.round(weights, 2).tolist())
    rows = collect(BENCH, args.seeds, cases)
    gap = print_reliability(rows)
    print_coverage(rows)
    tell(Figure("confidence of the camera pulse, expected calibration error", gap))


if __name__ == "__main__":
    main()
