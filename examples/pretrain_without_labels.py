"""Train the encoders of a model on recordings without ratings: what do two sensors share?

A window of one sensor is to find the window of the other that was recorded at the same time, among
windows of the same person. Whether a model that starts from such encoders needs fewer ratings is
another question: with CASE it did not (docs/benchmarks.md). Measure it on recordings of yours.
"""

from dataclasses import replace
from functools import partial

import torch

from biosense.models.evaluation.evaluate import subject_ccc
from biosense.models.registry import build_model
from biosense.models.sequences import feature_counts
from biosense.models.training.pretraining import PretrainingSettings, pretrain, retrieval
from biosense.models.training.settings import TrainingSettings
from biosense.models.training.train import train
from biosense.testing.labelled_data import followed_labels

SETTINGS = PretrainingSettings(
    steps=150, crop_s=40.0, crops=9, temperature=0.05, learning_rate=1e-2
)
people = followed_labels(n_subjects=12, n_trials=3, n_steps=160).sequences
known = [sequence for sequence in people if sequence.subject <= "p09"]
strangers = [sequence for sequence in people if sequence.subject > "p09"]

torch.manual_seed(0)
model = build_model("gated", {"modalities": feature_counts(known), "width": 16})
for steps in (1, 150):
    settings = replace(SETTINGS, steps=steps)
    right, chance = retrieval(model, pretrain(model, known, settings=settings), strangers)
    print(f"{steps:3} steps: {right:.0%} of windows find their own; by chance {chance:.0%}")

settings = TrainingSettings(width=16, epochs=5, crop_s=(20.0, 40.0), learning_rate=1e-2)
first = partial(pretrain, settings=SETTINGS)
for name, prepare in (("from random weights", None), ("from these encoders", first)):
    trained = train("gated", known, settings=settings, prepare=prepare).model
    print(f"trained {name}: CCC of people never seen {subject_ccc(trained, strangers):.2f}")
