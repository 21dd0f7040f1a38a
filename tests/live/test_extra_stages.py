"""A run whose pipelines have stages beside their own: recorded, and done again offline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.estimation.processor import Processor, ProcessorSettings
from biosense.estimation.recorded_run import recorded_header
from biosense.live.config.preset import parse_preset
from biosense.live.config.run_settings import RunOptions, run_settings
from biosense.models.deployment.checkpoint import Loaded
from biosense.processing.registry import ExtraStage
from tests.support.examples import registered
from tests.support.recorded_runs import carry_out, compare, recorded, sensor
from tests.support.scripted import Scripted, chunked
from tests.support.virtual_clock import VirtualClock

STAGES = (
    ExtraStage(Modality.ECG, "despike", options=(("limit", 2e-4),)),
    ExtraStage(Modality.ECG, "low_pass", options=(("cutoff", 30.0),)),
)


def estimates(folder: Path) -> np.ndarray:
    return np.concatenate([chunk.data for chunk in recorded(folder)["biosense-affect"]])


def run(clock: VirtualClock, loaded: Loaded, folder: Path, *stages: ExtraStage):
    ecg = sensor(Modality.ECG, 14.0)
    source = Scripted(clock, [ecg.info], chunked(ecg))
    settings = ProcessorSettings(stages=stages)
    return carry_out([source], clock, loaded=loaded, record=folder, processor=settings)


def test_what_a_run_did_is_done_again_offline(loaded: Loaded, tmp_path: Path) -> None:
    usual = run(VirtualClock(), loaded, tmp_path / "usual")
    with registered("own_stage"):
        outcome = run(VirtualClock(), loaded, tmp_path / "own", *STAGES)
        header = recorded_header(XdfReader(outcome.folder))
        assert header is not None
        assert header.settings.stages == STAGES
        found = compare(outcome.folder, loaded)
    assert (found.recorded, found.largest_difference) == (found.same_times, 0.0)
    assert not np.array_equal(estimates(outcome.folder), estimates(usual.folder))


def test_a_model_that_was_trained_without_them_is_told(loaded: Loaded, tmp_path: Path) -> None:
    with registered("own_stage"):
        outcome = run(VirtualClock(), loaded, tmp_path, *STAGES)
    wanted = "error: passes 'despike', 'low_pass', which its model was not trained with"
    assert wanted in outcome.said("sim-ecg")


def test_a_stage_that_is_not_installed_ends_a_run_before_it_begins() -> None:
    preset = parse_preset('[[stage]]\nname = "despike"\nmodality = "ecg"', Path("lab.toml"))
    with pytest.raises(BadInput, match="no stage 'despike'"):
        run_settings(preset, RunOptions())
    with pytest.raises(BadInput, match="no stage 'despike'"):
        Processor(ProcessorSettings(stages=STAGES))
    with registered("own_stage"):
        assert run_settings(preset, RunOptions()).processor.stages == preset.stages
