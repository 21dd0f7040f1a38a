"""The exported step says what the model says, also through gaps and missing values."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from biosense.core.errors import MissingExtra
from biosense.core.types import Modality
from biosense.models.deployment.card import Card, CheckpointInfo
from biosense.models.deployment.checkpoint import Loaded
from biosense.models.deployment.onnx import export_step
from biosense.models.deployment.onnx_step import OnnxStep
from biosense.models.registry import build_model

pytest.importorskip("onnxruntime")
COUNTS = (("eeg", 3), ("ecg", 2), ("eda", 1))


def untrained(name: str) -> Loaded:
    torch.manual_seed(0)
    model = build_model(name, {"modalities": COUNTS, "width": 8, "window_s": 2.0}).eval()
    features = {Modality(m): tuple(f"f{k}" for k in range(n)) for m, n in COUNTS}
    info = CheckpointInfo(name, asdict(model.config), features, {}, Card(warning="a toy"))
    return Loaded(model, info)


# One family with a window in its state and one without: the others differ in their layers only,
# and benchmarks/small_models.py goes through all of them.
@pytest.mark.parametrize("name", ["cross_attention", "product_of_experts"])
def test_the_graph_says_what_the_model_says(name: str, tmp_path: Path) -> None:
    loaded, rng = untrained(name), np.random.default_rng(0)
    step = OnnxStep(export_step(loaded, tmp_path / "new" / "step.onnx"))
    assert step.modalities == loaded.model.modalities
    first = None
    for again in range(2):
        state = loaded.model.begin(1)
        rng = np.random.default_rng(0)
        step.reset()
        for k in range(30):
            present = rng.uniform(0.2, 1.0, 3) * (rng.random(3) > 0.3) * (not 10 <= k < 20)
            x = {Modality(m): rng.standard_normal(n) for m, n in COUNTS}
            x[Modality.ECG][1] = np.nan
            with torch.inference_mode():
                tensors = {m: torch.from_numpy(v).float()[None] for m, v in x.items()}
                output, state = loaded.model.step(
                    tensors, torch.from_numpy(present).float()[None], state
                )
            mean, log_variance, weight = step.push(x, present)
            np.testing.assert_allclose(mean, output.mean[0], atol=1e-5)
            np.testing.assert_allclose(log_variance, output.log_variance[0], atol=1e-5)
            np.testing.assert_allclose(weight, output.weight[0], atol=1e-5)
        first = mean if again == 0 else first
    np.testing.assert_array_equal(first, mean)


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxscript", None)
    with pytest.raises(MissingExtra, match=r"onnxscript is not installed: .*biosense\[onnx\]"):
        export_step(untrained("gated"), tmp_path / "x.onnx")
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(MissingExtra, match="onnxruntime is not installed"):
        OnnxStep(tmp_path / "x.onnx")
