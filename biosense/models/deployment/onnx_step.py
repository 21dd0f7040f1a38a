"""Run an exported step of a model: needs onnxruntime, and neither torch nor the checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from biosense.core.errors import BadInput, MissingExtra
from biosense.core.types import Floats, Modality

METADATA = "biosense"
"""Key of the graph's metadata: JSON with model, hop, modalities, names of features and warning."""


class OnnxStep:
    """Follow a stream with an exported step, carrying its state.

    Parameters
    ----------
    path
        Of the graph that `biosense export-model` wrote.

    Attributes
    ----------
    features
        Names of the features of each modality, in order; modalities in the order of `present`.
    hop
        Seconds between two steps.
    warning
        What the model must not be used for; empty where its card says nothing.

    Raises
    ------
    BadInput
        It is no graph that `biosense export-model` wrote.
    MissingExtra
        onnxruntime is not installed.
    """

    def __init__(self, path: str | Path) -> None:
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
        metadata = self._session.get_modelmeta().custom_metadata_map
        if METADATA not in metadata:
            raise BadInput(f"{path} says nothing of its features: write it by `export-model`")
        said = json.loads(metadata[METADATA])
        self.features = {Modality(name): tuple(own) for name, own in said["features"].items()}
        self.hop, self.warning = float(said["hop"]), str(said["warning"])
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
            Features of each modality, (features,); NaN where one has no value. A modality that is
            left out is absent.
        present
            Quality of each modality in [0, 1], (modalities,); 0 = absent.

        Returns
        -------
        tuple of Floats
            Mean of valence and arousal (2,), logarithm of their variances (2,), and the share of
            each modality (modalities,).
        """
        given: dict[str, Any] = {
            f"features_{modality}": np.asarray(
                x.get(modality, np.full(len(names), np.nan)), np.float32
            )[None]
            for modality, names in self.features.items()
        }
        given["present"] = np.asarray(present, np.float32)[None]
        mean, log_variance, weight, *state = self._session.run(None, {**given, **self._state})
        self._state = {
            f"state_{k}": value for k, value in enumerate(state) if f"state_{k}" in self._shapes
        }
        return mean[0], log_variance[0], weight[0]
