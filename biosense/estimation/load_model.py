"""Load a checkpoint for a run, and check that it fits the features of this version."""

from __future__ import annotations

import torch

from biosense.core.errors import BadInput, CheckpointMismatch
from biosense.models.deployment.checkpoint import Loaded, check_compatible, load
from biosense.processing.conditioning import conditioned_fingerprints, conditioned_schema


def load_model(name: str) -> Loaded:
    """Load a checkpoint by file or by the name of a shipped one.

    Parameters
    ----------
    name
        File, or name of a shipped checkpoint.

    Returns
    -------
    Loaded

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
        way = loaded.info.conditioning
        check_compatible(loaded.info, conditioned_schema(way), conditioned_fingerprints(way))
    except (CheckpointMismatch, BadInput) as error:
        raise CheckpointMismatch(f"model {name!r}: {error}") from error
    return loaded
