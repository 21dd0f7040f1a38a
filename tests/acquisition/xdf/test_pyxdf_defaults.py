"""Our files under pyxdf's defaults, stamp for stamp: gaps, resets, late and empty streams."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from biosense.acquisition.xdf.reader import load
from biosense.acquisition.xdf.recorder import Recorder
from biosense.core.clock import ClockFit, SystemClock
from biosense.core.types import TEXT, Chunk, ClockOffset, Modality, Record, StreamInfo

BEGIN = 7000.0


@pytest.fixture(autouse=True)
def quiet() -> None:
    logging.getLogger("pyxdf").setLevel(logging.CRITICAL + 1)


def strap(sfreq: float = 130.0, *, lossy: bool = True) -> StreamInfo:
    return StreamInfo("strap", Modality.ECG, ("ecg",), sfreq, "uV", "polar-1", "int32", lossy)


def recorded(folder: Path, items: list[Record], *infos: StreamInfo) -> dict[str, np.ndarray]:
    """Record items and return what pyxdf makes of the stamps by default, by stream."""
    with Recorder(folder, infos, clock=SystemClock()) as recorder:
        for item in items:
            recorder.put(item)
    streams, _ = pyxdf.load_xdf(folder / "recording.xdf")
    return {stream["info"]["name"][0]: stream["time_stamps"] for stream in streams}


def connected(info: StreamInfo, start: float, seconds: float) -> list[Record]:
    """Return packets in session time, as a Bluetooth source gives them, with jitter left."""
    rng = np.random.default_rng(int(start))
    times = start + np.arange(int(seconds * info.sfreq)) / info.sfreq
    times = times + rng.normal(0, 1e-4, len(times))
    size = max(int(0.56 * info.sfreq), 1)
    return [
        Chunk.of(info, times[first : first + size], np.ones((len(times[first : first + size]), 1)))
        for first in range(0, len(times), size)
    ]


@pytest.mark.parametrize("sfreq", [4.0, 64.0, 130.0, 256.0])
@pytest.mark.parametrize("gap", [0.1, 0.9, 1.5, 3.0, 5.0, 30.0, 60.0])
def test_a_reconnected_bluetooth_stream_keeps_every_stamp(
    tmp_path: Path, sfreq: float, gap: float
) -> None:
    """Dropouts below max(1 s, 500 samples) are smeared unless the stream is said to be lossy."""
    info = strap(sfreq)
    items = connected(info, BEGIN, 21.0) + connected(info, BEGIN + 21.0 + gap, 21.0)
    theirs = recorded(tmp_path, items, info)["strap"]
    ours = load(tmp_path).stream("strap").times
    sent = np.concatenate([item.times for item in items if isinstance(item, Chunk)])
    assert ours.tobytes() == sent.tobytes() == theirs.tobytes()


def test_many_short_gaps_keep_every_stamp(tmp_path: Path) -> None:
    info = strap()
    items = [item for k in range(30) for item in connected(info, BEGIN + 3.0 * k, 2.0 + 0.03 * k)]
    theirs = recorded(tmp_path, items, info)["strap"]
    assert theirs.tobytes() == load(tmp_path).stream("strap").times.tobytes()


def over_lsl(info: StreamInfo, reset_at: float, new_clock: float) -> list[Record]:
    """Return a minute over LSL, measured every 5 s; at `reset_at` the clock begins anew."""
    rng, fit, items = np.random.default_rng(3), ClockFit(), []
    clock, next_offset = -250.0, 0.0
    for k in range(120):
        begin = 0.5 * k
        if begin == reset_at:
            clock, next_offset = new_clock, begin
        if begin >= next_offset:
            offset = BEGIN - clock + rng.normal(0, 2e-5)
            fit.add(clock + begin, offset)
            items.append(ClockOffset(info, clock + begin, offset))
            next_offset = begin + 5.0
        stamps = clock + begin + np.arange(int(info.sfreq / 2)) / info.sfreq
        data, ok = np.ones((len(stamps), 1), info.dtype), np.ones(len(stamps), bool)
        items.append(Chunk(info, fit.to_session(stamps), data, ok, stamps))
    return items


@pytest.mark.parametrize("lossy", [True, False])
@pytest.mark.parametrize("new_clock", [-30.0, -5000.0, 90_000.0])
def test_a_clock_that_begins_anew_is_seen_by_both(
    tmp_path: Path, lossy: bool, new_clock: float
) -> None:
    info = strap(100.0, lossy=lossy)
    theirs = recorded(tmp_path, over_lsl(info, 32.0, new_clock), info)["strap"]
    ours = load(tmp_path).stream("strap").times
    truth = BEGIN + np.arange(6000) / 100.0
    assert np.abs(ours - truth).max() < 3e-4
    assert np.abs(theirs - truth).max() < 3e-4


def test_late_and_empty_streams_stand_beside_the_others(tmp_path: Path) -> None:
    empty = StreamInfo("empty", Modality.EDA, ("eda",), 4.0, lossy=True)
    words = StreamInfo("words", None, ("word",), 0.0, dtype=TEXT)
    late = StreamInfo("late", Modality.PPG, ("ppg",), 64.0, "", "p-1", "float32", True)
    items = connected(strap(), BEGIN, 30.0)
    items[20:20] = connected(late, BEGIN + 11.0, 12.0)
    theirs = recorded(tmp_path, items, strap(), empty, words)
    recording = load(tmp_path)
    assert set(theirs) == {"strap", "empty", "words", "biosense-events", "late"}
    for name in ("strap", "late", "empty"):
        assert theirs[name].tobytes() == recording.stream(name).times.tobytes()
    assert [len(theirs[name]) for name in ("empty", "words", "biosense-events")] == [0, 0, 0]
