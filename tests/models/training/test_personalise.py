"""Fitting a model to a person: helps where the person differs, and never drifts far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from biosense.core.errors import BadInput
from biosense.models.base import FusionModel
from biosense.models.deployment.card import Card
from biosense.models.evaluation.conformal import GAUSSIAN
from biosense.models.evaluation.evaluate import predict
from biosense.models.registry import MODELS, build_model
from biosense.models.sequences import LabelledSequence
from biosense.models.training.personalise import personal_card, personalise
from biosense.models.training.train import TrainingSettings, train

MakeToy = Callable[..., list[LabelledSequence]]
FAMILIES = ["gated", "product_of_experts", "ridge"]
SETTINGS = TrainingSettings(
    width=12, epochs=3, batches=8, crop_s=(15.0, 25.0), batch=4, learning_rate=5e-3
)


@pytest.fixture(scope="module")
def general(make_toy: MakeToy) -> dict[str, FusionModel]:
    """Models of everybody; made once."""
    toys = make_toy(5, 160)
    return {name: train(name, toys, settings=SETTINGS).model for name in FAMILIES}


def odd_person(make_toy: MakeToy, seed: int = 5) -> LabelledSequence:
    """Return somebody who feels half as much as others, and worse."""
    toy = make_toy(1, 600, seed=seed)[0]
    return replace(toy, target=0.5 * toy.target - [0.4, 0.2])


def halves(toy: LabelledSequence) -> tuple[LabelledSequence, LabelledSequence]:
    return _part(toy, slice(0, 300)), _part(toy, slice(300, 600))


def _part(toy: LabelledSequence, cut: slice) -> LabelledSequence:
    return replace(
        toy,
        time=toy.time[cut],
        data={m: v[cut] for m, v in toy.data.items()},
        quality={m: v[cut] for m, v in toy.quality.items()},
        target=toy.target[cut],
    )


def rmse(model: FusionModel, sequence: LabelledSequence) -> float:
    return float(np.sqrt(np.mean((predict(model, sequence).mean - sequence.target) ** 2)))


@pytest.mark.parametrize("name", FAMILIES)
def test_no_rating_at_all_gives_the_same_model_to_the_bit(
    general: dict[str, FusionModel], name: str, make_toy: MakeToy
) -> None:
    model, toy = general[name], odd_person(make_toy)
    unrated = replace(toy, target=np.full_like(toy.target, np.nan))
    for sequences in ([], [unrated]):
        same = personalise(model, sequences).state_dict()
        assert all(torch.equal(value, same[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize("name", FAMILIES)
def test_a_minute_of_ratings_helps_an_odd_person_later(
    general: dict[str, FusionModel], name: str, make_toy: MakeToy
) -> None:
    model = general[name]
    rated, later = halves(odd_person(make_toy))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    personal = personalise(model, [rated], strength=0.2)
    assert rmse(personal, later) < 0.9 * rmse(model, later)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_an_ordinary_person_loses_little(
    general: dict[str, FusionModel], make_toy: MakeToy
) -> None:
    rated, later = halves(make_toy(1, 600, seed=7)[0])
    model = general["gated"]
    for head in (False, True):
        personal = personalise(model, [rated], head=head)
        assert rmse(personal, later) < 1.05 * rmse(model, later)


@pytest.mark.parametrize("strength", [0.1, 1.0, 10.0, 1000.0])
def test_the_drift_is_bounded_whatever_is_rated(
    general: dict[str, FusionModel], make_toy: MakeToy, strength: float
) -> None:
    """Ratings that contradict everything move the read-out by no more than the penalty allows."""
    model, toy = general["gated"], make_toy(1, 300, seed=8)[0]
    hostile = replace(toy, target=np.where(toy.target > 0, -1.0, 1.0))
    minutes = toy.n * 0.25 / 60
    error = np.mean((predict(model, hostile).mean - hostile.target) ** 2, 0)
    personal = personalise(model, [hostile], strength=strength)
    before, after = model.head.mean, personal.head.mean
    gain = after.weight[:, 0] / before.weight[:, 0]
    offset = (after.bias - gain * before.bias).detach().numpy()
    assert np.all(offset**2 <= error * minutes / strength + 1e-6)
    assert torch.all((gain > -1e-6) & (gain <= 2))
    if strength == 1000.0:
        apart = predict(personal, toy).mean - predict(model, toy).mean
        assert np.abs(apart).max() < 0.01


def test_moving_the_head_is_bounded_and_helps_on_what_was_rated(
    general: dict[str, FusionModel], make_toy: MakeToy
) -> None:
    model, (rated, _) = general["gated"], halves(odd_person(make_toy))
    affine = personalise(model, [rated], strength=1.0)
    head = personalise(model, [rated], strength=1.0, head=True)
    assert rmse(head, rated) < rmse(affine, rated)
    far = personalise(model, [rated], strength=1e6, head=True)
    for key, value in model.state_dict().items():
        torch.testing.assert_close(far.state_dict()[key], value, rtol=0, atol=1e-4)


def test_what_cannot_be_fitted_is_refused(
    general: dict[str, FusionModel], make_toy: MakeToy
) -> None:
    with pytest.raises(BadInput, match=r"one person, got ratings of \['s00', 's01'\]"):
        personalise(general["gated"], make_toy(2, 50))
    with pytest.raises(BadInput, match="strength=0 minutes must be positive"):
        personalise(general["gated"], make_toy(1, 50), strength=0)
    with pytest.raises(BadInput, match="head=True needs a family with one last layer"):
        personalise(general["product_of_experts"], make_toy(1, 50), head=True)
    counts = general["gated"].config.modalities
    boosting = build_model("boosting", MODELS["boosting"].settings({"modalities": counts}))
    with pytest.raises(BadInput, match="family Boosting has no read-out"):
        personalise(boosting, make_toy(1, 50))


def test_the_card_says_that_it_is_for_one_person(make_toy: MakeToy) -> None:
    rated = make_toy(1, 240)[0]
    card = personal_card(Card("toys", "A toy.", intervals=GAUSSIAN), [rated], 0.25)
    assert card.person == "s00"
    assert card.warning == (
        "Fitted to s00 with 1.0 rated minutes: it is no model for anybody else. A toy."
    )
    assert (card.data, card.intervals, card.metrics) == ("toys", None, {})
