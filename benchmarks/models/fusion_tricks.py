"""Whether the training tricks pay: reconstruction of modalities, pre-training without labels.

Usage: python -m benchmarks.models.fusion_tricks [--case DATA/case/case_dev.npz] [--folds 4]

Reconstruction of absent modalities against masking them, over every subset of modalities; and
pre-training on sequences without labels against none, where 3 people are labelled. Also each
baseline, trained on all. People are held out in four folds; numbers are CCC over each person's
sequences together, mean of valence and arousal, then over people.

Without a file: a synthetic world of 24 people. With one: CASE at 20 Hz as `shared/data` describes
it (heart, skin, temperature and muscle of 24 people, 8 videos), thinned to 4 Hz and standardised
causally within each person's video.
"""

from __future__ import annotations

import argparse
import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d

from benchmarks.figures import Figure, tell
from biosense.core.grid import HOP
from biosense.core.types import Floats, Modality
from biosense.models.evaluation.evaluate import subject_ccc
from biosense.models.registry import MODELS
from biosense.models.sequences import LabelledSequence, restrict
from biosense.models.training.pretraining import PretrainingSettings, pretrain
from biosense.models.training.train import TrainingSettings, train

Sequences = Sequence[LabelledSequence]
FOLDS, LABELLED = 4, 3
SETTINGS = TrainingSettings(width=24, epochs=12, crop_s=(30.0, 50.0), batch=16, patience=5)
PRETRAINING = PretrainingSettings(steps=150, crop_s=40.0, apart_s=4.0)
COLUMNS = {
    Modality.ECG: ("IHR",),
    Modality.EDA: ("EDAPh", "EDATon"),
    Modality.TEMP: ("TEMP",),
    Modality.EMG: ("ZEMGEnv", "CEMGEnv"),
}


def synthetic(people: int = 24, videos: int = 4, steps: int = 200) -> list[LabelledSequence]:
    """Draw people whose modalities see a slow path, bent, in noise and with offsets of theirs."""
    world = np.random.default_rng(3)
    widths = {Modality.EEG: 8, Modality.ECG: 4, Modality.EDA: 3, Modality.FACE: 6}
    mixes = {m: world.standard_normal((4, n)) for m, n in widths.items()}
    sequences = []
    for person in range(people):
        rng = np.random.default_rng(person)
        offsets = {m: 0.5 * rng.standard_normal(n) for m, n in widths.items()}
        for video in range(videos):
            path = gaussian_filter1d(rng.standard_normal((steps, 2)), 24, axis=0)
            target = np.tanh(path / path.std())
            seen = np.concatenate((target, np.sin(3 * target)), 1)
            data = {
                m: seen @ mix + offsets[m] + 1.5 * rng.standard_normal((steps, mix.shape[1]))
                for m, mix in mixes.items()
            }
            quality = {m: np.ones(steps) for m in data}
            time = HOP * np.arange(steps)
            sequences.append(
                LabelledSequence(f"p{person:02d}", time, data, quality, target, f"v{video}")
            )
    return sequences


def case(path: Path) -> list[LabelledSequence]:
    """Read CASE's derived series; features are values, and their change from the first 5 s."""
    with np.load(path) as file:
        table = {key: file[key] for key in ("X", "Y", "subject", "video", "cols")}
    names, sequences = [str(name) for name in table["cols"]], []
    for x, y, who, video in zip(*[table[k] for k in ("X", "Y", "subject", "video")], strict=True):
        rows = x[::5].astype(np.float64)
        data = {m: _features(rows[:, [names.index(c) for c in cs]]) for m, cs in COLUMNS.items()}
        quality = {m: np.ones(len(rows)) for m in data}
        target = (y[::5].astype(np.float64) - 5) / 4.5
        time = HOP * np.arange(len(rows))
        sequences.append(
            LabelledSequence(f"p{who:02d}", time, data, quality, target.clip(-1, 1), f"v{video}")
        )
    return sequences


def _features(rows: Floats) -> Floats:
    steps = np.arange(1, len(rows) + 1)[:, None]
    mean = np.cumsum(rows, 0) / steps
    spread = np.sqrt(np.cumsum((rows - mean) ** 2, 0) / steps + 1e-6)
    slow = np.stack([rows[max(0, t - 40) : t + 1].mean(0) for t in range(len(rows))])
    return np.concatenate((rows, slow, (rows - mean) / spread, slow - rows[:20].mean(0)), 1)


