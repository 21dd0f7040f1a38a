"""Lab Streaming Layer in and out: what a lab's other programs send, and what they may read."""

from biosense.acquisition.lsl.clock import LslClock
from biosense.acquisition.lsl.config import configure
from biosense.acquisition.lsl.discovery import FoundStream, find_streams, resolve
from biosense.acquisition.lsl.poller import Poller
from biosense.acquisition.lsl.source import LslSource

__all__ = [
    "FoundStream",
    "LslClock",
    "LslSource",
    "Poller",
    "configure",
    "find_streams",
    "resolve",
]
