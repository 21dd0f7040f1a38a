"""Guessing absent modalities: better than the average, and marked as a guess."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.models.batches import collate, feature_scale
from biosense.models.families.stepwise import Stepwise
from biosense.models.layers.reconstruction import Reconstruction
from biosense.models.registry import build_model
from biosense.models.sequences import LabelledSequence, feature_counts
from biosense.models.training.train import TrainingSettings, train

ON = {"reconstruct": True}
MakeToy = Callable[..., list[LabelledSequence]]
COUNTS = (("eeg", 3), ("ecg", 4), ("eda", 2))
STEPWISE = [
    *("deep_cca", "early", "gated", "graph", "low_rank_tensor"),
    "mixture_of_experts",
]


def test_hidden_tokens_are_restored_from_the_others() -> None:
    torch.manual_seed(0)
    layer = Reconstruction(3, 6)
    mix = torch.randn(3, 2, 6)
    optimiser = torch.optim.Adam(layer.parameters(), lr=5e-3)
    for _ in range(200):
        tokens = torch.einsum("bts,msw->btmw", torch.randn(16, 4, 2), mix)
        loss = layer.loss(tokens, torch.ones(16, 4, 3))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    tokens = torch.einsum("bts,msw->btmw", torch.randn(50, 4, 2), mix)
    quality = torch.ones(50, 4, 3)
    quality[..., 1] = 0
    with torch.inference_mode():
        filled, _ = layer.fill(tokens, quality)
    assert torch.equal(filled[..., [0, 2], :], tokens[..., [0, 2], :])
    error = (filled - tokens)[..., 1, :].square().mean()
    assert error < 0.1 * tokens[..., 1, :].square().mean()


def test_the_loss_never_scores_what_is_absent_and_never_trains_the_encoder() -> None:
    layer = Reconstruction(3, 4)
    tokens = torch.randn(8, 5, 3, 4, requires_grad=True)
    quality = torch.ones(8, 5, 3)
    quality[..., 2] = 0
    torch.manual_seed(1)
    loss = layer.loss(tokens, quality)
    assert loss > 0
    loss.backward()
    assert tokens.grad is None
    poisoned = tokens.detach().clone()
    poisoned[..., 2, :] = 1e9
    torch.manual_seed(1)
    assert torch.equal(layer.loss(poisoned, quality), loss)
    assert layer.loss(tokens, torch.zeros_like(quality)) == 0


@pytest.mark.parametrize("name", STEPWISE)
def test_what_was_guessed_is_marked(name: str) -> None:
    torch.manual_seed(0)
    model = build_model(name, {"modalities": COUNTS, "width": 8, "reconstruct": True}).eval()
    x = {Modality(m): torch.randn(2, 9, n) for m, n in COUNTS}
    present = torch.ones(2, 9, 3)
    present[:, 4:, 1] = 0
    present[1, 6:] = 0
    with torch.inference_mode():
        output = model(x, present)
    assert output.reconstructed is not None
    guessed = output.reconstructed > 0
    assert guessed[0, 4:, 1].all()
    assert guessed[1, 4:6, 1].all()
    assert not guessed[:, :4].any()
    assert not guessed[1, 6:].any()  # with nothing there, there is nothing to guess from
    assert not (guessed & (output.weight > 0)).any()
    assert (output.weight + output.reconstructed).sum(-1).max() <= 1 + 1e-6


def test_a_plain_model_marks_nothing_and_has_no_cascade() -> None:
    model = build_model("gated", {"modalities": COUNTS, "width": 8}).eval()
    x = {Modality(m): torch.randn(1, 3, n) for m, n in COUNTS}
    assert model(x, torch.ones(1, 3, 3)).reconstructed is None
    assert not any("reconstruction" in key for key in model.state_dict())


@pytest.mark.parametrize("name", ["late", "product_of_experts", "recursive_joint_attention"])
def test_families_without_a_common_step_refuse(name: str) -> None:
    with pytest.raises(BadInput, match="cannot reconstruct absent modalities"):
        build_model(name, {"modalities": COUNTS, "width": 8, "reconstruct": True})


def test_a_guess_of_a_token_serves_people_it_has_not_seen(make_toy: MakeToy) -> None:
    """Guesses are nearer than the average of that person's tokens, which is what masking means."""
    torch.manual_seed(0)
    sequences, unseen = make_toy(6, 200, noise=0.3), make_toy(4, 200, noise=0.3, seed=9)
    counts = feature_counts(sequences)
    model = build_model("gated", {"modalities": counts, "width": 16, "reconstruct": True})
    assert isinstance(model, Stepwise)
    assert model.reconstruction is not None
    model.inputs.set_scale(feature_scale(sequences, counts))
    ratios = []
    with torch.no_grad():
        tokens, quality = model.tokens(*inputs(sequences, counts))
    optimiser = torch.optim.Adam(model.reconstruction.parameters(), lr=5e-3)
    for _ in range(150):
        loss = model.reconstruction.loss(tokens, quality)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.inference_mode():
        tokens, quality = model.tokens(*inputs(unseen, counts))
        there = (quality > 0).all(-1)
        for k in range(len(counts)):
            hidden = quality * (torch.arange(len(counts)) != k)
            filled, _ = model.reconstruction.fill(tokens, hidden)
            real, guess = tokens[there][:, k], filled[there][:, k]
            error, spread = (guess - real).square().mean(), (real - real.mean(0)).square().mean()
            ratios.append(float(error / spread))
    assert sum(ratios) / len(ratios) < 0.8


def test_training_trains_the_cascade(make_toy: MakeToy) -> None:
    settings = TrainingSettings(width=8, epochs=1, batches=2, crop_s=(20.0, 30.0), batch=4)
    one, two = (
        train("gated", make_toy(3, 100), settings=replace(settings, learning_rate=rate), options=ON)
        for rate in (1e-2, 1e-9)
    )
    mine, theirs = one.model.state_dict(), two.model.state_dict()
    cascade = [key for key in mine if key.startswith("reconstruction")]
    assert cascade
    assert not any(torch.allclose(mine[key], theirs[key], atol=1e-4) for key in cascade)


def inputs(
    sequences: list[LabelledSequence], counts: tuple[tuple[str, int], ...]
) -> tuple[dict[Modality, torch.Tensor], torch.Tensor]:
    batch = collate(sequences, counts)
    return batch.x, batch.present
