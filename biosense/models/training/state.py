"""The state of a training between two epochs, on disk: safetensors with JSON in the header.

Nothing is ever unpickled. One file, replaced as a whole: a training that is killed while it writes
leaves the state of the epoch before.
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

from biosense.core.errors import CheckpointMismatch
from biosense.models.sequences import LabelledSequence
from biosense.models.training.settings import Progress, TrainingSettings

_PARTS = ("weights", "best", "optimiser", "random")
_HEADER = "training"


@dataclass(frozen=True, eq=False)
class TrainingState:
    """Hold everything that the rest of a training depends on.

    Parameters
    ----------
    task
        Digest of settings and data.
    weights, best
        Of the model now, and at its best epoch.
    optimiser
        Moments and step of each parameter, by its name and theirs.
    random
        States of torch's random generators, by device.
    order
        State of the generator of crops and of hidden inputs.
    history
        Of the epochs that are done.
    waited
        Epochs since the best one.
    """

    task: str
    weights: dict[str, Tensor]
    best: dict[str, Tensor]
    optimiser: dict[str, Tensor]
    random: dict[str, Tensor]
    order: Mapping[str, Any]
    history: tuple[Progress, ...]
    waited: int


def write_state(path: Path, state: TrainingState) -> None:
    """Write a state, replacing an older one at once: a crash leaves one of the two.

    Parameters
    ----------
    path
        File to write.
    state
        Of the epoch that has just ended.
    """
    # Cloned: tensors that share memory cannot be stored together.
    tensors = {
        f"{part}/{key}": tensor.detach().cpu().clone().contiguous()
        for part in _PARTS
        for key, tensor in getattr(state, part).items()
    }
    said = {
        "task": state.task,
        "order": state.order,
        "history": [asdict(progress) for progress in state.history],
        "waited": state.waited,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.part")
    partial.write_bytes(safetensors.torch.save(tensors, {_HEADER: json.dumps(said)}))
    partial.replace(path)


def read_state(path: Path, task: str) -> TrainingState:
    """Read the state of a task.

    Parameters
    ----------
    path
        File to read.
    task
        Digest of what is to be trained; see `task_digest`.

    Returns
    -------
    TrainingState
        All tensors on the CPU.

    Raises
    ------
    CheckpointMismatch
        The file is damaged, no state of a training, or of another task.
    """
    try:
        with safetensors.safe_open(path, "pt") as file:
            said = json.loads((file.metadata() or {})[_HEADER])
            parts: dict[str, dict[str, Tensor]] = {part: {} for part in _PARTS}
            for key in file.keys():  # noqa: SIM118 - it is no mapping
                part, _, name = key.partition("/")
                parts[part][name] = file.get_tensor(key)
        history = tuple(Progress(**progress) for progress in said["history"])
        state = TrainingState(
            str(said["task"]), **parts, order=said["order"], history=history, waited=said["waited"]
        )
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        raise CheckpointMismatch(
            f"{path} is no state of a training: {error!r}; delete it to train from the beginning"
        ) from error
    if state.task != task:
        raise CheckpointMismatch(
            f"{path} is the state of another training: its model, settings or data differ from "
            "this one's; give this training another file, or delete that one"
        )
    return state


def task_digest(
    name: str,
    chosen: Mapping[str, Any],
    settings: TrainingSettings,
    fit: Sequence[LabelledSequence],
    held: Sequence[LabelledSequence],
) -> str:
    """Return a digest of what the weights depend on.

    Parameters
    ----------
    name
        Of the family.
    chosen
        Fields of its config.
    settings
        Of the training.
    fit, held
        Both sides of the split.

    Returns
    -------
    str
        Hexadecimal SHA-256.
    """
    said = hashlib.sha256(
        json.dumps([name, dict(chosen), asdict(settings)], sort_keys=True, default=str).encode()
    )
    for part in (fit, held):
        said.update(f"{len(part)} sequences".encode())
        for sequence in part:
            said.update(sequence.subject.encode())
            said.update(sequence.target.tobytes())
            for modality, values in sequence.data.items():
                said.update(modality.encode())
                said.update(values.tobytes())
                said.update(sequence.quality[modality].tobytes())
    return said.hexdigest()
