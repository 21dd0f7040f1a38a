"""Let somebody else's model teach a small one of yours, on recordings that nobody rated."""

from dataclasses import replace

import numpy as np

from biosense.models.evaluation.evaluate import evaluate, subject_ccc
from biosense.models.sequences import LabelledSequence
from biosense.models.training.distillation import distil
from biosense.models.training.settings import TrainingSettings
from biosense.models.training.train import train
from biosense.testing.labelled_data import followed_labels


def in_noise(sequence: LabelledSequence, seed: int) -> LabelledSequence:
    """Return a sequence as a worse sensor would have measured it."""
    rng = np.random.default_rng(seed)
    data = {m: x + 0.8 * rng.standard_normal(x.shape) for m, x in sequence.data.items()}
    return replace(sequence, data=data)


def unrated(sequence: LabelledSequence) -> LabelledSequence:
    """Return a sequence without its ratings."""
    return replace(sequence, target=np.full_like(sequence.target, np.nan))


people = followed_labels(n_subjects=16, n_trials=3, n_steps=120).sequences
people = [in_noise(sequence, seed) for seed, sequence in enumerate(people)]
theirs = [s for s in people if s.subject <= "p06"]
mine = [s if s.subject == "p07" else unrated(s) for s in people if "p07" <= s.subject <= "p11"]
held = [s for s in people if s.subject == "p12"]
strangers = [s for s in people if s.subject > "p12"]

large = TrainingSettings(width=24, epochs=6, batches=6, crop_s=(20.0, 29.0), learning_rate=1e-2)
small = replace(large, width=8)
teacher = train("gated", theirs, settings=large).model
alone = train("gated", mine, validation=held, settings=small).model
taught = distil(teacher, "gated", mine, validation=held, settings=small).model

print("four people never seen: CCC, the more the better; negative log-likelihood, the less")
for name, model in (("their model", teacher), ("my ratings alone", alone), ("taught", taught)):
    size = sum(parameter.numel() for parameter in model.parameters())
    nll = evaluate(model, strangers)["valence"].nll
    print(f"{name:16} {size:5} weights: CCC {subject_ccc(model, strangers):.2f}, nll {nll:.2f}")
