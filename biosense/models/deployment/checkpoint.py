"""Checkpoints: weights as safetensors, and beside them JSON that says what the weights belong to.

Nothing is ever unpickled: reading somebody's checkpoint cannot run their code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from biosense import __version__
from biosense.core.errors import BadInput, CheckpointMismatch
from biosense.core.types import Modality
from biosense.models.base import FusionModel
from biosense.models.deployment.card import Card, CheckpointInfo, check_compatible
from biosense.models.deployment.quantised import pack, unpack
from biosense.models.evaluation.conformal import Intervals
from biosense.models.registry import MODELS, build_model

__all__ = ["SHIPPED", "Card", "CheckpointInfo", "Loaded", "check_compatible", "load", "save"]

FORMAT = 1
SHIPPED = {"default": "case", "demo": "demo"}
"""Names of the checkpoints that come with the package, and their files."""

_FOLDER = Path(__file__).parent / "checkpoints"
_FOLDER_NAME = "checkpoint"  # of the pair in a checkpoint that is a folder


@dataclass(frozen=True, eq=False)
class Loaded:
    """Hold a model read from a checkpoint, ready to estimate, with what it says about itself.

    Parameters
    ----------
    model
        In evaluation mode.
    info
        What stands beside the weights.
    digest
        SHA-256 of the weights: two models of one name can be told apart by it.
    """

    model: FusionModel
    info: CheckpointInfo
    digest: str = ""


def save(
    path: str | Path,
    name: str,
    model: FusionModel,
    *,
    features: Mapping[Modality, Sequence[str]],
    fingerprints: Mapping[Modality, str],
    card: Card,
    conditioning: str = "person",
    int8: bool = False,
) -> Path:
    """Write a checkpoint.

    Parameters
    ----------
    path
        A folder that exists, or the name of the pair, with or without `.safetensors` or `.json`.
    name
        Of the model's family in `MODELS`.
    model
        Left as it is.
    features
        Names of the features of each modality of the model; others are left out.
    fingerprints
        Of the pipelines that made them.
    card
        What it was trained on, and how well it did.
    conditioning
        What was done to the features behind the pipelines, by name.
    int8
        Whether to store weights in 8 bits, a quarter of the size; see
        `biosense.models.deployment.quantised`.

    Returns
    -------
    Path
        The JSON file; the weights lie beside it.

    Raises
    ------
    BadInput
        The model is not of that family, or `features` does not describe the model's inputs.
    """
    if type(model) is not MODELS[name].model:
        raise BadInput(f"the model is a {type(model).__name__}, not one of family {name!r}")
    schema = _schema(model, features)
    known = {modality: fingerprints.get(modality, "") for modality in model.modalities}
    info = CheckpointInfo(
        name, asdict(model.config), schema, known, card, conditioning=conditioning
    )
    state = pack(model) if int8 else model.state_dict()
    weights = safetensors.torch.save(
        {key: tensor.detach().contiguous() for key, tensor in state.items()}
    )
    said = {"format": FORMAT, **asdict(info), "sha256": hashlib.sha256(weights).hexdigest()}
    weights_file, info_file = _pair(path)
    weights_file.parent.mkdir(parents=True, exist_ok=True)
    weights_file.write_bytes(weights)
    info_file.write_text(json.dumps(said, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    return info_file


def load(path: str | Path = "default") -> Loaded:
    """Read a checkpoint, in evaluation mode.

    Parameters
    ----------
    path
        As for `save`, or the name of a shipped one: "default", "demo".

    Returns
    -------
    Loaded
        The model with what it says about itself.

    Raises
    ------
    BadInput
        There is no checkpoint at `path`.
    CheckpointMismatch
        It is damaged, or made for another version of the model; the message says which.
    """
    weights_file, info_file = _pair(_FOLDER / SHIPPED[str(path)] if str(path) in SHIPPED else path)
    for file in (info_file, weights_file):
        if not file.is_file():
            raise BadInput(
                f"no checkpoint file {file}; give a checkpoint's path, one of "
                f"{sorted(SHIPPED)}, or make one with `biosense train`"
            )
    info, digest = _read_info(info_file)
    weights = weights_file.read_bytes()
    if hashlib.sha256(weights).hexdigest() != digest:
        raise CheckpointMismatch(
            f"{weights_file} is damaged or belongs to another {info_file.name}: its SHA-256 is "
            "not the one noted there. Copy both files again"
        )
    model = _build(info, info_file)
    _fill(model, unpack(_read_weights(weights, weights_file)), weights_file)
    return Loaded(model.eval(), info, digest)


def _pair(path: str | Path) -> tuple[Path, Path]:
    """Return the files of the weights and of the description."""
    path = Path(path)
    if path.is_dir():
        path = path / _FOLDER_NAME
    stem = path.stem if path.suffix in (".safetensors", ".json") else path.name
    return path.with_name(f"{stem}.safetensors"), path.with_name(f"{stem}.json")


def _schema(
    model: FusionModel, features: Mapping[Modality, Sequence[str]]
) -> dict[Modality, tuple[str, ...]]:
    schema = {modality: tuple(features.get(modality, ())) for modality in model.modalities}
    for modality, count in model.inputs.counts.items():
        if len(schema[modality]) != count or len(set(schema[modality])) != count:
            raise BadInput(
                f"the model has {count} features of {modality}; wanted as many different names, "
                f"got {list(schema[modality])}"
            )
    return schema


def _read_info(file: Path) -> tuple[CheckpointInfo, str]:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        if said["format"] != FORMAT:
            raise CheckpointMismatch(
                f"{file} has checkpoint format {said['format']}, this biosense {__version__} reads "
                f"{FORMAT}; it was written by biosense {said.get('version', '?')}"
            )
        card = dict(said["card"])
        card["validation_subjects"] = tuple(card["validation_subjects"])
        if card.get("intervals") is not None:
            card["intervals"] = Intervals(**_tuples(card["intervals"]))
        info = CheckpointInfo(
            said["model"],
            dict(said["settings"]),
            {Modality(name): tuple(names) for name, names in said["features"].items()},
            {Modality(name): str(text) for name, text in said["fingerprints"].items()},
            Card(**card),
            str(said["version"]),
            str(said.get("conditioning", "person")),
        )
        return info, str(said["sha256"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointMismatch(f"{file} is not a checkpoint's description: {error!r}") from error


def _tuples(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with the lists of JSON as tuples."""

    def frozen(value: Any) -> Any:
        return tuple(map(frozen, value)) if isinstance(value, list) else value

    return {key: frozen(value) for key, value in said.items()}


def _build(info: CheckpointInfo, file: Path) -> FusionModel:
    try:
        MODELS[info.model]
    except BadInput as error:
        raise CheckpointMismatch(
            f"{file} needs a family that is not here: {error}; install the package that brings it, "
            "or register it first"
        ) from error
    try:
        return build_model(info.model, info.settings)
    except (BadInput, ValueError, TypeError) as error:
        raise CheckpointMismatch(f"{file} describes no model of this version: {error}") from error


def _read_weights(weights: bytes, file: Path) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load(weights)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise CheckpointMismatch(f"{file} is not a safetensors file: {error}") from error


def _fill(model: FusionModel, weights: Mapping[str, Tensor], file: Path) -> None:
    wanted = {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()}
    got = {key: tuple(tensor.shape) for key, tensor in weights.items()}
    if wanted != got:
        different = sorted(key for key in {*wanted, *got} if wanted.get(key) != got.get(key))
        raise CheckpointMismatch(
            f"weights in {file} do not fit the model: {', '.join(different)} differ in presence or "
            "shape; it was written by another version"
        )
    model.load_state_dict(weights)
