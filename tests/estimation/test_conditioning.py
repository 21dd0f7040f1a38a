"""A checkpoint brings its conditioning: runs treat features as its training did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from biosense.acquisition.simulated import simulate
from biosense.core.affect import Estimate, FusionInput
from biosense.core.errors import CheckpointMismatch
from biosense.core.recording import Recording
from biosense.core.types import Epoch, Modality
from biosense.estimation.interleave import interleave
from biosense.estimation.load_model import load_model
from biosense.estimation.processor import Processor, ProcessorSettings
from biosense.estimation.run_processor import process
from biosense.models.deployment.card import Card
from biosense.models.deployment.checkpoint import Loaded, save
from biosense.models.deployment.streaming import StreamingEstimator
from biosense.models.registry import build_model
from biosense.processing.conditioning import (
    CONDITIONINGS,
    conditioned_fingerprints,
    conditioned_schema,
)

SEEN = (Modality.ECG, Modality.EDA)


@pytest.fixture(scope="module")
def recording() -> Recording:
    return simulate(3, 40.0, modalities=SEEN)


def saved(path: Path, conditioning: str) -> Path:
    """Save an untrained model under a conditioning."""
    torch.manual_seed(0)
    names = conditioned_schema("context")
    counts = tuple((modality.value, len(names[modality])) for modality in SEEN)
    model = build_model("gated", {"modalities": counts, "width": 8})
    marks = conditioned_fingerprints(conditioning)
    return save(
        path,
        "gated",
        model,
        features=names,
        fingerprints=marks,
        card=Card(),
        conditioning=conditioning,
    )


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load_model(str(saved(tmp_path_factory.mktemp("model") / "context", "context")))


def estimates(recording: Recording, loaded: Loaded, seconds: float) -> list[Estimate]:
    processor = Processor(ProcessorSettings(), StreamingEstimator(loaded))
    infos = [stream.info for stream in recording.streams]
    outcomes = process(interleave(recording.streams, seconds), infos, processor)
    return [outcome for outcome in outcomes if isinstance(outcome, Estimate)]


def test_estimates_do_not_depend_on_how_streams_are_cut(
    recording: Recording, loaded: Loaded
) -> None:
    fine, coarse = estimates(recording, loaded, 0.11), estimates(recording, loaded, 0.5)
    assert len(fine) == len(coarse) > 100
    assert fine == coarse


def test_the_model_is_shown_features_in_context(recording: Recording, loaded: Loaded) -> None:
    processor = Processor(ProcessorSettings(), conditioning=loaded.info.conditioning)
    infos = [stream.info for stream in recording.streams]
    outcomes = list(process(interleave(recording.streams), infos, processor))
    joined = {o.index: o for o in outcomes if isinstance(o, FusionInput)}
    for modality in SEEN:
        raw = [o for o in outcomes if isinstance(o, Epoch) and o.info.modality is modality]
        stage = CONDITIONINGS["context"](modality)
        assert stage.start(raw[0].info).channels == loaded.info.features[modality]
        for epoch in stage.push_all(raw):
            if epoch.index in joined and modality in joined[epoch.index].data:
                np.testing.assert_array_equal(joined[epoch.index].data[modality], epoch.data)


def test_a_model_of_another_conditioning_is_refused(tmp_path: Path) -> None:
    file = saved(tmp_path / "wrong", "person")
    with pytest.raises(CheckpointMismatch, match="features"):
        load_model(str(file))


def test_a_conditioning_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    file = saved(tmp_path / "strange", "context")
    file.write_text(file.read_text().replace('"conditioning": "context"', '"conditioning": "x"'))
    with pytest.raises(CheckpointMismatch, match="no conditioning 'x'"):
        load_model(str(file))
