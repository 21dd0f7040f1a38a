"""From features to estimates: fusion models, their training and their checkpoints."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from biosense.models.registry import names as names

__all__ = ["names"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("biosense.models.registry"), name)
    raise AttributeError(f"module 'biosense.models' has no attribute {name!r}")
