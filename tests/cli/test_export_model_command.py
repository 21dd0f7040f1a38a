"""`biosense export-model`: a checkpoint as a graph that runs without torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biosense.models.deployment.onnx_step import OnnxStep

pytest.importorskip("onnxruntime")


def test_a_checkpoint_becomes_a_graph_that_runs(biosense, brief, tmp_path: Path) -> None:
    out = tmp_path / "step.onnx"
    answer = biosense("export-model", brief.checkpoint, "--onnx", out)
    assert answer.code == 0, answer.err
    assert "one step of 0.25 s" in answer.words
    step = OnnxStep(out)
    mean, log_variance, weight = step.push({}, np.zeros(len(step.features)))
    np.testing.assert_allclose(mean, 0.0, atol=1e-6)  # nothing is present: the prior
    np.testing.assert_allclose(np.exp(log_variance), 1 / 3, rtol=1e-5)
    assert weight.tolist() == [0.0] * len(step.features)
