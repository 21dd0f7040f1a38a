"""What a benchmark found, as figures that a program can read: each script tells them at its end."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

MARK = "figure "  # begins a line of output that holds a figure


@dataclass(frozen=True)
class Figure:
    """Hold one headline figure.

    `other` is what the `alternative` reached in the same run. A `timed` figure is worth something
    on a quiet machine only, the others are the same on every machine.
    """

    name: str
    ours: float
    unit: str = ""
    other: float | None = None
    alternative: str = ""
    more_is_better: bool = False
    timed: bool = False

    def __post_init__(self) -> None:
        if (self.other is None) != (self.alternative == ""):
            raise ValueError(f"{self.name!r}: name the alternative and say what it reached")

    @property
    def ratio(self) -> float | None:
        """How many times better than the alternative: over 1 is better, None has no answer."""
        if self.other is None:
            return None
        best, worst = (self.ours, self.other) if self.more_is_better else (self.other, self.ours)
        return best / worst if worst > 0 and best > 0 else None


def tell(*figures: Figure) -> None:
    """Print figures for the command that runs all benchmarks."""
    for figure in figures:
        print(MARK + json.dumps({key: _plain(value) for key, value in asdict(figure).items()}))


def _plain(value: object) -> object:
    """Return a number of numpy as one that JSON knows."""
    return float(value) if isinstance(value, float) else value


def told(output: Iterable[str]) -> list[Figure]:
    """Return the figures in the lines that a benchmark printed."""
    return [
        Figure(**json.loads(line.removeprefix(MARK))) for line in output if line.startswith(MARK)
    ]
