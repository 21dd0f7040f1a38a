"""Intervals of a heart rate strap: the same features as from a signal, and what spoils them."""

from __future__ import annotations

from itertools import pairwise, repeat

import numpy as np
import pytest

from biosense.core import Chunk, Epoch, Modality, Pipeline, StreamInfo
from biosense.core.affect import FusionInput
from biosense.core.errors import BadInput
from biosense.core.preprocessed_streams import interval_modality
from biosense.core.types import Event, Floats
from biosense.estimation.processor import Processor, ProcessorSettings
from biosense.processing.cardiac.features import PULSE_CHANNELS, HeartFeatures
from biosense.processing.cardiac.rhythm import HEART_CHANNELS
from biosense.processing.cardiac.rpeaks import RPeaks
from biosense.processing.cardiac.rr_features import RrFeatures
from biosense.processing.pipelines import feature_pipeline
from biosense.testing.body import ecg_waves, ppg_waves
from biosense.testing.cuttings import split

STRAP = StreamInfo("strap rr", None, ("rr",), 0.0, "s", dtype="float32")
ECG = StreamInfo("chest", Modality.ECG, ("ecg",), 256.0, "V")
PPG = StreamInfo("finger", Modality.PPG, ("ppg",), 64.0)


def rhythm(seconds: float, seed: int = 0) -> Floats:
    """Return beat times of a heart whose intervals breathe (0.25 Hz, 30 ms) and scatter (5 ms)."""
    rng = np.random.default_rng(seed)
    beats = [0.0]
    while beats[-1] < seconds:
        breath = 0.03 * np.sin(2 * np.pi * 0.25 * beats[-1])
        beats.append(beats[-1] + 0.8 + breath + 0.005 * rng.standard_normal())
    return np.array(beats)


def run(times: Floats, intervals: Floats, info: StreamInfo = STRAP) -> list[Epoch]:
    stream = Chunk.of(info, times, np.asarray(intervals).reshape(len(times), info.n_channels))
    pipeline = feature_pipeline(StreamInfo(info.name, Modality.ECG, info.channels, 0.0, "s"))
    return pipeline.run(split(stream, repeat(2)), info)


def value(epoch: Epoch, name: str) -> float:
    return float(epoch.data[HEART_CHANNELS.index(name)])


def test_intervals_alone_give_rate_and_variability() -> None:
    beats = rhythm(320)
    last = run(beats[1:], np.diff(beats))[-1]
    recent = np.diff(beats)[beats[1:] > beats[-1] - 60]
    assert value(last, "heart_rate_30") == pytest.approx(75.0, abs=0.5)
    assert value(last, "sdnn_60") == pytest.approx(recent.std(), rel=0.05)
    assert np.exp(value(last, "ln_hf_60")) == pytest.approx(0.03**2 / 2, rel=0.25)
    assert np.exp(value(last, "ln_lf_300")) < 0.05 * 0.03**2 / 2
    assert np.isnan(value(last, "amplitude_delta"))
    assert last.quality == 1.0


def test_intervals_of_an_ecg_give_what_the_ecg_gives() -> None:
    times = np.arange(60 * 256) / 256
    ecg = Chunk.of(ECG, times, ecg_waves(times))
    [beats] = Pipeline(RPeaks()).run([ecg], ECG)[:1]
    from_ecg = {epoch.index: epoch for epoch in Pipeline(HeartFeatures(RPeaks())).run([ecg], ECG)}
    last = run(beats.times[1:], np.diff(beats.times))[-1]
    for name in ("heart_rate_30", "rmssd_30", "sdnn_60"):
        wanted = value(from_ecg[last.index], name)
        assert value(last, name) == pytest.approx(wanted, rel=0.05), name


def test_every_point_of_the_grid_has_its_features() -> None:
    beats = rhythm(60)
    indices = [epoch.index for epoch in run(beats[1:], np.diff(beats))]
    assert indices == list(range(indices[0], indices[-1] + 1))


def test_lost_beats_break_the_differences_and_nothing_more() -> None:
    beats = 0.8 * np.arange(1, 60)
    intervals = np.where(np.arange(59) % 2 == 0, 0.8, 0.83)
    lost = slice(40, 43)
    times, kept = np.delete(beats, lost), np.delete(intervals, lost)
    last = run(times, kept)[-1]
    assert value(last, "rmssd_30") == pytest.approx(0.03, rel=0.02)
    assert value(last, "heart_rate_30") == pytest.approx(60 / 0.815, rel=0.01)


