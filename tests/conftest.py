"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

# Before anything uses LSL: the streams of this run, and of its child processes, see no others.
os.environ["BIOSENSE_LSL_SESSION"] = f"test-{os.getpid()}"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the public test recordings are not at {folder}")
    return folder
