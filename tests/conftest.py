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
from tests.support.stand_ins import PublicFile, stand_in
from tests.support.virtual_clock import VirtualClock

REAL_DATA = Path(
    os.environ.get("BIOSENSE_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
)


@pytest.fixture(scope="session", autouse=True)
def lsl_session() -> str:
    return configure().session


@pytest.fixture(
    scope="module",
    params=["fabricated", *[pytest.param("real", marks=pytest.mark.data)] * REAL_DATA.is_dir()],
)
def public_file(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> PublicFile:
    """Return the path of a recording by its name: its stand-in, and the real one where it is."""
    if request.param == "real":
        return REAL_DATA.joinpath
    folder = tmp_path_factory.getbasetemp() / "stand-ins"
    return lambda name: stand_in(name, folder)


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
