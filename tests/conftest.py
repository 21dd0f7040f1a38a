"""Fixtures that every test may use."""

import os
from pathlib import Path

# Before anything uses them: one thread a test process, for there is a process a core; and the LSL
# streams of this run, and of its child processes, see no others.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["BIOSENSE_LSL_SESSION"] = f"test-{os.getpid()}"

import pytest

from biosense.acquisition.lsl import configure
from biosense.estimation.load_model import load_model
from biosense.models.deployment.checkpoint import Loaded
from tests.support.recorded_runs import WholeRun, small_checkpoint, whole_run
from tests.support.virtual_clock import VirtualClock


@pytest.fixture(scope="session", autouse=True)
def lsl_session() -> str:
    return configure().session


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the public test recordings are not at {folder}")
    return folder


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> WholeRun:
    """A long recording with everything in it, see `whole_run`."""
    return whole_run(tmp_path_factory.getbasetemp() / "whole-run")


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load_model(str(small_checkpoint(tmp_path_factory.mktemp("model") / "small")))
