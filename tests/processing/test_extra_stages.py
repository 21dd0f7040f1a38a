"""Stages beside the usual ones: where they go, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from biosense.core.errors import BadInput
from biosense.core.stage import Pipeline
from biosense.core.types import Modality, StreamInfo
from biosense.processing.normalise import RunningNormalise
from biosense.processing.pipelines import PIPELINES, feature_pipeline
from biosense.processing.registry import STAGES, ExtraStage, make_stage
from biosense.processing.signal.filters import LowPass, Notch
from biosense.processing.signal.regularise import Regularise
from tests.support.signals.sound_signals import CASES

CHEST = StreamInfo("chest", Modality.ECG, ("ecg",), 130.0, "V")


@pytest.mark.parametrize("modality", list(PIPELINES))
def test_they_get_the_grid_first_and_the_features_last(modality: Modality) -> None:
    info = CASES[modality].info
    usual = feature_pipeline(info)
    more = feature_pipeline(info, on_signal=[LowPass(5.0)], on_features=[RunningNormalise()])
    place = more.stages.index(LowPass(5.0))
    assert isinstance(more.stages[place - 1], Regularise)
    assert isinstance(more.stages[-1], RunningNormalise)
    rest = [*more.stages[:place], *more.stages[place + 1 : -1]]
    assert repr(Pipeline(*rest)) == repr(usual)
    assert more.fingerprint != usual.fingerprint


def test_intervals_are_on_no_grid() -> None:
    intervals = StreamInfo("strap rr", Modality.ECG, ("rr",), 0.0, "s")
    assert feature_pipeline(intervals, on_features=[RunningNormalise()])
    with pytest.raises(BadInput, match="'strap rr' holds intervals, but LowPass"):
        feature_pipeline(intervals, on_signal=[LowPass(5.0)])


def test_a_stage_is_made_by_name_with_options() -> None:
    assert make_stage("notch", [("frequency", 60.0)]) == Notch(60.0)
    with pytest.raises(BadInput, match=r"no stage 'nutch' .*there are: asr, band_pass"):
        make_stage("nutch")
    with pytest.raises(BadInput, match=r"stage 'notch' does not take the options .*'hz'"):
        make_stage("notch", [("hz", 60.0)])


def test_a_place_or_modality_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="wanted signal or features of one of eeg"):
        ExtraStage(Modality.ECG, "notch", "end")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="of 'heart'"):
        ExtraStage("heart", "notch")  # type: ignore[arg-type]


def test_what_is_no_stage_is_refused() -> None:
    @dataclass
    class Half:
        def start(self, info: StreamInfo) -> StreamInfo:
            return info

    class Plain(Notch):
        pass

    with STAGES.temporarily("plain", Plain):  # a dataclass by inheritance
        assert make_stage("plain", [("frequency", 60.0)]) == Plain(60.0)
    for odd in (Half, lambda: Notch(50.0), Notch(50.0)):
        with pytest.raises(BadInput, match="wanted a dataclass with start, push, flush"):
            STAGES.register("odd", odd)
