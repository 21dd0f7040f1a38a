"""Run an exported model where torch is not installed: one file, one call every quarter second."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from biosense.models.deployment.onnx_step import OnnxStep

with tempfile.TemporaryDirectory() as folder:
    graph = Path(folder) / "demo.onnx"
    # Once, on a machine with torch. The graph is all that the other machine needs.
    export = ["-m", "biosense", "export-model", "demo", "--onnx", str(graph)]
    subprocess.run([sys.executable, *export], check=True)
    step = OnnxStep(graph)

assert "torch" not in sys.modules
for modality, names in step.features.items():
    print(f"{modality:5} {len(names):2} features: {', '.join(names[:3])}, ...")

# In place of the features of a pipeline: a person at rest, then one whose skin answers.
rest = {modality: np.zeros(len(names)) for modality, names in step.features.items()}
present = np.ones(len(step.features))
for second in range(0, 21, 4):
    for _ in range(round(4 / step.hop)):
        aroused = {**rest, "eda": np.full_like(rest["eda"], 2.0)} if second >= 8 else rest
        mean, log_variance, weight = step.push(aroused, present)
    (valence, arousal), (_, sd) = mean, np.exp(log_variance / 2)
    print(f"{second + 4:3} s: valence {valence:+.2f}, arousal {arousal:+.2f} (sd {sd:.2f})")
