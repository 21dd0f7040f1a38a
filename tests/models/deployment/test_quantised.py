"""Eight bits are enough: weights come back to half a level, estimates hardly change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from biosense.core.affect import TARGETS
from biosense.models.deployment.card import Card
from biosense.models.deployment.checkpoint import load, save
from biosense.models.deployment.quantised import LEVELS, SCALE, pack, quantised, unpack
from biosense.models.evaluation.evaluate import evaluate, predict
from biosense.models.registry import MODELS, build_model
from biosense.models.sequences import LabelledSequence, feature_counts
from biosense.models.training.train import TrainingSettings, train

MakeToy = Callable[..., list[LabelledSequence]]
COUNTS = (("eeg", 5), ("ecg", 4), ("eda", 1))


@pytest.mark.parametrize("name", list(MODELS))
def test_every_weight_comes_back_to_within_half_a_level(name: str) -> None:
    torch.manual_seed(0)
    model = build_model(name, MODELS[name].settings({"modalities": COUNTS, "width": 16}))
    packed = pack(model)
    back = unpack(packed)
    for key, value in model.state_dict().items():
        scale = packed.get(f"{key}{SCALE}")
        if scale is None:
            assert torch.equal(back[key], value)
        else:
            assert packed[key].dtype == torch.int8
            assert torch.all((back[key] - value).abs() <= 0.5 * scale + 1e-7)
            assert packed[key].abs().max() <= LEVELS
    matrices = [key for key, value in model.named_parameters() if value.ndim >= 2]
    assert {key.removesuffix(SCALE) for key in packed if key.endswith(SCALE)} == set(matrices)


def test_the_ccc_changes_by_less_than_a_hundredth(make_toy: MakeToy) -> None:
    settings = TrainingSettings(
        width=16, epochs=3, batches=6, crop_s=(15.0, 25.0), batch=4, learning_rate=5e-3
    )
    model = train("gated", make_toy(5, 160), settings=settings).model
    unseen = make_toy(3, 200, seed=9)
    full, small = evaluate(model, unseen), evaluate(quantised(model), unseen)
    for target in TARGETS:
        assert full[target].scores.ccc > 0.4
        assert small[target].scores.ccc == pytest.approx(full[target].scores.ccc, abs=0.01)
    apart = predict(quantised(model), unseen[0]).mean - predict(model, unseen[0]).mean
    assert 0 < np.abs(apart).max() < 0.05


def test_a_packed_checkpoint_is_a_third_as_large_and_loads_as_any(
    make_toy: MakeToy, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    toy = make_toy(1, 40)[0]
    model = build_model("cross_attention", {"modalities": feature_counts([toy])}).eval()
    features = {m: tuple(f"f{k}" for k in range(v.shape[1])) for m, v in toy.data.items()}
    sizes = []
    for int8 in (False, True):
        path = tmp_path / str(int8)
        save(
            path,
            "cross_attention",
            model,
            features=features,
            fingerprints={},
            card=Card(),
            int8=int8,
        )
        sizes.append(path.with_suffix(".safetensors").stat().st_size)
    assert sizes[1] < sizes[0] / 3
    loaded = load(tmp_path / "True").model
    np.testing.assert_array_equal(predict(loaded, toy).mean, predict(quantised(model), toy).mean)
