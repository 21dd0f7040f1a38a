"""Find what two sensors have in common without ratings: from it, a few ratings go a long way."""

import numpy as np
from sklearn.linear_model import Ridge

from biosense.models.cca_transformer import DeepCcaTransformer

MIXING = np.random.default_rng(7).standard_normal((2, 12, 12))


def record(steps: int, seed: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return what a person feels, and two sensors that mix it with louder things of their own."""
    rng = np.random.default_rng(seed)
    felt, sensors = rng.standard_normal((steps, 1)), []
    for mixing in MIXING:
        heard = felt + 0.3 * rng.standard_normal((steps, 1))
        own = 3 * rng.standard_normal((steps, len(mixing) - 1))
        sensors.append(np.hstack((heard, own)) @ mixing)
    return felt[:, 0], sensors


_, unrated = record(3000, seed=0)
ratings, rated = record(20, seed=1)
truth, new = record(1000, seed=2)

found = DeepCcaTransformer(n_components=1, linear=True).fit(unrated)
print(f"correlation of what the sensors share, on new recordings: {found.score(new):.2f}")
shared = Ridge().fit(found.transform(rated), ratings).score(found.transform(new), truth)
plain = Ridge().fit(np.hstack(rated), ratings).score(np.hstack(new), truth)
print(f"20 ratings explain of what is felt: {shared:.0%} from that, {plain:.0%} from all features")
