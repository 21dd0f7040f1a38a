"""The parts that a report is drawn from: what is kept, chosen, decimated and named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from biosense.core.types import Chunk, Epoch, Modality, StreamInfo
from biosense.processing.pipelines import feature_pipeline
from biosense.recordings.report.collect import CollectedStream, Collector, Tap
from biosense.recordings.report.draw_stream import draw_overview
from biosense.recordings.report.draw_window import draw_window
from biosense.recordings.report.pipeline_steps import steps_of
from biosense.recordings.report.signal_summary import SignalSummary
from biosense.recordings.report.views import VIEWS, view_of
from biosense.recordings.report.windows import ReportWindow, choose_windows
from biosense.viz.axes import Span, decimated, split_at_gaps


def test_a_modality_without_a_view_of_its_own_is_drawn_plainly() -> None:
    info = StreamInfo("belt", Modality.RESP, ("resp",), 25.0, "a.u.")
    assert view_of(info).title == "Respiration"
    assert view_of(replace(info, modality=None, content_type="Gaze")).title == "Gaze"
    stream = CollectedStream(info, view_of(info), SignalSummary(info, (0,)))
    stream.before.push(Chunk.of(info, np.arange(250) / 25, np.sin(np.arange(250.0) / 10)))
    assert len(draw_overview(stream, Span(0.0, 10.0, 0.0), [], []).axes) == 1
    assert set(VIEWS) == set(Modality)


def test_the_worst_window_is_where_quality_is_worst() -> None:
    info = StreamInfo("chest", Modality.ECG, ("ecg",), 130.0, "V")
    stream = CollectedStream(info, view_of(info), SignalSummary(info, (0,)))
    for k in range(4, 480):
        bad = 60 <= k / 4 < 75
        stream.epochs.append(
            Epoch(info, k, k / 4 - 1, k / 4, np.zeros(1), 0.1 if bad else 1.0, "noise" * bad)
        )
    best, worst = choose_windows(stream, 0.0, 120.0)
    assert best.quality == pytest.approx(1.0)
    assert worst.quality == pytest.approx(0.1)
    assert 59 <= worst.begin < worst.end <= 75
    assert worst.reason == "noise"


def test_steps_name_units_and_delays() -> None:
    info = StreamInfo("cap", Modality.EEG, ("F3", "F4"), 512.0, "uV")
    steps = {step.name: step for step in steps_of(info, feature_pipeline(info).stages, 10.0)}
    assert "low 1 Hz, high 45 Hz" in steps["Cascade"].parameters
    assert steps["Decimate"].delay_s == pytest.approx(0.019, abs=0.002)
    chest = StreamInfo("chest", Modality.ECG, ("ecg",), 130.0, "uV")
    heart = steps_of(chest, feature_pipeline(chest).stages, 15.0)[-1]
    assert heart.confirms_s is not None
    assert 0.2 < heart.confirms_s <= 0.5


def test_thinning_keeps_extremes_and_breaks() -> None:
    times = np.concatenate([np.arange(5000), np.arange(6000, 10000)]) / 100.0
    values = np.sin(times)
    values[777] = 50.0
    drawn, line = decimated(*split_at_gaps(times, values, 0.05), 100)
    assert len(drawn) < 320
    assert np.nanmax(line) == 50.0
    assert np.isnan(line).sum() == 1
    assert (np.diff(drawn) > 0).all()


def test_extremes_keep_a_single_spike_and_say_what_is_missing() -> None:
    info = StreamInfo("x", None, ("a",), 100.0)
    summary = SignalSummary(info, (0,), keep=True)
    values = np.zeros((6000, 1))
    values[1234] = 9.0
    times = np.arange(6000) / 100
    for part in (slice(0, 3000), slice(4000, 6000)):
        summary.push(Chunk.of(info, times[part], values[part]))
    found = summary.extremes(0.0, 60.0, 60)
    assert found.high[12, 0] == 9.0
    assert np.isnan(found.high[31:39, 0]).all()
    assert summary.swings(0.0, 60.0, 60)[12, 0] == pytest.approx(4.5)
    assert len(summary.window(10.0, 12.0).times) == 201


def test_the_spectrum_is_the_density_of_the_signal() -> None:
    info = StreamInfo("x", None, ("a",), 100.0)
    summary = SignalSummary(info, (0,))
    noise = np.random.default_rng(0).standard_normal((100 * 400, 1))
    for start in range(0, len(noise), 977):
        stop = min(start + 977, len(noise))
        summary.push(Chunk.of(info, np.arange(start, stop) / 100, noise[start:stop]))
    spectrum = summary.spectrum()
    assert spectrum is not None
    assert np.mean(spectrum.power[2:-2]) == pytest.approx(1 / 50, rel=0.05)


def test_a_tap_passes_on_what_a_stage_says() -> None:
    info = StreamInfo("chest", Modality.ECG, ("ecg",), 130.0, "V")
    pipeline = Collector().wrap(info, feature_pipeline(info))
    assert all(isinstance(stage, Tap) for stage in pipeline.stages)
    out = pipeline.start(info)
    again = feature_pipeline(info).start(info)
    assert out == again


def test_of_many_channels_some_are_drawn_and_all_are_mapped() -> None:
    info = StreamInfo("cap", Modality.EEG, tuple(f"C{n}" for n in range(256)), 64.0, "V")
    stream = CollectedStream(
        info, view_of(info), SignalSummary(info, tuple(range(256)), 1e6, keep=True)
    )
    noise = 1e-5 * np.random.default_rng(0).standard_normal((640, 256))
    stream.before.push(Chunk.of(info, np.arange(640) / 64, noise))
    stream.after = stream.before
    figure = draw_window(stream, stream.before, ReportWindow("All", 0.0, 10.0), 0.0)
    (axes,) = figure.axes
    assert len(axes.lines) == 2 * 32
    assert figure.get_figheight() < 8
    maps = draw_overview(stream, Span(0.0, 10.0, 0.0), [], []).axes[:2]
    assert [len(each.images[0].get_array()) for each in maps] == [256, 256]
    assert stream.before.swings(0.0, 10.0, 360).shape == (20, 256)
