"""A student learns from its teacher, also where nobody rated, and never from its test side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.models.base import FusionModel, FusionOutput
from biosense.models.batches import collate
from biosense.models.evaluation.evaluate import predict
from biosense.models.sequences import LabelledSequence
from biosense.models.training.distillation import distil, divergence, teacher_loss
from biosense.models.training.gradient_descent import labels_loss
from biosense.models.training.train import TrainingSettings, train

MakeToy = Callable[..., list[LabelledSequence]]
SETTINGS = TrainingSettings(
    width=24, epochs=4, batches=8, crop_s=(15.0, 25.0), batch=4, learning_rate=5e-3
)
SMALL = replace(SETTINGS, width=8, epochs=6)


@pytest.fixture(scope="module")
def teacher(make_toy: MakeToy) -> FusionModel:
    return train("gated", make_toy(6, 160), settings=SETTINGS).model


def test_a_student_learns_from_the_teacher_alone(teacher: FusionModel, make_toy: MakeToy) -> None:
    """Only one person of the training side rated anything: labels teach next to nothing."""
    toys = make_toy(6, 160)
    fit = [replace(toy, target=np.full_like(toy.target, np.nan)) for toy in toys[1:4]]
    before = {key: value.clone() for key, value in teacher.state_dict().items()}
    student = distil(
        teacher, "gated", [toys[0], *fit], validation=toys[4:], settings=SMALL, share=1.0
    )
    unseen = make_toy(3, 200, seed=9)
    said = np.concatenate([predict(student.model, toy).mean for toy in unseen])
    told = np.concatenate([predict(teacher, toy).mean for toy in unseen])
    assert np.corrcoef(said.ravel(), told.ravel())[0, 1] > 0.8
    parameters = [sum(p.numel() for p in m.parameters()) for m in (student.model, teacher)]
    assert parameters[0] < 0.35 * parameters[1]
    assert all(torch.equal(value, before[key]) for key, value in teacher.state_dict().items())
    assert "taught by a Gated" in student.card.data


def test_the_teacher_sees_what_is_hidden_from_the_student(
    teacher: FusionModel, make_toy: MakeToy
) -> None:
    toys = make_toy(2, 40)
    batch = collate(toys, teacher.config.modalities)
    hidden = replace(batch, recorded=batch.present, present=torch.zeros_like(batch.present))
    whole = teacher.eval()(batch.x, batch.present)
    loss = teacher_loss(teacher, SETTINGS, share=1.0)
    assert loss(whole, hidden).item() == pytest.approx(0.0, abs=1e-6)
    assert loss(teacher(hidden.x, hidden.present), hidden).item() > 0.01


def test_shares_of_the_loss_add_up(teacher: FusionModel, make_toy: MakeToy) -> None:
    batch = collate(make_toy(2, 40), teacher.config.modalities)
    output = replace_mean(teacher.eval()(batch.x, batch.present), 0.1)
    parts = [teacher_loss(teacher, SETTINGS, share)(output, batch) for share in (0.25, 1.0)]
    labels = labels_loss(SETTINGS)(output, batch)
    assert parts[0].item() == pytest.approx(0.75 * labels.item() + 0.25 * parts[1].item(), rel=1e-5)


def replace_mean(output: FusionOutput, by: float) -> FusionOutput:
    return replace(output, mean=output.mean + by)


def test_the_divergence_is_least_where_both_say_the_same() -> None:
    told = FusionOutput(torch.zeros(1, 4, 2), torch.full((1, 4, 2), -1.0), torch.ones(1, 4, 1))
    where = torch.tensor([[True, True, True, False]])
    mean = torch.full((1, 4, 2), 0.3, requires_grad=True)
    spread = torch.full((1, 4, 2), 0.5, requires_grad=True)
    divergence(FusionOutput(mean, spread, told.weight), told, where).backward()
    assert torch.all(mean.grad[:, :3] > 0)
    assert torch.all(spread.grad[:, :3] > 0)  # surer than the student is what the teacher is
    assert torch.all(mean.grad[:, 3] == 0)


def test_a_teacher_of_other_features_is_refused(teacher: FusionModel, make_toy: MakeToy) -> None:
    toys = make_toy(4, 60)
    less = [
        replace(
            toy,
            data={m: v for m, v in toy.data.items() if m != Modality.FACE},
            quality={m: v for m, v in toy.quality.items() if m != Modality.FACE},
        )
        for toy in toys
    ]
    with pytest.raises(BadInput, match="the teacher has the features"):
        distil(teacher, "gated", less, settings=SMALL)
    with pytest.raises(BadInput, match="share=0 must be above 0"):
        distil(teacher, "gated", toys, settings=SMALL, share=0)
