"""Load a checkpoint for a run, and check that it fits the features of this version."""

from __future__ import annotations

import torch

from biosense.core.errors import CheckpointMismatch
from biosense.models.checkpoint import Loaded, check_compatible, load
from biosense.processing.pipelines import fingerprints, schema


def load_model(name: str) -> Loaded:
    """Load a checkpoint by file or by the name of a shipped one.

    Raises
    ------
    BadInput
        When there is no such checkpoint.
    CheckpointMismatch
        When it was trained on other features than this version computes.
    """
    torch.set_num_threads(1)  # the models are small: a second thread costs more than it brings
    loaded = load(name)
    try:
        check_compatible(loaded.info, schema(), fingerprints())
    except CheckpointMismatch as error:
        raise CheckpointMismatch(f"model {name!r}: {error}") from error
    return loaded
