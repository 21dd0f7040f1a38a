"""A modality that the model does not know: shown and recorded, not fed and not waited for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from biosense.core.affect import Estimate, FusionInput
from biosense.core.types import Chunk, Epoch, Modality, StreamInfo
from biosense.estimation.processor import Outcome, Processor, ProcessorSettings
from biosense.models.deployment.checkpoint import Card, CheckpointInfo, Loaded, check_compatible
from biosense.models.deployment.streaming import StreamingEstimator
from biosense.models.registry import build_model
from biosense.processing.pipelines import fingerprints, schema
from biosense.processing.temperature import TEMP_CHANNELS
from tests.support.recorded_runs import sensor
from tests.support.scripted import chunked
from tests.support.virtual_clock import START


@pytest.fixture
def old_model() -> Loaded:
    """A model from before there were features of temperature."""
    torch.manual_seed(3)
    features = {Modality.EDA: schema()[Modality.EDA]}
    settings = {"modalities": (("eda", len(features[Modality.EDA])),), "hop": 0.25}
    info = CheckpointInfo("early", settings, features, fingerprints(), Card())
    return Loaded(build_model("early", settings).eval(), info)


def finger(seconds: float) -> Chunk:
    info = StreamInfo("finger", Modality.TEMP, ("skin",), 4.0, "degC")
    times = START + np.arange(round(4 * seconds)) / 4
    return Chunk.of(info, times, np.full((len(times), 1), 33.0))


def outcomes(loaded: Loaded, parts: list[Chunk]) -> list[Outcome]:
    processor = Processor(ProcessorSettings(), StreamingEstimator(loaded))
    for info in {part.info.name: part.info for part in parts}.values():
        assert processor.add_stream(info) == []
    parts = sorted(parts, key=lambda part: part.times[-1])
    found = [outcome for part in parts for outcome in processor.push(part)]
    return found + processor.flush()


def estimates(found: list[Outcome]) -> list[tuple[float, float, float]]:
    return [(e.time, e.valence, e.arousal) for e in found if isinstance(e, Estimate)]


def test_an_old_checkpoint_fits_features_with_more_modalities(old_model: Loaded) -> None:
    assert {Modality.RESP, Modality.TEMP, Modality.EMG} <= set(schema())
    check_compatible(old_model.info, schema(), fingerprints())


def test_its_features_are_shown_and_no_estimate_changes(old_model: Loaded) -> None:
    known = list(chunked(sensor(Modality.EDA, 20.0)))
    both = outcomes(old_model, [*known, *chunked(finger(20.0))])
    shown = [o for o in both if isinstance(o, Epoch) and o.info.name == "finger"]
    assert len(shown) > 70
    assert shown[-1].info.channels == TEMP_CHANNELS
    assert shown[-1].data[0] == 33.0
    assert estimates(both) == estimates(outcomes(old_model, known))
    assert all(set(o.data) == {Modality.EDA} for o in both if isinstance(o, FusionInput))


def test_estimates_do_not_wait_for_it(old_model: Loaded) -> None:
    """The finger is announced and sends nothing: the model has no use for it anyway."""
    processor = Processor(ProcessorSettings(patience=5.0), StreamingEstimator(old_model))
    processor.add_stream(finger(1.0).info)
    known = sensor(Modality.EDA, 10.0)
    processor.add_stream(known.info)
    found = [o for part in chunked(known) for o in processor.push(part)]
    assert estimates(found)[0][0] < START + 7.0


def test_alone_it_brings_no_estimate(old_model: Loaded) -> None:
    found = outcomes(old_model, list(chunked(finger(10.0))))
    assert {type(o) for o in found} == {Epoch}
