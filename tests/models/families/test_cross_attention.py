"""What is particular to cross-attention: the window, quality as a bias, block-wise computation."""

from __future__ import annotations

import pytest
import torch

from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.models.families.cross_attention import CrossAttention, CrossAttentionConfig

COUNTS = (("eda", 2), ("ecg", 3))


def make(window_s: float = 2.0, hop: float = 0.25) -> CrossAttention:
    torch.manual_seed(1)
    return CrossAttention(CrossAttentionConfig(COUNTS, 8, 2, window_s, hop)).eval()


def draw(time: int) -> tuple[dict[Modality, torch.Tensor], torch.Tensor]:
    torch.manual_seed(2)
    x = {Modality(name): torch.randn(1, time, n) for name, n in COUNTS}
    return x, torch.ones(1, time, 2)


def test_attention_sees_exactly_the_window() -> None:
    model = make()  # 8 steps
    x, present = draw(30)
    present[:, 1:, 0] = 0  # eda spoke once, at step 0
    weight = model(x, present).weight[0, :, 0]
    assert bool((weight[:8] > 0).all())
    assert bool((weight[8:] == 0).all())


@pytest.mark.parametrize("time", [1, 7, 8, 9, 16, 23])
def test_blocks_equal_attention_over_all_keys(time: int) -> None:
    """Compare with a direct softmax over every visible key, one query at a time."""
    model = make()
    x, present = draw(time)
    present[:, ::3, 1] = 0.3
    tokens, quality = model.tokens(x, present)
    now = (tokens * quality[..., None]).sum(2) / quality.sum(2, keepdim=True)
    attended, weight = model._attend_blocks(now, tokens, quality)
    pairs = model._heads(model.to_key_value(tokens))[0]  # (time, modalities, heads, 2 size)
    query, lag_bias = model._heads(model.to_query(now))[0], model._lag_bias()
    for t in range(time):
        first = max(0, t - 7)
        for head in range(2):
            key, value = pairs[first : t + 1, :, head].chunk(2, -1)
            null_key, null_value = model.null[head].chunk(2, -1)
            lags = torch.arange(t - first, -1, -1)
            logits = key @ query[t, head] / 2 + quality[0, first : t + 1].log()
            logits = (logits + lag_bias[head, lags]).flatten()
            share = torch.cat((logits, null_key @ query[t, head] / 2)).softmax(0)
            wanted = share @ torch.cat((value.flatten(0, 1), null_value))
            got = attended[0, t].unflatten(0, (2, -1))[head]
            torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-6)
    assert weight.shape == (1, time, 2)


def test_weight_falls_with_quality() -> None:
    model = make()
    x, present = draw(20)
    weights = []
    for quality in (1.0, 0.5, 0.1, 0.01, 0.0):
        present[..., 0] = quality
        # The query is held still: only the bias of the logits may act.
        tokens, clean = model.tokens(x, present)
        weights.append(model._attend_blocks(torch.zeros(1, 20, 8), tokens, clean)[1][0, -1, 0])
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] == 0 < weights[-2]


def test_time_code_is_in_seconds_not_in_steps() -> None:
    fine, coarse = make(hop=0.25), make(hop=0.5)
    torch.testing.assert_close(fine._time_code[::2], coarse._time_code)
    assert fine.window == 2 * coarse.window == 8


@pytest.mark.parametrize(("width", "heads", "window_s"), [(10, 4, 8.0), (8, 0, 8.0), (8, 2, 0.1)])
def test_impossible_settings_are_refused(width: int, heads: int, window_s: float) -> None:
    with pytest.raises(BadInput, match="must"):
        CrossAttentionConfig(COUNTS, width, heads, window_s)


def test_modalities_must_be_known_and_unique() -> None:
    with pytest.raises(BadInput, match="once"):
        CrossAttention(CrossAttentionConfig((("eda", 2), ("eda", 3))))
    with pytest.raises(ValueError, match="aura"):
        CrossAttention(CrossAttentionConfig((("aura", 2),)))
