"""Models by name: those that are shipped, and your own."""

from __future__ import annotations

from pathlib import Path

from biosense.estimation.load_model import load_model as load_named
from biosense.models.deployment.checkpoint import Loaded


def load_model(name: str | Path = "default") -> Loaded:
    """Load a model that is ready to estimate.

    Parameters
    ----------
    name
        "default" (heart and skin conductance of people), "demo" (simulated people), or where a
        checkpoint lies.

    Returns
    -------
    Loaded
        `.model`, and `.info` with its card: what it was trained on, how well it did, and what it
        must not be used for.

    Raises
    ------
    BadInput
        If there is no such checkpoint.
    CheckpointMismatch
        If it was trained on other features than this version computes.

    Examples
    --------
    >>> import biosense as bs
    >>> [str(modality) for modality in bs.load_model("default").model.modalities]
    ['ecg', 'eda', 'ppg']
    """
    return load_named(str(name))
