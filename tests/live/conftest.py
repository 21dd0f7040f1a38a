"""A short recorded run that many tests look at, and a small model."""

import pytest
import torch
from recorded_runs import WholeRun, small_checkpoint, whole_run
from virtual_clock import VirtualClock

from biosense.acquisition.lsl import configure
from biosense.live.model import load_model
from biosense.models.checkpoint import Loaded


@pytest.fixture(scope="session", autouse=True)
def lsl_session() -> str:
    torch.set_num_threads(1)
    return configure().session


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> WholeRun:
    return whole_run(tmp_path_factory.getbasetemp() / "whole-run")


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load_model(str(small_checkpoint(tmp_path_factory.mktemp("model") / "small")))
