"""LSL is configured once, before any test uses it."""

import pytest
from fake_bluez import why_not

from biosense.acquisition.lsl import configure

# No tests and no doctests in there, and parts of it need a library that exists on Linux only.
collect_ignore_glob = ["fake_bluez/*"]


@pytest.fixture(scope="session", autouse=True)
def lsl_session() -> str:
    return configure().session


@pytest.fixture
def bluetooth():
    """Simulated Bluetooth: `async with bluetooth(sensor) as (bus, bluez)`; skips where none is."""
    if reason := why_not():
        pytest.skip(reason)
    from fake_bluez.service import simulated_bluetooth

    return simulated_bluetooth
