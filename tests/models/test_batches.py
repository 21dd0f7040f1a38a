"""Batches: padding, crops, what is hidden on purpose, and the scale of features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from biosense.core.types import Modality
from biosense.models.batches import Augmentation, collate, crops, feature_scale
from biosense.models.sequences import LabelledSequence, feature_counts

MakeToy = Callable[..., list[LabelledSequence]]
NOTHING_HIDDEN = Augmentation(0.0, 0.0, 0.0)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_shorter_sequences_are_padded_with_absence(make_toy: MakeToy) -> None:
    long, short = make_toy(1, 40)[0], make_toy(1, 25)[0]
    counts = feature_counts([long])
    batch = collate([long, short], counts)
    assert batch.present.shape == (2, 40, 5)
    assert batch.present[1, 25:].max() == 0
    assert torch.isnan(batch.target[1, 25:]).all()
    np.testing.assert_allclose(batch.target[1, :25], short.target, rtol=1e-6)
    np.testing.assert_allclose(batch.x[Modality.EDA][0], long.data[Modality.EDA], rtol=1e-6)


def test_a_modality_that_a_sequence_lacks_is_absent(make_toy: MakeToy) -> None:
    whole = make_toy(1, 10)[0]
    some = replace(
        whole,
        data={Modality.EDA: whole.data[Modality.EDA]},
        quality={Modality.EDA: whole.quality[Modality.EDA]},
    )
    present = collate([some], feature_counts([whole])).present[0]
    assert present[:, 2].max() > 0
    assert present[:, [0, 1, 3, 4]].max() == 0


def test_an_epoch_covers_every_sequence_and_crops_stay_in_it(
    make_toy: MakeToy, rng: np.random.Generator
) -> None:
    sequences = make_toy(5, 100)
    batches = list(
        crops(
            sequences,
            feature_counts(sequences),
            steps=(30, 50),
            size=4,
            least=1,
            hop=0.25,
            augmentation=NOTHING_HIDDEN,
            rng=rng,
        )
    )
    assert [len(batch.target) for batch in batches] == [4, 4, 2]
    assert all(30 <= batch.target.shape[1] <= 50 for batch in batches)
    paths = np.stack([sequence.target for sequence in sequences]).astype(np.float32)
    for row in batches[0].target.numpy():
        starts = np.argwhere((paths == row[0]).all(-1))
        assert len(starts) == 1
        subject, start = starts[0]
        np.testing.assert_array_equal(row, paths[subject, start : start + len(row)])


def test_dropout_hides_whole_modalities_but_never_the_last(rng: np.random.Generator) -> None:
    present = np.full((80, 4), 0.9)
    present[:, 3] = 0  # this recording has no fourth modality
    drop = Augmentation(0.25, 0.0, 0.0)
    hidden = np.stack([drop.mask(present, 0.25, rng) for _ in range(2000)])
    gone = ~hidden.any(1)
    assert np.mean(gone[:, :3]) == pytest.approx(0.25, abs=0.03)
    assert hidden.any(2).all()
    assert bool((hidden.any(1) == hidden.all(1)).all())  # whole or not at all
    nearly_all = Augmentation(0.99, 0.0, 0.0)
    assert all(nearly_all.mask(present, 0.25, rng).any() for _ in range(200))
    assert present[:, :3].min() == 0.9


def test_spans_are_contiguous_and_never_take_the_last_modality(rng: np.random.Generator) -> None:
    spans = Augmentation(0.0, 1.0, 0.0, span_s=(3.0, 5.0))
    present = np.ones((200, 3))
    lengths = []
    for _ in range(100):
        hidden = spans.mask(present, 0.25, rng)
        assert hidden.any(1).all()
        lengths.append((hidden == 0).sum())
        assert np.abs(np.diff(hidden[:, 0])).sum() <= 4
    assert 20 < np.mean(lengths) <= 60


def test_blackouts_hide_everything_for_a_while(rng: np.random.Generator) -> None:
    hidden = [Augmentation(0, 0, 1.0).mask(np.ones((200, 3)), 0.25, rng) for _ in range(50)]
    silent = [(~row.any(1)).sum() for row in hidden]
    assert 1 <= min(silent) <= max(silent) <= 80


def test_scale_is_robust_and_ignores_untrusted_steps(make_toy: MakeToy) -> None:
    sequences = make_toy(4, 200)
    counts = feature_counts(sequences)
    before = feature_scale(sequences, counts)
    poisoned = []
    for sequence in sequences:
        data = {m: v.copy() for m, v in sequence.data.items()}
        for modality, values in data.items():
            values[sequence.quality[modality] == 0] = 1e9
        poisoned.append(replace(sequence, data=data))
    after = feature_scale(poisoned, counts)
    for modality, (centre, spread) in before.items():
        assert torch.equal(centre, after[modality][0])
        assert torch.equal(spread, after[modality][1])
    centre, spread = before[Modality.EDA]
    assert bool(((centre - 10).abs() < 4).all())
    assert bool(((spread > 1) & (spread < 12)).all())


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e6])
def test_scale_follows_the_unit_and_a_constant_keeps_scale_one(scale: float) -> None:
    rng = np.random.default_rng(0)
    values = scale * np.column_stack(
        [rng.standard_normal(500), np.full(500, 3.0), rng.random(500) > 0.95]
    )
    labels = np.zeros((500, 2))
    sequence = LabelledSequence(
        "p", np.arange(500) * 0.25, {Modality.EDA: values}, {Modality.EDA: np.ones(500)}, labels
    )
    _, spread = feature_scale([sequence], (("eda", 3),))[Modality.EDA]
    np.testing.assert_allclose(spread[0], scale, rtol=0.1)
    assert spread[1] == 1
    np.testing.assert_allclose(spread[2], values[:, 2].std(), rtol=1e-5)


def test_a_feature_never_seen_keeps_scale_one() -> None:
    values = np.full((5, 1), np.nan)
    sequence = LabelledSequence(
        "p",
        np.arange(5) * 0.25,
        {Modality.EDA: values},
        {Modality.EDA: np.ones(5)},
        np.zeros((5, 2)),
    )
    centre, spread = feature_scale([sequence], (("eda", 1),))[Modality.EDA]
    assert (centre.tolist(), spread.tolist()) == ([0.0], [1.0])
