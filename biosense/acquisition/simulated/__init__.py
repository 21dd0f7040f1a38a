"""A simulated participant: known valence and arousal, and every signal that they move.

The person is made up and their effects are larger and cleaner than a lab's: what a model reaches
here shows that the chain works, never how well it reads people.
"""

from biosense.acquisition.simulated.participant import (
    ALL_MODALITIES,
    DEFAULT_MODALITIES,
    Participant,
)
from biosense.acquisition.simulated.recording import simulate
from biosense.acquisition.simulated.source import SimulatedSource
from biosense.acquisition.simulated.state import AffectPath

__all__ = [
    "ALL_MODALITIES",
    "DEFAULT_MODALITIES",
    "AffectPath",
    "Participant",
    "SimulatedSource",
    "simulate",
]
