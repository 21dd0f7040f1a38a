"""A committee: members trained apart, averaged, and as sure as their disagreement allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from biosense.core.errors import BadInput
from biosense.models.batches import collate
from biosense.models.evaluation.evaluate import predict
from biosense.models.families.committee import Committee, CommitteeConfig
from biosense.models.sequences import LabelledSequence
from biosense.models.training.personalise import personalise
from biosense.models.training.train import TrainingSettings, train

SETTINGS = TrainingSettings(width=8, epochs=2, batches=2, crop_s=(20.0, 40.0))
MEMBERS = {"members": ("ridge", "early"), "shares": (0.75, 0.25)}


@pytest.fixture(scope="module")
def trained(make_toy: Callable[..., list[LabelledSequence]]) -> Committee:
    model = train("committee", make_toy(5, 160), settings=SETTINGS, options=MEMBERS).model
    assert isinstance(model, Committee)
    return model


def test_members_are_those_that_are_trained_alone(
    trained: Committee, make_toy: Callable[..., list[LabelledSequence]]
) -> None:
    for name, member in zip(MEMBERS["members"], trained.members, strict=True):
        alone = train(str(name), make_toy(5, 160), settings=SETTINGS).model
        for key, tensor in member.state_dict().items():
            assert torch.equal(tensor, alone.state_dict()[key]), (name, key)


def test_the_mean_is_the_gained_average_of_the_members(
    trained: Committee, make_toy: Callable[..., list[LabelledSequence]]
) -> None:
    sequence = make_toy(6, 160)[-1]
    one, two = (predict(member, sequence).mean for member in trained.members)
    average = 0.75 * one + 0.25 * two
    centre, gain = trained.centre.numpy(), trained.gain.numpy()
    expected = (centre + gain * (average - centre)).clip(-1, 1)
    present = np.stack([q > 0 for q in sequence.quality.values()], 1).any(1)
    said = predict(trained, sequence).mean
    np.testing.assert_allclose(said[present], expected[present], atol=1e-5)


def test_it_can_be_fitted_to_a_person(
    trained: Committee, make_toy: Callable[..., list[LabelledSequence]]
) -> None:
    toy = make_toy(6, 160)[-1]
    odd = replace(toy, target=0.4 * toy.target - 0.3)
    personal = personalise(trained, [odd], strength=0.05)
    assert isinstance(personal, Committee)
    before, after = (predict(model, odd).mean for model in (trained, personal))
    assert ((after - odd.target) ** 2).mean() < 0.5 * ((before - odd.target) ** 2).mean()
    assert (personal.offset < 0).all()
    for name, tensor in personal.seats.state_dict().items():
        assert torch.equal(tensor, trained.seats.state_dict()[name])
    assert (trained.offset == 0).all()


def test_disagreement_makes_it_unsure(trained: Committee) -> None:
    sequence_like = {m: torch.randn(1, 40, n) for m, n in trained.config.modalities}
    x = {modality: sequence_like[modality.value] for modality in trained.modalities}
    output = trained(x, torch.ones(1, 40, len(x)))
    members = [member(x, torch.ones(1, 40, len(x))) for member in trained.members]
    apart = (members[0].mean - members[1].mean).square() * 0.75 * 0.25
    own = 0.75 * members[0].log_variance.exp() + 0.25 * members[1].log_variance.exp()
    temperature = trained.head.log_temperature.exp()
    torch.testing.assert_close(output.log_variance.exp(), temperature * (own + apart))


def test_a_committee_keeps_its_shape_when_saved_as_json() -> None:
    config = CommitteeConfig((("eda", 2),), ["ridge"], [1.0])  # type: ignore[arg-type]
    assert config == CommitteeConfig((("eda", 2),), ("ridge",), (1.0,))


@pytest.mark.parametrize(
    "wrong",
    [
        {"members": (), "shares": ()},
        {"members": ("ridge",), "shares": (0.5, 0.5)},
        {"members": ("committee",), "shares": (1.0,)},
        {"members": ("ridge", "early"), "shares": (1.0, 0.5)},
    ],
)
def test_members_and_shares_must_fit(wrong: dict[str, tuple[str | float, ...]]) -> None:
    with pytest.raises(BadInput, match=r"got|sum"):
        CommitteeConfig((("eda", 2),), **wrong)  # type: ignore[arg-type]


def test_batches_of_several_people_pass(
    trained: Committee, make_toy: Callable[..., list[LabelledSequence]]
) -> None:
    batch = collate(make_toy(3, 50), trained.config.modalities)
    assert trained(batch.x, batch.present).mean.shape == (3, 50, 2)
