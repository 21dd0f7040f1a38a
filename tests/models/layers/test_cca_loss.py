"""The loss of deep CCA: its value, its gradients for both views, and what must not break it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from biosense.core.errors import BadInput
from biosense.models.layers.cca_loss import cca_loss, multi_cca_loss
from tests.support.closed_form_cca import closed_form_cca


def draw(n: int, d1: int, d2: int, seed: int = 0, shared: float = 0.7) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    common = torch.randn(n, min(d1, d2), generator=g, dtype=torch.float64)
    first = torch.randn(n, d1, generator=g, dtype=torch.float64)
    second = torch.randn(n, d2, generator=g, dtype=torch.float64)
    first[:, : common.shape[1]] += shared * common
    second[:, : common.shape[1]] += shared * common
    return first, second


def test_value_is_that_of_linear_cca() -> None:
    first, second = draw(200, 5, 3)
    _, _, correlations = closed_form_cca(first.numpy(), second.numpy())
    expected = -np.mean(correlations**2)
    assert float(cca_loss(first, second, rho=0.0)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("view", [0, 1])
@pytest.mark.parametrize("grouped", [False, True])
def test_gradient_of_each_view_agrees_with_finite_differences(view: int, grouped: bool) -> None:
    views = [v.requires_grad_() for v in draw(24, 4, 3)]
    groups = torch.arange(24) // 8 if grouped else None
    cca_loss(*views, groups=groups).backward()
    gradient = views[view].grad
    assert gradient is not None
    numeric, step = torch.zeros_like(gradient), 1e-6
    for index in np.ndindex(*gradient.shape):
        sides = []
        for sign in (1, -1):
            moved = [v.detach().clone() for v in views]
            moved[view][index] += sign * step
            sides.append(cca_loss(*moved, groups=groups))
        numeric[index] = (sides[0] - sides[1]) / (2 * step)
    torch.testing.assert_close(gradient, numeric, rtol=1e-5, atol=1e-8)


def test_an_invertible_map_of_a_view_changes_nothing() -> None:
    first, second = draw(400, 4, 4)
    mixing = torch.randn(4, 4, generator=torch.Generator().manual_seed(2)).double()
    mixed = first @ (mixing + 3 * torch.eye(4)) + 5.0
    without = cca_loss(first, second, rho=0.0)
    torch.testing.assert_close(cca_loss(mixed, second, rho=0.0), without, rtol=0, atol=1e-9)
    assert float(cca_loss(mixed, second)) == pytest.approx(float(without), abs=1e-2)
    torch.testing.assert_close(cca_loss(first / 100, second), cca_loss(first, second))


def test_views_may_change_places() -> None:
    first, second = draw(100, 5, 3)
    torch.testing.assert_close(cca_loss(first, second), cca_loss(second, first))
    views = torch.stack([first[:, :3], second, first[:, 2:]], 1)
    present = torch.rand(100, 3) > 0.2
    order = [2, 0, 1]
    torch.testing.assert_close(
        multi_cca_loss(views, present), multi_cca_loss(views[:, order], present[:, order])
    )


@pytest.mark.parametrize(("d", "n"), [(4, 32), (10, 64), (10, 256)])
def test_independent_views_score_the_chance_level(d: int, n: int) -> None:
    losses = [float(cca_loss(*draw(n, d, d, seed, shared=0.0), rho=0.0)) for seed in range(400)]
    assert -np.mean(losses) == pytest.approx(d / (n - 1), rel=0.05)


def with_dead_units(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    first = first.clone()
    first[:, :2] = 0.0
    return first, second


BROKEN = {
    "dead units": with_dead_units(*draw(64, 5, 5)),
    "a unit twice": (draw(64, 4, 4)[0][:, [0, 1, 2, 2]], draw(64, 4, 4)[1]),
    "a constant view": (torch.full((64, 4), 3.0).double(), draw(64, 4, 4)[1]),
    "both constant": (torch.ones(64, 4).double(), torch.ones(64, 4).double()),
    "fewer rows than features": draw(8, 16, 16),
    "two rows": draw(2, 4, 4),
    "one row": draw(1, 4, 4),
    "no row": draw(0, 4, 4),
    "small": tuple(1e-4 * view for view in draw(64, 4, 4)),
    "tiny": tuple(1e-9 * view for view in draw(64, 4, 4)),
    "identical views": (draw(64, 4, 4)[0], draw(64, 4, 4)[0].clone()),
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_value_and_gradient_stay_finite(case: str, dtype: torch.dtype) -> None:
    views = [view.to(dtype).requires_grad_() for view in BROKEN[case]]
    loss = cca_loss(*views)
    assert -1 - 1e-9 <= float(loss.detach()) <= 0
    loss.backward()
    for view in views:
        assert view.grad is not None
        assert torch.isfinite(view.grad).all()


def test_masked_rows_do_not_matter() -> None:
    first, second = draw(100, 4, 4)
    expected = cca_loss(first[:80], second[:80])
    first[80:], second[80:] = 1e9, torch.nan
    torch.testing.assert_close(
        cca_loss(first, second, mask=torch.arange(100) < 80), expected, rtol=0, atol=0
    )
    views = torch.stack([first, second], 1)
    present = (torch.arange(100) < 80)[:, None].expand(100, 2)
    torch.testing.assert_close(multi_cca_loss(views, present), expected, rtol=0, atol=0)


def test_autocast_does_not_coarsen_it() -> None:
    first, second = (view.float() for view in draw(64, 4, 4))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = cca_loss(first, second)
    assert inside.dtype == torch.float64
    torch.testing.assert_close(inside, cca_loss(first, second), rtol=0, atol=0)


def test_identity_of_people_is_no_correlation_once_groups_are_given() -> None:
    first, second = draw(1600, 8, 8, shared=0.0)
    people = torch.arange(1600) // 100
    first += 2 * torch.randn(16, 8, dtype=torch.float64)[people]
    second += 2 * torch.randn(16, 8, dtype=torch.float64)[people]
    assert float(cca_loss(first, second)) < -0.15
    assert float(cca_loss(first, second, groups=people)) == pytest.approx(-8 / 1584, abs=0.005)


def test_a_pair_of_views_that_rarely_meet_is_left_out() -> None:
    first, second = draw(100, 4, 4)
    views = torch.stack([first, second, first], 1)
    present = torch.ones(100, 3, dtype=torch.bool)
    present[10:, 2] = False
    torch.testing.assert_close(multi_cca_loss(views, present), cca_loss(first, second))
    nothing = multi_cca_loss(views.requires_grad_(), torch.zeros(100, 3, dtype=torch.bool))
    nothing.backward()
    assert float(nothing.detach()) == 0
    assert views.grad is not None
    assert float(views.grad.abs().max()) == 0


def test_views_that_do_not_fit_are_refused() -> None:
    with pytest.raises(BadInput, match="equal length"):
        cca_loss(torch.zeros(3, 2), torch.zeros(4, 2))
    with pytest.raises(BadInput, match=r"\(n, views, d\)"):
        multi_cca_loss(torch.zeros(3, 2, 2), torch.ones(3, 3, dtype=torch.bool))
