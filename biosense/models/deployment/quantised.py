"""Weights in 8 bits: a quarter of the size on disk, dequantised when a checkpoint is read.

Symmetric, one scale for each output channel, parameters only: scales of features, the prior and the
calibration stay as they are. torch's own quantisation is deprecated in favour of another package,
and integer arithmetic gains nothing at these sizes: a step is bound by the number of operations,
not by their width. So this saves space, not time.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import TypeVar

import torch
from torch import Tensor, nn

LEVELS = 127
SCALE = "::scale"  # behind the name of a tensor; no parameter's name can hold a colon
M = TypeVar("M", bound=nn.Module)


def pack(model: nn.Module) -> dict[str, Tensor]:
    """Return a model's state with every weight matrix as int8 and its scales beside it.

    Parameters
    ----------
    model
        Left as it is.

    Returns
    -------
    dict
        Tensors by name; the scale of a matrix under its name and `SCALE`.
    """
    matrices = {name for name, value in model.named_parameters() if value.ndim >= 2}
    packed: dict[str, Tensor] = {}
    for name, value in model.state_dict().items():
        if name not in matrices:
            packed[name] = value
            continue
        largest = value.abs().amax(_inputs_axis(value), keepdim=True)
        scale = torch.where(largest > 0, largest, 1.0) / LEVELS
        packed[name] = torch.round(value / scale).clamp(-LEVELS, LEVELS).to(torch.int8)
        packed[f"{name}{SCALE}"] = scale
    return packed


def unpack(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the state that was packed, to within half a level; one that was not as it is.

    Parameters
    ----------
    packed
        What `pack` gave, or a state that was not packed.

    Returns
    -------
    dict
        What `load_state_dict` takes.
    """
    return {
        name: value.to(packed[f"{name}{SCALE}"].dtype) * packed[f"{name}{SCALE}"]
        if f"{name}{SCALE}" in packed
        else value
        for name, value in packed.items()
        if not name.endswith(SCALE)
    }


def quantised(model: M) -> M:
    """Return a copy of a model with the weights that it will have after packing.

    Parameters
    ----------
    model
        Left as it is.

    Returns
    -------
    torch.nn.Module
        Of the same class.

    Examples
    --------
    >>> layer = quantised(nn.Linear(4, 2))
    >>> same = unpack(pack(layer))
    >>> bool(torch.allclose(same["weight"], layer.weight, atol=1e-7))
    True
    """
    copy = deepcopy(model)
    copy.load_state_dict(unpack(pack(model)))
    return copy


def _inputs_axis(weight: Tensor) -> int:
    """Return the axis that is summed over: last of (out, in), middle of (modalities, in, out)."""
    return -1 if weight.ndim == 2 else -2
