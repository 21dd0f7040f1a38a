"""How the signals are looked at before a run begins, and what follows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from biosense.core.errors import BadInput


class OnProblem(StrEnum):
    """Say what a run does when the pre-flight finds that a required stream cannot be used."""

    REFUSE = "refuse"
    WARN = "warn"


@dataclass(frozen=True)
class PreflightSettings:
    """Hold how long the pre-flight looks, what it accepts, and what it does.

    Parameters
    ----------
    seconds
        How long, 0 for not at all; also chest straps send several packets in 5 s.
    on_problem
        Whether a required stream that cannot be used ends the run before it begins.
    min_rate
        Least share of the nominal rate.
    max_loss
        Greatest share of samples lost.
    max_mains
        Greatest share of a channel's power that is hum of the mains.
    max_clock_ms
        Greatest scatter of the measurements of a sender's clock, milliseconds.
    min_battery
        Least charge, as a share of 1.
    """

    seconds: float = 5.0
    on_problem: OnProblem = OnProblem.WARN
    min_rate: float = 0.95
    max_loss: float = 0.01
    max_mains: float = 0.5
    max_clock_ms: float = 20.0
    min_battery: float = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.seconds <= 600:
            raise BadInput(f"seconds={self.seconds} of a pre-flight must be from 0 to 600")
        for name in ("min_rate", "max_loss", "max_mains", "min_battery"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadInput(f"{name}={getattr(self, name)} must be a share from 0 to 1")
        if not self.max_clock_ms > 0:
            raise BadInput(f"max_clock_ms={self.max_clock_ms} must be positive")
