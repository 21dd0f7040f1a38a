"""Answer only when sure: what it costs and gains to keep silent above a standard deviation."""

from dataclasses import replace

import numpy as np

from biosense.core.affect import Estimate
from biosense.models.evaluation.evaluate import predict
from biosense.models.evaluation.selective_prediction import abstains, risk_coverage
from biosense.models.sequences import LabelledSequence
from biosense.models.training.settings import TrainingSettings
from biosense.models.training.train import train
from biosense.testing.labelled_data import followed_labels


def with_outages(sequence: LabelledSequence, seed: int) -> LabelledSequence:
    """Return a sequence in which each sensor falls off for half of the time."""
    rng, quality = np.random.default_rng(seed), {}
    for modality, values in sequence.quality.items():
        start = rng.integers(0, sequence.n)
        off = (np.arange(sequence.n) - start) % sequence.n < sequence.n // 2
        quality[modality] = np.where(off, 0.0, values)
    return replace(sequence, quality=quality)


people = followed_labels(n_subjects=14, n_trials=3, n_steps=160).sequences
people = [with_outages(sequence, seed) for seed, sequence in enumerate(people)]
known = [sequence for sequence in people if sequence.subject <= "p10"]
strangers = [sequence for sequence in people if sequence.subject > "p10"]
settings = TrainingSettings(width=16, epochs=8, crop_s=(20.0, 39.0), learning_rate=1e-2)
trained = train("gated", known, settings=settings)

said = [predict(trained.model, sequence) for sequence in strangers]
errors = [(s.target - p.mean)[:, 0] for s, p in zip(strangers, said, strict=True)]
curve = risk_coverage(errors, [p.sd[:, 0] for p in said], [s.subject for s in strangers], points=5)
print("valence of people never seen")
for share, most, rmse in zip(curve.share, curve.most_sd, curve.rmse, strict=True):
    print(f"{share:4.0%} answered, where the sd is at most {most:.2f}: error {rmse:.2f}")

most_sd = float(curve.most_sd[2])
for k in (40, 80, 120):
    (v, a), (sd_v, sd_a) = said[0].mean[k], said[0].sd[k]
    estimate = Estimate(strangers[0].time[k], v, a, sd_v, sd_a, {"ecg": 1.0})
    interval = trained.card.intervals.of(estimate, 0.8)["valence"]
    answer = "no answer" if abstains(estimate, most_sd) else f"valence {v:+.2f}"
    print(f"{answer}; in 80 % of the time within {interval[0]:+.2f} .. {interval[1]:+.2f}")
