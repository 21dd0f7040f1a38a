"""The exported step says what the model says, also through gaps and missing values."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from biosense.core.errors import BadInput, MissingExtra
from biosense.core.types import Modality
from biosense.models.deployment.card import Card, CheckpointInfo
from biosense.models.deployment.checkpoint import Loaded
from biosense.models.deployment.onnx import export_step
from biosense.models.deployment.onnx_step import OnnxStep
from biosense.models.registry import build_model

pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")
COUNTS = (("eeg", 3), ("ecg", 2), ("eda", 1))


def untrained(name: str) -> Loaded:
    torch.manual_seed(0)
    model = build_model(name, {"modalities": COUNTS, "width": 8, "window_s": 2.0}).eval()
    features = {Modality(m): tuple(f"f{k}" for k in range(n)) for m, n in COUNTS}
    info = CheckpointInfo(name, asdict(model.config), features, {}, Card(warning="a toy"))
    return Loaded(model, info)


# One family with a window in its state and one without: the others differ in their layers only,
# and benchmarks/models/small_models.py goes through all of them.
@pytest.mark.parametrize("name", ["cross_attention", "product_of_experts"])
def test_the_graph_says_what_the_model_says(name: str, tmp_path: Path) -> None:
    loaded, rng = untrained(name), np.random.default_rng(0)
    step = OnnxStep(export_step(loaded, tmp_path / "new" / "step.onnx"))
    assert step.features == loaded.info.features
    assert (step.hop, step.warning) == (0.25, "a toy")
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


def test_a_modality_may_be_left_out(tmp_path: Path) -> None:
    step = OnnxStep(export_step(untrained("product_of_experts"), tmp_path / "step.onnx"))
    present = np.array([1.0, 0.0, 1.0])
    x = {Modality(m): np.ones(n) for m, n in COUNTS}
    said = step.push(x, present)
    step.reset()
    del x[Modality.ECG]
    np.testing.assert_array_equal(said[0], step.push(x, present)[0])


def test_a_graph_of_others_is_refused(tmp_path: Path) -> None:
    number = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    same = onnx.helper.make_node("Identity", ["x"], ["y"])
    also = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([same], "theirs", [number], [also])
    opset = [onnx.helper.make_opsetid("", 18)]
    onnx.save(
        onnx.helper.make_model(graph, opset_imports=opset, ir_version=9), tmp_path / "theirs.onnx"
    )
    with pytest.raises(BadInput, match=r"theirs\.onnx says nothing of its features"):
        OnnxStep(tmp_path / "theirs.onnx")


def test_a_graph_runs_where_torch_is_not_loaded() -> None:
    script = "import biosense.models.deployment.onnx_step, sys; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(MissingExtra, match=r"onnxscript is not installed: .*biosense\[onnx\]"):
        export_step(untrained("gated"), tmp_path / "x.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtra, match="onnxruntime is not installed"):
        OnnxStep(tmp_path / "x.onnx")
