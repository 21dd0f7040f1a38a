"""Where a model is trained, and torch's random state while it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch

from biosense.core.errors import BadInput

Device = Literal["auto", "cpu", "cuda"]
"""Where a model is trained; "auto" is a GPU where there is one. It comes back on the CPU."""


def chosen_device(device: Device) -> torch.device:
    """Return where to train.

    Parameters
    ----------
    device
        What was asked for.

    Returns
    -------
    torch.device
        The current GPU, or the CPU.

    Raises
    ------
    BadInput
        A GPU was asked for and torch finds none.

    Examples
    --------
    >>> chosen_device("cpu")
    device(type='cpu')
    """
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise BadInput("device='cuda', but torch finds no GPU; use 'cpu' or 'auto'")
    return torch.device("cuda" if there and device != "cpu" else "cpu")


@contextmanager
def random_state(seed: int, place: torch.device) -> Iterator[None]:
    """Seed torch's random state, and put back what it was afterwards.

    Parameters
    ----------
    seed
        Of the CPU's generator, and of the device's where that is a GPU.
    place
        Where a model is trained.

    Yields
    ------
    None
        While torch draws from that seed.
    """
    devices = [torch.cuda.current_device()] if place.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
