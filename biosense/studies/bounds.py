"""A value with its interval, as results hold it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """Hold a value with its 95 % interval over people; no bounds for fewer than three."""

    value: float | None
    low: float | None = None
    high: float | None = None