def folds(sequences: Sequence[LabelledSequence]) -> list[tuple[list[LabelledSequence], ...]]:
    """Return training and test sequences of each fold."""
    people = sorted({one.subject for one in sequences})
    parts = []
    for fold in range(FOLDS):
        out = set(people[fold::FOLDS])
        parts.append(
            (
                [s for s in sequences if s.subject not in out],
                [s for s in sequences if s.subject in out],
            )
        )
    return parts


def subset_table(model: object, test: Sequence[LabelledSequence]) -> dict[str, float]:
    """Return the mean CCC over all subsets of each size."""
    modalities = list(test[0].data)
    table = {}
    for size in range(1, len(modalities) + 1):
        values = [
            subject_ccc(model, restrict(test, some))  # type: ignore[arg-type]
            for some in itertools.combinations(modalities, size)
        ]
        table[f"{size} of {len(modalities)}"] = float(np.mean(values))
    return table


def few_labels(training: Sequence[LabelledSequence]) -> list[LabelledSequence]:
    """Return the sequences with targets of `LABELLED` people only."""
    kept = set(sorted({one.subject for one in training})[:LABELLED])
    return [
        one if one.subject in kept else replace(one, target=np.full_like(one.target, np.nan))
        for one in training
    ]


def run(
    sequences: Sequences, family: str, settings: TrainingSettings, n_folds: int
) -> dict[str, list[float]]:
    """Return the numbers of each fold by what was done."""
    numbers: dict[str, list[float]] = defaultdict(list)
    for training, test in folds(sequences)[:n_folds]:
        found = of_subsets(training, test, family, settings)
        found |= of_few_labels(training, test, family, settings)
        for name in (name for name, one in MODELS.items() if not one.by_descent):
            found[name] = subject_ccc(train(name, training, settings=settings).model, test)
        for name, value in found.items():
            numbers[name].append(value)
    return numbers


def of_subsets(
    training: Sequences, test: Sequences, family: str, settings: TrainingSettings
) -> dict[str, float]:
    """Return what is reached with some of the modalities, absent ones masked or reconstructed."""
    numbers = {}
    for name, options in (("masked", {}), ("reconstructed", {"reconstruct": True})):
        model = train(family, training, settings=settings, options=options).model
        for size, value in subset_table(model, test).items():
            numbers[f"{family}, {size} modalities, {name}"] = value
    return numbers


def of_few_labels(
    training: Sequences, test: Sequences, family: str, settings: TrainingSettings
) -> dict[str, float]:
    """Return what is reached when few people are labelled, with and without pre-training."""
    numbers = {}
    people = sorted({one.subject for one in training})
    held = [one for one in training if one.subject in people[-3:]]
    few = few_labels([one for one in training if one.subject not in people[-3:]])
    ways: dict[str, Callable[..., object] | None] = {"no pre-training": None}
    for objective in ("contrastive", "dcca"):
        ways[objective] = partial(pretrain, objective=objective, settings=PRETRAINING)
    for name, prepare in ways.items():
        model = train(family, few, validation=held, settings=settings, prepare=prepare).model
        numbers[f"{family}, {LABELLED} people labelled, {name}"] = subject_ccc(model, test)
    return numbers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", type=Path)
    parser.add_argument("--family", default="gated")
    parser.add_argument("--epochs", type=int, default=SETTINGS.epochs)
    parser.add_argument("--people", type=int, default=24)
    parser.add_argument("--folds", type=int, default=FOLDS, help="of four, how many are done")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    settings = replace(SETTINGS, epochs=asked.epochs)
    sequences = case(asked.case) if asked.case else synthetic()
    kept = set(sorted({one.subject for one in sequences})[: asked.people])
    numbers = run(
        [one for one in sequences if one.subject in kept], asked.family, settings, asked.folds
    )
    for name in sorted(numbers):
        values = numbers[name]
        print(f"{name:48s}{np.mean(values):7.3f}   ({', '.join(f'{v:.3f}' for v in values)})")
    few = {
        name.split(", ")[-1]: float(np.mean(values))
        for name, values in numbers.items()
        if f", {LABELLED} people labelled, " in name
    }
    plain = few.pop("no pre-training")
    tell(
        *(
            Figure(
                f"CCC with {LABELLED} people labelled, {asked.family} pre-trained by {name}",
                value,
                "",
                plain,
                "no pre-training",
                more_is_better=True,
            )
            for name, value in few.items()
        )
    )


if __name__ == "__main__":
    main()
