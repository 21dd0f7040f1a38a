"""From files on disk to recordings: `open` a data set by name, `names` lists those there are."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from biosense.datasets.opening import names as names
    from biosense.datasets.opening import open as open

__all__ = ["names", "open"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("biosense.datasets.opening"), name)
    raise AttributeError(f"module 'biosense.datasets' has no attribute {name!r}")
