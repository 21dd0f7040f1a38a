"""The step of a model as an ONNX graph; `biosense.models.deployment.onnx_step` runs it."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from biosense.core.errors import MissingExtra
from biosense.models.base import FusionModel
from biosense.models.deployment.checkpoint import Loaded
from biosense.models.deployment.onnx_step import METADATA

_SAID = ("affect_mean", "affect_log_variance", "modality_weight")  # a graph has a `mean` inside


class _Step(nn.Module):
    """A step with tensors in order: features of each modality, quality, state."""

    def __init__(self, model: FusionModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        n = len(self.model.modalities)
        x = dict(zip(self.model.modalities, tensors[:n], strict=True))
        output, state = self.model.step(x, tensors[n], tensors[n + 1 :])
        return output.mean, output.log_variance, output.weight, *state


def export_step(loaded: Loaded, path: Path) -> Path:
    """Write the step of a model as an ONNX graph of one sequence.

    Inputs are `features_<modality>` (1, features), `present` (1, modalities) and `state_0`.. ;
    outputs `affect_mean` (1, 2), `affect_log_variance` (1, 2), `modality_weight` (1, modalities)
    and `next_state_0`.. , all float32. The first state is that of `FusionModel.begin`, of which the
    graph's metadata hold one number for each tensor: they are constant.

    Parameters
    ----------
    loaded
        Model with what it says about itself.
    path
        File to write; its folder is made where it is missing.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    MissingExtra
        onnx or onnxscript is not installed.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401 - what torch's exporter needs
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"{error.name} is not installed: pip install 'biosense[onnx]'"
        ) from error
    model = loaded.model.eval()
    state, inputs = model.begin(1), _inputs(model)
    with _quiet_exporter():
        program = torch.onnx.export(
            _Step(model).eval(),
            tuple(inputs.values()),
            input_names=list(inputs),
            output_names=[*_SAID, *(f"next_state_{k}" for k in range(len(state)))],
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    graph = program.model_proto
    onnx.helper.set_model_props(graph, {METADATA: json.dumps(_said(loaded, state))})
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(graph, path)
    return path


def _inputs(model: FusionModel) -> dict[str, Tensor]:
    """Return what a first step could be given, by the names that the graph's inputs have."""
    counts = model.inputs.counts
    inputs = {f"features_{modality}": torch.zeros(1, n) for modality, n in counts.items()}
    inputs["present"] = torch.ones(1, len(counts))
    return inputs | {f"state_{k}": part for k, part in enumerate(model.begin(1))}


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Keep torch's exporter from telling users of libraries that it does not need here."""
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # It also warns of its own use of what torch deprecates.
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        logger.setLevel(level)


def _said(loaded: Loaded, state: tuple[Tensor, ...]) -> dict[str, Any]:
    info = loaded.info
    return {
        "model": info.model,
        "hop": info.hop,
        "features": {m.value: list(info.features[m]) for m in loaded.model.modalities},
        # As text: minus infinity, the logarithm of a quality of 0, is no number of JSON.
        "state": {f"state_{k}": str(float(part.flatten()[0])) for k, part in enumerate(state)},
        "warning": info.card.warning,
    }
