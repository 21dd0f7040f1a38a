"""Pre-training without labels: what modalities share is found, who somebody is does not help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.models.base import FusionModel
from biosense.models.batches import collate
from biosense.models.layers.cca_loss import multi_cca_loss
from biosense.models.registry import build_model
from biosense.models.sequences import LabelledSequence, feature_counts
from biosense.models.training.contrastive import Windows, contrastive_loss
from biosense.models.training.pretraining import (
    Pretrained,
    PretrainingSettings,
    pretrain,
    retrieval,
)
from biosense.models.training.train import TrainingSettings, train

MakeToy = Callable[..., list[LabelledSequence]]
SHORT = PretrainingSettings(steps=60, crop_s=40.0, crops=6, apart_s=3.0, learning_rate=1e-2)


def fresh(sequences: list[LabelledSequence], name: str = "gated") -> FusionModel:
    torch.manual_seed(0)
    return build_model(name, {"modalities": feature_counts(sequences), "width": 16})


def test_windows_of_unseen_people_are_found_again_within_themselves(make_toy: MakeToy) -> None:
    sequences, unseen = make_toy(6, 300, noise=0.3), make_toy(4, 300, noise=0.3, seed=9)
    model = fresh(sequences)
    untrained = pretrain(model, sequences, settings=replace(SHORT, steps=1, learning_rate=0.0))
    before, chance = retrieval(model, untrained, unseen)
    trained = pretrain(model, sequences, settings=SHORT)
    right, _ = retrieval(model, trained, unseen)
    assert before < 2 * chance
    assert right > 2.5 * chance
    assert np.mean(trained.losses[-5:]) < 0.8 * np.mean(trained.losses[:5])


def test_projections_of_unseen_people_come_to_correlate(make_toy: MakeToy) -> None:
    sequences, unseen = make_toy(6, 300), make_toy(4, 300, seed=9)
    model = fresh(sequences)
    settings = replace(SHORT, steps=40, size=3)
    untrained = pretrain(
        model, sequences, objective="dcca", settings=replace(settings, steps=1, learning_rate=0.0)
    )
    before = correlation(model, untrained, unseen)
    trained = pretrain(model, sequences, objective="dcca", settings=settings)
    assert correlation(model, trained, unseen) > before + 0.02
    assert (
        correlation(model, trained, unseen, shift=100) < correlation(model, trained, unseen) - 0.1
    )
    assert np.mean(trained.losses[-5:]) < np.mean(trained.losses[:5])


def correlation(
    model: FusionModel, pretrained: Pretrained, sequences: list[LabelledSequence], shift: int = 0
) -> float:
    """Return the mean squared canonical correlation of two projections, one of them shifted."""
    batch = collate(sequences, model.config.modalities)
    with torch.no_grad():
        tokens, quality = model.eval().tokens(batch.x, batch.present)
        views, there = pretrained.project(tokens)[:, ::12, :2], quality[:, ::12, :2] > 0
    views[..., 1, :] = views[..., 1, :].roll(shift // 12, 1)
    there[..., 1] = there[..., 1].roll(shift // 12, 1)
    groups = torch.arange(len(views)).repeat_interleave(views.shape[1])
    return -float(multi_cca_loss(views.flatten(0, 1), there.flatten(0, 1), groups=groups))


def test_targets_are_not_looked_at_and_seeds_repeat(make_toy: MakeToy) -> None:
    sequences = make_toy(3, 120)
    blind = [replace(one, target=np.full_like(one.target, np.nan)) for one in sequences]
    settings, state = replace(SHORT, steps=3), torch.random.get_rng_state()
    models = [fresh(sequences) for _ in range(3)]
    for model, given, seed in zip(models, (sequences, blind, blind), (0, 0, 1), strict=True):
        pretrain(model, given, settings=replace(settings, seed=seed))
    states = [model.state_dict() for model in models]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert any(not torch.equal(states[0][key], states[2][key]) for key in states[0])
    torch.manual_seed(0)
    torch.random.set_rng_state(state)


@pytest.mark.parametrize("name", ["gated", "cross_attention"])
def test_only_encoders_change(name: str, make_toy: MakeToy) -> None:
    sequences = make_toy(3, 120)
    model, other = fresh(sequences, name), fresh(sequences, name)
    pretrain(model, sequences, settings=replace(SHORT, steps=2))
    changed = {
        key
        for (key, mine), theirs in zip(model.named_parameters(), other.parameters(), strict=True)
        if not torch.equal(mine, theirs)
    }
    assert changed
    assert all(key.startswith(("encode", "embedding", "token_norm")) for key in changed)


def test_who_somebody_is_does_not_lower_the_loss_within_the_subject() -> None:
    g = torch.Generator().manual_seed(0)
    subject = torch.arange(6).repeat_interleave(20)
    identity = torch.randn(6, 8, generator=g)[subject]
    views = torch.stack((identity, identity), 1) + 1e-3 * torch.randn(120, 2, 8, generator=g)
    windows = Windows(
        views,
        torch.ones(120, 2, dtype=torch.bool),
        subject,
        subject,
        torch.arange(20.0).repeat(6) * 4,
    )
    loss = float(contrastive_loss(windows, 0.02, 4.0))
    # Strangers: 1 right and 19 copies of it are no negatives, the others are far; within: 1 of 20.
    assert loss == pytest.approx(0.5 * np.log(20), abs=0.1)


def test_neighbours_and_absent_modalities_are_no_negatives() -> None:
    views = torch.randn(6, 2, 4, generator=torch.Generator().manual_seed(1))
    present = torch.ones(6, 2, dtype=torch.bool)
    zeros, time = torch.zeros(6, dtype=torch.int64), torch.arange(6.0)
    assert contrastive_loss(Windows(views, present, zeros, zeros, time), 0.1, 10.0) == 0
    present[3:, 1] = False
    loss = contrastive_loss(Windows(views, present, zeros, zeros, time), 0.1, 1.0)
    poisoned = views.clone()
    poisoned[3:, 1] = 1e9
    assert torch.equal(
        loss, contrastive_loss(Windows(poisoned, present, zeros, zeros, time), 0.1, 1.0)
    )


def test_training_can_start_from_it_with_training_subjects_only(make_toy: MakeToy) -> None:
    sequences = make_toy(5, 120)
    settings = TrainingSettings(width=8, epochs=1, batches=1, crop_s=(10.0, 20.0), batch=4)
    seen: list[str] = []

    def prepare(model: object, fit: object) -> None:
        assert isinstance(model, FusionModel)
        assert isinstance(fit, list)
        seen.extend(one.subject for one in fit)
        pretrain(model, fit, settings=replace(SHORT, steps=2))

    trained = train("gated", sequences, settings=settings, prepare=prepare)
    assert set(seen) == {s.subject for s in sequences} - set(trained.card.validation_subjects)
    plain = train("gated", sequences, settings=settings)
    direct = train(
        "gated",
        sequences,
        settings=settings,
        prepare=partial(pretrain, settings=replace(SHORT, steps=2)),
    )
    mine, same, other = (t.model.state_dict() for t in (trained, direct, plain))
    assert all(torch.equal(mine[key], same[key]) for key in mine)
    assert any(not torch.equal(mine[key], other[key]) for key in mine)


def test_what_cannot_be_pretrained_is_refused(make_toy: MakeToy) -> None:
    sequences = make_toy(2, 40)
    with pytest.raises(BadInput, match="Late cannot be pre-trained"):
        pretrain(build_model("late", {"modalities": (("eda", 3), ("ecg", 4))}), sequences)
    with pytest.raises(BadInput, match="Gated cannot be pre-trained"):
        pretrain(build_model("gated", {"modalities": (("eda", 3),)}), sequences)
    with pytest.raises(BadInput, match="objective='guess'"):
        pretrain(fresh(sequences), sequences, objective="guess")  # type: ignore[arg-type]
    apart = [
        replace(one, quality={m: q * (m is Modality.EDA) for m, q in one.quality.items()})
        for one in sequences
    ]
    with pytest.raises(BadInput, match="no two modalities occur together"):
        pretrain(fresh(sequences), apart, settings=replace(SHORT, steps=2))
    with pytest.raises(BadInput, match="apart_s"):
        PretrainingSettings(apart_s=0.0)
