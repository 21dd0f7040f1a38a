"""Losses: values against the metrics, gradients against finite differences, masks and edges."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from biosense.models.base import FusionOutput
from biosense.models.evaluation.metrics import ccc
from biosense.models.training.losses import (
    beta_nll,
    ccc_loss,
    fusion_loss,
    pooled_ccc_loss,
    squared_error,
)


def draw(batch: int = 3, time: int = 20) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    mean = torch.tanh(torch.randn(batch, time, 2, dtype=torch.float64)).requires_grad_()
    target = torch.tanh(torch.randn(batch, time, 2, dtype=torch.float64))
    known = torch.rand(batch, time, 2) > 0.3
    return mean, torch.where(known, target, torch.nan), known


def test_ccc_loss_is_one_minus_the_metric() -> None:
    mean, target, known = draw()
    p, y = mean.detach().numpy(), target.numpy()
    wanted = np.mean([1 - ccc(p[b, :, c], y[b, :, c]) for b in range(3) for c in range(2)])
    assert ccc_loss(mean, target, known).item() == pytest.approx(wanted)
    pooled = np.mean([1 - ccc(p[..., c].ravel(), y[..., c].ravel()) for c in range(2)])
    assert pooled_ccc_loss(mean, target, known).item() == pytest.approx(pooled)


@pytest.mark.parametrize("loss", [ccc_loss, pooled_ccc_loss, squared_error])
def test_gradients_equal_finite_differences(loss: object) -> None:
    mean, target, known = draw(2, 6)
    assert torch.autograd.gradcheck(lambda m: loss(m, target, known), mean)  # type: ignore[operator]


def test_gradient_of_plain_likelihood_equals_finite_differences() -> None:
    mean, target, known = draw(2, 6)
    log_variance = torch.randn(2, 6, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda m, v: beta_nll(m, v, target, known, beta=0.0), (mean, log_variance)
    )


def test_at_beta_one_the_mean_learns_as_from_squared_error() -> None:
    mean, target, known = draw()
    log_variance = torch.randn(3, 20, 2, dtype=torch.float64)
    likelihood = torch.autograd.grad(beta_nll(mean, log_variance, target, known, beta=1.0), mean)[0]
    square = torch.autograd.grad(0.5 * squared_error(mean, target, known), mean)[0]
    torch.testing.assert_close(likelihood, square)


def test_a_known_noise_profile_is_recovered() -> None:
    torch.manual_seed(0)
    sd = torch.linspace(0.05, 0.5, 8).repeat(500, 1)[..., None].expand(-1, -1, 2)
    target = sd * torch.randn(500, 8, 2)
    known = torch.ones_like(target, dtype=torch.bool)
    log_variance = torch.zeros(8, 2, requires_grad=True)
    optimiser = torch.optim.Adam([log_variance], lr=0.1)
    for _ in range(300):
        loss = beta_nll(torch.zeros_like(target), log_variance.expand(500, -1, -1), target, known)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    learnt = (0.5 * log_variance).exp()
    torch.testing.assert_close(learnt.detach(), sd[0], rtol=0.1, atol=0)


def test_unknown_targets_give_no_gradient() -> None:
    mean, target, known = draw()
    log_variance = torch.zeros_like(mean, requires_grad=True)
    output = FusionOutput(mean, log_variance, torch.zeros(3, 20, 1))
    gradients = torch.autograd.grad(fusion_loss(output, target), (mean, log_variance))
    for gradient in gradients:
        assert torch.isfinite(gradient).all()
        assert bool((gradient[~known] == 0).all())
        assert bool((gradient[known] != 0).any())


def test_sequences_that_cannot_be_scored_are_skipped() -> None:
    mean, target, known = draw()
    alone = ccc_loss(mean[:1], target[:1], known[:1])
    constant = target.clone()
    constant[1] = 0.3  # a constant
    constant[2] = torch.nan  # nobody rated
    torch.testing.assert_close(ccc_loss(mean, constant, torch.isfinite(constant)), alone)


def test_nothing_known_at_all_is_a_graph_connected_zero() -> None:
    mean, _, _ = draw()
    output = FusionOutput(mean, torch.zeros_like(mean), torch.zeros(3, 20, 1))
    loss = fusion_loss(output, torch.full_like(mean, torch.nan))
    loss.backward()
    assert loss.item() == 0
    assert mean.grad is not None
    assert bool((mean.grad == 0).all())
