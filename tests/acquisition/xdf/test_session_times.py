"""Session times of a recording equal those of the live run, bit for bit."""

from pathlib import Path

import numpy as np
import pytest
import pyxdf

from biosense.acquisition.xdf.layout import MAGIC, Tag, pack_chunk, pack_offset
from biosense.acquisition.xdf.reader import XdfReader, load
from biosense.acquisition.xdf.recorder import Recorder
from biosense.acquisition.xdf.writer import XdfWriter
from biosense.core.clock import ClockFit, SystemClock
from biosense.core.types import Chunk, ClockOffset, Item, Modality, StreamInfo

ECG = StreamInfo("strap", Modality.ECG, ("ecg",), 130.0, "uV", "polar-1", "int32", True)
EEG = StreamInfo("eeg", Modality.EEG, ("Cz",), 250.0, "uV", "amp-1", "float32")


def live_items(
    info: StreamInfo, drift: float, seed: int, *, noise: float = 1e-3, reset: bool = False
) -> list[Item]:
    """Make what a driver hands over in 3 min: offsets with jitter, and chunks mapped by them."""
    rng = np.random.default_rng(seed)
    fit, items = ClockFit(), []
    device, made, next_offset = 5000.0, 0, 5000.0
    base = 2000.0
    while made < 180 * info.sfreq:
        n = int(rng.integers(0, 40))
        stamps = device + np.arange(1, n + 1) / info.sfreq
        device, made = device + n / info.sfreq, made + n
        if reset and made > 90 * info.sfreq:
            reset, base, device, next_offset = False, base + device - 1.0, 1.0, 0.0
            stamps = device + np.arange(1, n + 1) / info.sfreq
        while next_offset <= device:
            offset = base + drift * next_offset + rng.normal(0, noise)
            fit.add(next_offset, offset)
            items.append(ClockOffset(info, next_offset, offset))
            next_offset += 5.0
        data = rng.integers(-100, 100, (n, 1)).astype(info.dtype)
        items.append(Chunk(info, fit.to_session(stamps), data, np.ones(n, bool), stamps))
    return items


@pytest.mark.parametrize("reset", [False, True])
def test_times_offline_equal_times_live(tmp_path: Path, reset: bool) -> None:
    first, second = live_items(ECG, 80e-6, 1, reset=reset), live_items(EEG, -300e-6, 2)
    with Recorder(tmp_path, [ECG, EEG], clock=SystemClock()) as recorder:
        for number in range(max(len(first), len(second))):
            for items in (first, second):
                if number < len(items):
                    recorder.put(items[number])
    for info, items in ((ECG, first), (EEG, second)):
        live = [item for item in items if isinstance(item, ClockOffset) or item.n]
        mine = [item for item in XdfReader(tmp_path).items() if item.info.name == info.name]
        assert len(live) == len(mine)
        for before, after in zip(live, mine, strict=True):
            if isinstance(before, Chunk):
                assert isinstance(after, Chunk)
                assert after.times.tobytes() == before.times.tobytes()
                assert after.data.tobytes() == before.data.tobytes()
                assert after.stamps is not None
                assert before.stamps is not None
                assert after.stamps.tobytes() == before.stamps.tobytes()
            else:
                assert after == before
        whole = np.concatenate([item.times for item in live if isinstance(item, Chunk)])
        assert load(tmp_path).stream(info.name).times.tobytes() == whole.tobytes()


def test_pyxdf_agrees_about_the_clock_to_a_millisecond(tmp_path: Path) -> None:
    with Recorder(tmp_path, [ECG], clock=SystemClock()) as recorder:
        for item in live_items(ECG, 80e-6, 3, noise=1e-4):
            recorder.put(item)
    streams, _ = pyxdf.load_xdf(tmp_path / "recording.xdf")
    ours = load(tmp_path).stream("strap").times
    assert np.abs(streams[0]["time_stamps"] - ours)[130 * 30 :].max() < 1e-3


def test_a_late_first_measurement_counts_from_the_start(tmp_path: Path) -> None:
    """LabRecorder measures first after 5 s."""
    path = tmp_path / "a.xdf"
    with XdfWriter(path) as writer:
        writer.add_stream(EEG)
        writer.write(Chunk.of(EEG, [10.0, 11.0], [[1], [2]]))
        writer.write_offset(ClockOffset(EEG, 12.0, 100.0))
        writer.write(Chunk.of(EEG, [12.0, 13.0], [[3], [4]]))
        writer.write_offset(ClockOffset(EEG, 17.0, 100.0))
    assert load(path).stream("eeg").times.tolist() == [110.0, 111.0, 112.0, 113.0]
    assert XdfReader(path).streams[0].offsets == 2


def test_without_measurements_stamps_are_session_times(tmp_path: Path) -> None:
    path = tmp_path / "a.xdf"
    with XdfWriter(path) as writer:
        writer.add_stream(EEG)
        writer.write(Chunk.of(EEG, [10.0, 9.0], [[1], [2]]))
    chunk = load(path).stream("eeg")
    assert (chunk.times.tolist(), chunk.stamps) == ([10.0, 9.0], None)


def test_an_uninitialised_measurement_is_left_out(tmp_path: Path) -> None:
    """LabRecorder writes whatever stood in memory when a measurement timed out."""
    path = tmp_path / "a.xdf"
    with XdfWriter(path) as writer:
        writer.add_stream(EEG)
        writer.write(Chunk.of(EEG, [10.0], [[1]]))
    bad = pack_chunk(Tag.CLOCK_OFFSET, pack_offset(float("nan"), float("inf")), 1)
    path.write_bytes(path.read_bytes() + bad)
    reader = XdfReader(path)
    assert reader.load().stream("eeg").times.tolist() == [10.0]
    assert len(reader.damage) == 1
    assert path.read_bytes().startswith(MAGIC)