def test_a_silent_strap_gives_no_points_and_a_loose_one_no_quality() -> None:
    beats = rhythm(40)
    keep = (beats[1:] < 20) | (beats[1:] > 30)
    epochs = run(beats[1:][keep], np.diff(beats)[keep])
    assert not any(24.0 < epoch.stop < 29.0 for epoch in epochs)
    rng = np.random.default_rng(3)
    wild = rng.uniform(0.3, 1.6, 60)
    epochs = run(np.cumsum(wild), wild)
    assert np.mean([epoch.quality for epoch in epochs[40:]]) < 0.5
    assert epochs[-1].reason


def test_what_is_no_interval_is_passed_over() -> None:
    beats = rhythm(40)
    intervals = np.diff(beats)
    intervals[10:13] = [np.nan, -1.0, 0.0]
    times = beats[1:].copy()
    times[20] = times[19]  # stamped twice
    last = run(times, intervals)[-1]
    assert value(last, "heart_rate_30") == pytest.approx(75.0, abs=1.0)
    assert run(np.empty(0), np.empty(0)) == []


def test_movement_and_error_of_an_optical_sensor_are_heeded() -> None:
    info = StreamInfo("arm ppi", None, ("ppi", "ppi_error", "movement", "contact"), 0.0, "s")
    assert interval_modality(info) is Modality.PPG
    beats = rhythm(40)
    for column, bad in ((1, 0.05), (2, 1.0)):
        rows = np.zeros((len(beats) - 1, 4))
        rows[:, 0] = np.diff(beats)
        assert run(beats[1:], rows, info)[-1].quality == 1.0
        rows[:, column] = bad
        assert run(beats[1:], rows, info)[-1].quality == 0.0


@pytest.mark.parametrize(
    "info",
    [
        StreamInfo("strap", None, ("rr",), 4.0, "s"),
        StreamInfo("strap", None, ("rr",), 0.0, "bpm"),
        StreamInfo("strap", None, ("heart_rate",), 0.0, "s"),
    ],
)
def test_what_is_no_stream_of_intervals_is_refused(info: StreamInfo) -> None:
    with pytest.raises(BadInput, match="intervals between beats"):
        RrFeatures().start(info)


def test_optical_intervals_have_the_channels_of_a_pulse_wave() -> None:
    info = StreamInfo("arm", Modality.PPG, ("ppi",), 0.0, "ms")
    assert feature_pipeline(info).start(info).channels == PULSE_CHANNELS


def strap_items(seconds: float) -> list[Chunk]:
    """Return packets as a strap sends them: once per second, what beat since."""
    beats = rhythm(seconds)
    edges = np.searchsorted(beats[1:], np.arange(1.0, seconds))
    stream = Chunk.of(STRAP, beats[1:], np.diff(beats)[:, None])
    return [stream.slice(start, stop) for start, stop in pairwise(edges) if stop > start]


def test_a_plain_strap_drives_the_heart_beside_a_fast_stream() -> None:
    processor = Processor(ProcessorSettings())
    assert processor.add_stream(STRAP) == []
    processor.add_stream(PPG)
    times = np.arange(64 * 60) / 64
    finger = Chunk.of(PPG, times, ppg_waves(times))
    items = [*strap_items(60), *(chunk for chunk in split(finger, repeat(16)) if chunk.n)]
    items.sort(
        key=lambda item: (
            np.ceil(item.times[-1] + 1e-9) if item.info is STRAP else float(item.times[-1])
        )
    )
    outcomes = [outcome for item in items for outcome in processor.push(item)]
    fused = [one for one in outcomes if isinstance(one, FusionInput) and one.time > 15]
    assert len(fused) >= 4 * 43
    assert np.mean([Modality.ECG in one.data for one in fused]) > 0.98
    assert processor._join.late.get(Modality.ECG, 0) <= 4, "before the first packet, and no more"


def test_intervals_give_way_to_a_signal_in_either_order() -> None:
    for infos in ((STRAP, ECG), (ECG, STRAP)):
        processor = Processor(ProcessorSettings())
        notes = [note for info in infos for note in processor.add_stream(info)]
        assert [note.stream for note in notes if isinstance(note, Event)] == [STRAP.name]
        assert list(processor._pipelines) == [ECG.name]
