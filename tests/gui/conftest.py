"""Widgets are drawn off screen; LSL is configured once, before any test uses it."""

import os

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from biosense.acquisition.lsl import configure


@pytest.fixture(scope="session", autouse=True)
def lsl_session() -> str:
    return configure().session
