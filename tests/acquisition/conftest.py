"""Simulated Bluetooth, for the tests that use it."""

import pytest

from tests.support.fake_bluez import why_not


@pytest.fixture
def bluetooth():
    """Simulated Bluetooth: `async with bluetooth(sensor) as (bus, bluez)`; skips where none is."""
    if reason := why_not():
        pytest.skip(reason)
    from tests.support.fake_bluez.service import simulated_bluetooth

    return simulated_bluetooth
