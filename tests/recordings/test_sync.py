"""Fixed delays are measured by common events, to parts of a sample, or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biosense.acquisition.xdf.writer import XdfWriter
from biosense.core.errors import BadInput
from biosense.core.types import TEXT, Chunk, Floats, StreamInfo
from biosense.recordings.sync import measure_delay, measure_sync

LAG = 0.0372


def edges(seconds: float, seed: int = 0) -> Floats:
    """Return when a lamp is switched, at uneven intervals of 3 s or so."""
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.uniform(1.5, 4.5, int(seconds / 3)))


def lamp(times: Floats, switched: Floats) -> Floats:
    return np.searchsorted(switched, times, side="right") % 2.0


def light(
    seconds: float = 120.0,
    sfreq: float = 130.0,
    late: float = 0.0,
    *,
    ppm: float = 0.0,
    name: str = "light",
    seed: int = 0,
) -> Chunk:
    """Return what a sensor with uneven sampling sees of the lamp, stamped `late` seconds late."""
    rng = np.random.default_rng(100 + seed)
    taken = np.arange(0.0, seconds, 1 / sfreq) + rng.uniform(0, 0.2 / sfreq)
    taken = taken + rng.uniform(-0.1, 0.1, len(taken)) / sfreq
    seen = lamp(taken, edges(seconds, seed)) + rng.normal(0, 0.02, len(taken))
    info = StreamInfo(name, None, ("light",), sfreq)
    return Chunk.of(info, 1000.0 + taken + late + ppm * 1e-6 * taken, seen)


@pytest.mark.parametrize(("sfreq", "tolerance"), [(500.0, 0.001), (130.0, 0.002), (30.0, 0.006)])
def test_the_lag_is_found_to_a_part_of_a_sample(sfreq, tolerance):
    found = measure_delay(light(), light(sfreq=sfreq, late=LAG))
    assert found.lag == pytest.approx(LAG, abs=tolerance)
    assert found.uncertainty < 1 / sfreq
    assert len(found.windows) >= 4
    back = measure_delay(light(sfreq=sfreq, late=LAG), light())
    assert back.lag == pytest.approx(-found.lag, abs=tolerance)


def test_the_drift_of_the_lag_is_found():
    found = measure_delay(light(900.0), light(900.0, late=0.02, ppm=60.0))
    assert found.drift_ppm == pytest.approx(60.0, abs=5.0)
    assert found.lag == pytest.approx(0.02 + 60e-6 * 450.0, abs=0.002)


def test_polarity_and_other_channels_do_not_matter():
    seen = light(late=LAG)
    rng = np.random.default_rng(5)
    data = np.column_stack((-40.0 * seen.data[:, 0], rng.normal(0, 1e-3, seen.n)))
    info = StreamInfo("skin", None, ("r", "noise"), 130.0)
    found = measure_delay(light(), Chunk.of(info, seen.times, data))
    assert found.lag == pytest.approx(LAG, abs=0.003)


def test_gaps_and_samples_without_value_do_not_matter():
    seen = light(late=LAG)
    data = seen.data.copy()
    data[3000:3100] = np.nan
    kept = np.ones(seen.n, bool)
    kept[5000:7000] = False
    holed = Chunk.of(seen.info, seen.times[kept], data[kept])
    assert measure_delay(light(), holed).lag == pytest.approx(LAG, abs=0.002)


def test_markers_are_events():
    info = StreamInfo("markers", None, ("text",), 0.0, dtype=TEXT)
    switched = edges(120.0)
    marks = Chunk.of(info, 1000.0 + switched, [["lamp"]] * len(switched))
    assert measure_delay(marks, light(late=LAG)).lag == pytest.approx(LAG, abs=0.003)


def test_movements_are_compared_by_their_level():
    rng = np.random.default_rng(0)
    times = np.arange(0, 120, 0.01)
    taps = np.zeros(len(times))
    taps[rng.choice(11_000, 40, replace=False) + 100] = 1.0
    info = StreamInfo("acc", None, ("x",), 100.0)
    first = Chunk.of(info, times, taps + rng.normal(0, 0.01, len(times)))
    second = Chunk.of(info, times + LAG, 9 - 2 * taps + rng.normal(0, 0.01, len(times)))
    assert measure_delay(first, second, shape="level").lag == pytest.approx(LAG, abs=0.002)


def noise(seed: int) -> Chunk:
    values = np.random.default_rng(seed).normal(size=6000)
    return Chunk.of(StreamInfo(f"noise {seed}", None, ("x",), 100.0), np.arange(6000) / 100, values)


def test_streams_without_a_common_event_are_refused_with_what_to_do():
    with pytest.raises(BadInput, match=r"no common event within .* flash a lamp") as refusal:
        measure_delay(noise(1), noise(2))
    assert "'noise 1' and 'noise 2'" in str(refusal.value)
    with pytest.raises(BadInput, match="no common event"):
        measure_delay(light(seed=1), light(seed=2))


def test_a_periodic_signal_whose_lag_is_ambiguous_is_refused():
    times = np.arange(6000) / 100
    beats = Chunk.of(StreamInfo("beats", None, ("x",), 100.0), times, np.sin(2 * np.pi * 4 * times))
    with pytest.raises(BadInput, match="no common event"):
        measure_delay(beats, beats, max_lag=0.5)


def test_a_lag_beyond_what_is_looked_for_is_not_made_up():
    with pytest.raises(BadInput, match="no common event"):
        measure_delay(light(), light(late=0.8), max_lag=0.3)


@pytest.mark.parametrize("late", [1e4, 117.0])
def test_streams_that_hardly_overlap_are_refused(late):
    with pytest.raises(BadInput, match=r"overlap for .* at least 4 s"):
        measure_delay(light(), light(late=late))


def test_an_empty_stream_is_refused():
    empty = light().slice(0, 0)
    with pytest.raises(BadInput, match="0 samples: too few"):
        measure_delay(light(), empty)


def test_a_delay_is_told_in_milliseconds():
    told = str(measure_delay(light(), light(late=LAG)))
    assert told.startswith("+37.")
    assert "windows, correlation" in told


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sync") / "lamp.xdf"
    camera = light(name="camera", sfreq=30.0, late=LAG)
    pair = np.column_stack((np.random.default_rng(2).normal(size=camera.n), camera.data[:, 0]))
    info = StreamInfo("camera", None, ("noise", "green"), 30.0)
    with XdfWriter(path) as writer:
        for chunk in (light(), Chunk.of(info, camera.times, pair)):
            writer.add_stream(chunk.info)
            for start in range(0, chunk.n, 500):
                writer.write(chunk.slice(start, min(start + 500, chunk.n)))
    return path


def test_a_recording_is_measured_by_the_names_of_streams_and_channels(recording):
    found = measure_sync(recording, "light", "camera", channel_b="green")
    assert found.lag == pytest.approx(LAG, abs=0.006)


def test_wrong_names_are_answered_with_the_right_ones(recording):
    with pytest.raises(BadInput, match=r"no stream 'lamp' in .*'light', 'camera'"):
        measure_sync(recording, "lamp", "camera")
    with pytest.raises(BadInput, match="no channel 'red' in 'camera'; there are: noise, green"):
        measure_sync(recording, "light", "camera", channel_b="red")
