"""BlueZ simulated on a private D-Bus: bleak talks to simulated sensors without knowing it.

What is imported here needs no D-Bus library, which exists on Linux only; `fake_bluez.service` does.
"""

from tests.support.fake_bluez.att import AttError
from tests.support.fake_bluez.bus import PrivateBus, release_bleak, why_not
from tests.support.fake_bluez.clock import Crystal, ScaledClock
from tests.support.fake_bluez.faults import (
    Corrupt,
    Duplicate,
    Faults,
    Lose,
    LoseNext,
    Reorder,
    Truncate,
)
from tests.support.fake_bluez.peripheral import Characteristic, Peripheral, Service, impostor

__all__ = [
    "AttError",
    "Characteristic",
    "Corrupt",
    "Crystal",
    "Duplicate",
    "Faults",
    "Lose",
    "LoseNext",
    "Peripheral",
    "PrivateBus",
    "Reorder",
    "ScaledClock",
    "Service",
    "Truncate",
    "impostor",
    "release_bleak",
    "why_not",
]
