"""Deep CCA of two views beside linear CCA and concatenation, on a signal that is known.

Usage: python -m benchmarks.models.dcca_toy [--seeds 3]

Two views (32 features each) see the same signal, each bent in its own way (times a random sign,
around a ring) and mixed with 30 directions of private noise, each larger than the signal. Nobody
says what the signal is; 40 rows are labelled afterwards.

Part 1: correlation between what was found in both views, on rows that were not fitted, beside the
same number with the pairing shuffled. Part 2: how well a ridge on what was found recovers the
signal on new rows from 40 labels (R^2): found by deep CCA, by linear CCA, by PCA and kernel PCA of
the concatenated views, and the concatenated views themselves; "labels x 100" shows what more labels
give.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.decomposition import PCA, KernelPCA
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import StandardScaler

from benchmarks.figures import Figure, tell
from biosense.core.types import Floats
from biosense.models.cca_transformer import DeepCcaTransformer

FEATURES, FIT, FRESH, LABELS, FOUND = 32, 6000, 3000, 40, 2
ALPHAS = np.logspace(-3, 4, 15)


@dataclass(frozen=True)
class Rows:
    """Hold a signal (n,) and the two views of it (n, FEATURES)."""

    signal: Floats
    views: list[Floats]

    @property
    def stacked(self) -> Floats:
        return np.concatenate(self.views, 1)


def draw(n: int, seed: int) -> Rows:
    """Draw rows; the mixing of the features is the same for all seeds."""
    world, rng = np.random.default_rng(99), np.random.default_rng(seed)
    signal = rng.uniform(-1, 1, n)
    sign, angle = rng.choice((-1.0, 1.0), n), np.pi * (signal + 1) / 2
    bent = [
        np.stack((sign * (signal + 1.2), sign), 1) * [1.5, 0.8],
        np.stack((np.cos(2 * angle), np.sin(2 * angle)), 1) * 1.5,
    ]
    views = []
    for part in bent:
        noise = 2 * rng.standard_normal((n, FEATURES - 2))
        clear = part + 0.1 * rng.standard_normal(part.shape)
        mix = np.linalg.qr(world.standard_normal((FEATURES, FEATURES)))[0]
        views.append(np.concatenate((clear, noise), 1) @ mix)
    return Rows(signal, views)


def correlations(found: DeepCcaTransformer, rows: Rows) -> tuple[float, float]:
    """Return the first held-out correlation, and the same with the pairing shuffled."""
    shuffled = [rows.views[0], np.roll(rows.views[1], len(rows.signal) // 2, axis=0)]
    first = [found.correlations(v)[0] for v in (rows.views, shuffled)]
    return abs(float(first[0])), abs(float(first[1]))


def recovered(few: Floats, fresh: Floats, labelled: Rows, rows: Rows) -> float:
    """Return R^2 on fresh rows of a ridge on few labelled ones."""
    scale = StandardScaler().fit(few)
    fitted = RidgeCV(ALPHAS).fit(scale.transform(few), labelled.signal)
    return float(fitted.score(scale.transform(fresh), rows.signal))


def one_seed(seed: int) -> dict[str, float]:
    """Return every number of one seed by name."""
    fit, labelled, fresh = draw(FIT, seed), draw(LABELS, seed + 1000), draw(FRESH, seed + 2000)
    many = draw(100 * LABELS, seed + 3000)
    pca = PCA(2 * FOUND).fit(fit.stacked)
    kernel = KernelPCA(2 * FOUND, kernel="rbf", random_state=0).fit(fit.stacked[:1500])
    results = {}
    for name, linear in (("deep CCA", False), ("linear CCA", True)):
        found = DeepCcaTransformer(FOUND, linear=linear, random_state=seed).fit(fit.views)
        real, chance = correlations(found, fresh)
        results |= {f"{name}: correlation": real, f"{name}: shuffled": chance}
        results[f"{name}: R^2"] = recovered(
            found.transform(labelled.views), found.transform(fresh.views), labelled, fresh
        )
    for name, way in (("PCA", pca), ("kernel PCA", kernel)):
        results[f"{name} of the concatenation: R^2"] = recovered(
            way.transform(labelled.stacked), way.transform(fresh.stacked), labelled, fresh
        )
    trees = HistGradientBoostingRegressor(min_samples_leaf=4, random_state=0)
    trees.fit(labelled.stacked, labelled.signal)
    results["concatenation, boosted trees: R^2"] = trees.score(fresh.stacked, fresh.signal)
    results["concatenation: R^2"] = recovered(labelled.stacked, fresh.stacked, labelled, fresh)
    results["concatenation, labels x 100: R^2"] = recovered(
        many.stacked, fresh.stacked, many, fresh
    )
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    torch.set_num_threads(1)
    every = [one_seed(seed) for seed in range(parser.parse_args().seeds)]
    means = {}
    for name in every[0]:
        values = [one[name] for one in every]
        means[name] = float(np.mean(values))
        print(f"{name:40s}{means[name]:8.3f}   ({', '.join(f'{v:.3f}' for v in values)})")
    deep, linear = "deep CCA: ", "linear CCA: "
    both = [
        (what, unit, means[deep + key], means[linear + key])
        for what, unit, key in (
            ("correlation of new rows", "r", "correlation"),
            ("signal from 40 labels", "R2", "R^2"),
        )
    ]
    tell(
        *(
            Figure(f"deep CCA, {what}", ours, unit, other, "linear CCA", more_is_better=True)
            for what, unit, ours, other in both
        )
    )


if __name__ == "__main__":
    main()
