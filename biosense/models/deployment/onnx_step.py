"""Run an exported step of a model: needs onnxruntime, and neither torch nor the checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from biosense.core.errors import MissingExtra
from biosense.core.types import Floats, Modality

METADATA = "biosense"
"""Key of the graph's metadata: JSON with model, hop, modalities, names of features and warning."""


class OnnxStep:
    """Run an exported step along a stream, carrying its state; needs onnxruntime, not torch.

    Parameters
    ----------
    path
        Of the graph.

    Raises
    ------
    MissingExtra
        onnxruntime is not installed.
    """

    def __init__(self, path: Path) -> None:
        try:
            import onnxruntime
        except ModuleNotFoundError as error:
            raise MissingExtra(
                "onnxruntime is not installed: pip install 'biosense[onnx]'"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # the graph is small: a second thread costs more
        self._session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )
        said = json.loads(self._session.get_modelmeta().custom_metadata_map[METADATA])
        self.modalities = tuple(Modality(name) for name in said["features"])
        self._first = said["state"]
        # What a family does not use is no input of its graph.
        self._shapes = {each.name: each.shape for each in self._session.get_inputs()}
        self.reset()

    def reset(self) -> None:
        """Forget everything, as before the first step."""
        self._state = {
            name: np.full(self._shapes[name], value, np.float32)
            for name, value in self._first.items()
            if name in self._shapes
        }

    def push(self, x: Mapping[Modality, Floats], present: Floats) -> tuple[Floats, Floats, Floats]:
        """Take one step.

        Parameters
        ----------
        x
            Features of every modality, (features,); NaN where one is absent.
        present
            Quality, (modalities,).

        Returns
        -------
        tuple
            Mean (2,), log-variance (2,) and weight (modalities,).
        """
        given: dict[str, Any] = {
            f"features_{m}": np.asarray(x[m], np.float32)[None] for m in self.modalities
        }
        given["present"] = np.asarray(present, np.float32)[None]
        mean, log_variance, weight, *state = self._session.run(None, {**given, **self._state})
        self._state = {
            f"state_{k}": value for k, value in enumerate(state) if f"state_{k}" in self._shapes
        }
        return mean[0], log_variance[0], weight[0]
