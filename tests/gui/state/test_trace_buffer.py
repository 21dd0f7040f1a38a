"""The samples as they are drawn: units, display filter, gaps, and only the last seconds."""

import threading

import numpy as np
import pytest

from biosense.core.types import Modality, StreamInfo
from biosense.gui.state.panels import panel_of
from biosense.gui.state.trace import Trace
from biosense.gui.state.trace_buffer import TraceBuffer
from tests.support.gui_fakes import chunk, stream


def _buffer(modality: Modality, unit: str, sfreq: float = 100.0) -> tuple[TraceBuffer, StreamInfo]:
    panel = panel_of(stream("s", modality, channels=("x",)))
    assert panel is not None
    info = StreamInfo("s", modality, ("x",), sfreq, unit)
    return TraceBuffer(panel, info, 10.0), info


@pytest.mark.parametrize(
    ("modality", "unit", "size", "shown"),
    [
        (Modality.EDA, "S", 2e-6, "µS"),
        (Modality.EDA, "uS", 2.0, "µS"),
        (Modality.TEMP, "C", 2.0, "°C"),
    ],
)
def test_any_sender_unit_becomes_the_unit_of_the_screen(
    modality: Modality, unit: str, size: float, shown: str
) -> None:
    buffer, info = _buffer(modality, unit)
    buffer.append(chunk(info, [0.0], [size]))
    assert buffer.unit == shown
    assert buffer.since(0).values[0, 0] == pytest.approx(2.0)


def test_unit_that_nobody_knows_is_shown_as_the_sender_says() -> None:
    buffer, _ = _buffer(Modality.ECG, "counts")
    assert buffer.unit == "counts"


def test_drift_is_taken_out_and_the_complex_stays() -> None:
    buffer, info = _buffer(Modality.ECG, "mV")
    times = np.arange(1000) / 100
    spikes = (np.arange(1000) % 100 == 50).astype(float)
    buffer.append(chunk(info, times, 300.0 + 2.0 * times + spikes))
    drawn = buffer.since(500).values[:, 0]
    assert abs(np.median(drawn)) < 1.0
    assert np.ptp(drawn) > 0.9


def test_filter_starts_anew_behind_a_gap_and_a_missing_value() -> None:
    buffer, info = _buffer(Modality.ECG, "mV")
    times = np.concatenate([np.arange(100), np.arange(300, 400)]) / 100
    values = np.concatenate([np.zeros(100), np.full(100, 50.0)])
    values[150] = np.nan
    buffer.append(chunk(info, times, values))
    drawn = buffer.since(0).values[:, 0]
    assert np.isnan(drawn[150])
    assert np.nanmax(np.abs(drawn)) < 1e-9  # no swing of 50 mV at either


def test_cutting_of_the_stream_does_not_change_what_is_drawn() -> None:
    rng = np.random.default_rng(1)
    values, times = rng.standard_normal(300), np.arange(300) / 100
    values[40:45] = np.nan
    times[200:] += 1.0
    whole, info = _buffer(Modality.ECG, "mV")
    cut, _ = _buffer(Modality.ECG, "mV")
    whole.append(chunk(info, times, values))
    for start in range(0, 300, 7):
        cut.append(chunk(info, times[start : start + 7], values[start : start + 7]))
    np.testing.assert_allclose(cut.since(0).values, whole.since(0).values, atol=1e-12)


def test_only_the_last_seconds_are_kept() -> None:
    buffer, info = _buffer(Modality.EDA, "uS")
    buffer.append(chunk(info, np.arange(5000) / 100, np.arange(5000.0)))
    shot = buffer.since(0)
    assert shot.first == 5000 - len(shot.times)
    assert shot.times[-1] - shot.times[0] >= 10.0
    assert len(shot.times) < 2000
    assert len(buffer.last_seconds(2.0).times) == 201


def test_reader_in_another_thread_sees_whole_rows() -> None:
    buffer, info = _buffer(Modality.EDA, "uS")
    stop = threading.Event()

    def write() -> None:
        for n in range(2000):
            buffer.append(chunk(info, [n / 100], [n / 100]))
        stop.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not stop.is_set():
        shot = buffer.since(0)
        assert (np.diff(shot.times) > 0).all()
        np.testing.assert_allclose(shot.values[:, 0], shot.times)
    writer.join()


def test_track_widens_its_scale_and_says_it_in_words() -> None:
    status = stream("s", "eda", channels=("eda",), unit="uS")
    panel = panel_of(status)
    assert panel is not None
    trace = Trace.of(panel, status, 10.0)
    assert trace.scale_words(0) == ()
    info = StreamInfo("s", Modality.EDA, ("eda",), 100.0, "uS")
    trace.buffer.append(chunk(info, np.arange(100) / 100, np.linspace(4.0, 5.0, 100)))
    assert trace.follow(0.0)
    low, high = trace.lane_range(0)
    assert low <= 4.0 < 5.0 <= high
    assert high - low < 2.0
    assert trace.scale_words(0) == (f"{high:g} µS", f"{low:g} µS")
    assert not trace.follow(0.01)  # looks again after a while only
