"""Load a checkpoint for a command, and check that it fits the features of this version."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from biosense.models.checkpoint import Loaded


def load_model(name: str) -> Loaded:
    """Load a checkpoint by file or by the name of a shipped one.

    Raises
    ------
    CheckpointMismatch
        When it was trained on other features than this version computes.
    """
    import torch

    from biosense.models.checkpoint import check_compatible, load
    from biosense.processing.pipelines import fingerprints, schema

    torch.set_num_threads(1)  # the models are small: a second thread costs more than it brings
    loaded = load(name)
    check_compatible(loaded.info, schema(), fingerprints())
    return loaded
