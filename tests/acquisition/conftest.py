"""LSL is configured once, before any test uses it."""

import pytest

from biosense.acquisition.lsl import configure


@pytest.fixture(scope="session", autouse=True)
def lsl_session() -> str:
    return configure().session
