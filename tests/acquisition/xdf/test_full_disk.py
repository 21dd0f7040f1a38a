"""A disk that is full or gone: reported, waited for, and nothing is lost if it comes back."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from biosense.acquisition.xdf.reader import XdfReader, load
from biosense.acquisition.xdf.recorder import Recorder
from biosense.core.clock import SystemClock
from biosense.core.types import TEXT, Chunk, Event, EventKind, StreamInfo
from tests.support.disks import EEG, Disk, Listening, eeg

no_windows = pytest.mark.skipif(os.name == "nt", reason="Windows does not let go of open files")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_a_full_disk_that_is_freed_costs_nothing(tmp_path: Path, disk: Disk) -> None:
    listening = Listening(tmp_path)
    listening.recorder.put(eeg(1.0))
    listening.written()
    disk.free = 50  # a part of the next chunk still fits
    for second in range(2, 7):
        listening.recorder.put(eeg(float(second)))
    assert "No space left on device" in listening.hear("refuses data")
    assert listening.recorder.failing
    assert listening.recorder.backlog >= 5
    disk.free = float("inf")
    assert "nothing was lost" in listening.hear("takes data again")
    assert not listening.recorder.failing
    summary = listening.recorder.close()
    assert (summary.samples["eeg"], summary.lost) == (60, {})
    assert len(listening.said) == 2
    expected = np.concatenate([eeg(float(second)).times for second in range(1, 7)])
    assert np.array_equal(load(tmp_path).stream("eeg").times, expected)
    assert XdfReader(tmp_path).complete


def test_what_a_full_disk_does_not_take_till_the_end_is_counted(tmp_path: Path, disk: Disk) -> None:
    listening = Listening(tmp_path)
    listening.recorder.put(eeg(1.0))
    listening.written()
    disk.free = 50
    for second in range(2, 7):
        listening.recorder.put(eeg(float(second)))
    listening.recorder.put(Event(7.0, EventKind.INFO, "", "still here"))
    listening.hear("refuses data")
    summary = listening.recorder.close()
    assert summary.lost == {"eeg": 50, "biosense-events": 1}
    assert summary.samples == {"eeg": 10, "biosense-events": 0}
    assert "samples are lost" in listening.said[-1]
    streams, _ = pyxdf.load_xdf(tmp_path / "recording.xdf")
    assert len(streams[0]["time_stamps"]) == 10
    assert XdfReader(tmp_path).damage == ()
    sidecar = json.loads((tmp_path / "recording.json").read_text())
    assert sidecar["streams"][0]["name"] == "eeg"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["recording.json", "recording.xdf"]


def test_a_header_that_does_not_fit_is_written_when_it_does(tmp_path: Path, disk: Disk) -> None:
    listening = Listening(tmp_path)
    late = StreamInfo("late", None, ("x",), 0.0, dtype="int16")
    disk.free = 20
    listening.recorder.add_stream(late)
    listening.recorder.put(Chunk.of(late, [3.0], [[7]]))
    listening.hear("refuses data")
    disk.free = float("inf")
    listening.hear("nothing was lost")
    assert listening.recorder.close().samples["late"] == 1
    assert XdfReader(tmp_path).complete


def test_a_full_memory_loses_samples_loudly_and_markers_never(tmp_path: Path, disk: Disk) -> None:
    listening = Listening(tmp_path, memory=5000)
    words = StreamInfo("words", None, ("word",), 0.0, dtype=TEXT)
    disk.free = 0
    listening.hear("refuses data")
    for second in range(20):
        listening.recorder.put(eeg(float(second)))
        listening.recorder.put(Chunk.of(words, [float(second)], [[f"trial {second}"]]))
    assert "No space left" in listening.hear("samples are lost")
    lost = listening.recorder.lost
    assert 0 < lost < 200
    disk.free = float("inf")
    assert f"{lost} samples were lost" in listening.hear("takes data again")
    summary = listening.recorder.close()
    assert summary.lost == {"eeg": lost}
    assert summary.samples == {"eeg": 200 - lost, "words": 20, "biosense-events": 0}
    assert json.loads((tmp_path / "recording.json").read_text())["lost"] == {"eeg": lost}
    kept = load(tmp_path).stream("eeg").times
    assert np.array_equal(
        kept, np.concatenate([eeg(float(s)).times for s in range(20)])[: len(kept)]
    )


@no_windows
@pytest.mark.parametrize("code", [errno.EIO, errno.ENODEV])
def test_a_disk_that_was_pulled_out_and_comes_back_costs_nothing(
    tmp_path: Path, disk: Disk, code: int
) -> None:
    """What no sync had confirmed is not on it any more, and is written again."""
    folder, away = tmp_path / "stick" / "recording", tmp_path / "drawer"
    folder.mkdir(parents=True)
    listening = Listening(folder)
    listening.recorder.put(eeg(1.0))
    listening.written()
    file = listening.recorder._writer.file
    disk.error = code
    folder.parent.rename(away)
    listening.recorder.put(eeg(2.0))
    listening.hear("refuses data")
    os.truncate(away / "recording" / "recording.xdf", file.synced)
    away.rename(folder.parent)
    disk.error = 0
    listening.hear("nothing was lost")
    listening.recorder.put(eeg(3.0))
    assert listening.recorder.close().lost == {}
    assert load(folder).stream("eeg").n == 30
    assert XdfReader(folder).complete


def test_a_failed_sync_is_no_excuse_to_forget(tmp_path: Path, disk: Disk) -> None:
    """Linux drops what a failed sync was to bring to the disk; here it becomes zeros."""
    listening = Listening(tmp_path)
    disk.sync_error = errno.EIO
    listening.recorder.put(eeg(1.0))
    listening.hear("Input/output error")
    file = listening.recorder._writer.file
    with (tmp_path / "recording.xdf").open("r+b") as damaged:
        damaged.seek(file.synced)
        damaged.write(bytes(40))
    disk.sync_error = 0
    listening.hear("nothing was lost")
    listening.recorder.close()
    assert load(tmp_path).stream("eeg").n == 10
    assert XdfReader(tmp_path).complete


@no_windows
@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_recording_that_is_deleted_is_made_again(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "recording"
    folder.mkdir()
    listening = Listening(folder)
    listening.recorder.put(eeg(1.0))
    listening.written()
    if what == "file":
        (folder / "recording.xdf").unlink()
    else:
        with suppress(OSError):  # the recorder may have made it again by now
            shutil.rmtree(folder)
    listening.hear("was deleted")
    listening.hear("nothing was lost")
    listening.recorder.put(eeg(2.0))
    assert listening.recorder.close().lost == {}
    assert load(folder).stream("eeg").n == 20
    assert XdfReader(folder).complete


@no_windows
def test_another_file_in_its_place_is_left_alone(tmp_path: Path) -> None:
    listening = Listening(tmp_path)
    path = tmp_path / "recording.xdf"
    path.rename(tmp_path / "moved.xdf")
    path.write_bytes(b"precious")
    listening.hear("moved")
    listening.recorder.put(eeg(1.0))
    assert listening.recorder.close().lost == {}
    assert path.read_bytes() == b"precious"
    assert load(tmp_path / "moved.xdf").stream("eeg").n == 10


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of 1 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a disk of its own needs the rights to mount one")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)


def test_a_real_disk_that_is_full_and_freed_costs_nothing(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(900_000))
    folder = small_disk / "recording"
    folder.mkdir()
    listening = Listening(folder)
    for second in range(100):
        listening.recorder.put(eeg(float(second), 100))
    listening.hear("No space left")
    ballast.unlink()
    listening.hear("nothing was lost")
    assert listening.recorder.close().lost == {}
    assert load(folder).stream("eeg").n == 10_000
    assert XdfReader(folder).complete


def test_a_disk_that_is_unmounted_is_reported_and_the_recording_goes_on_in_its_place(
    small_disk: Path,
) -> None:
    """What is open can still be read, so it is copied to where the disk was."""
    folder = small_disk / "recording"
    folder.mkdir()
    listening = Listening(folder)
    listening.recorder.put(eeg(1.0))
    listening.written()
    subprocess.run(["umount", "-l", str(small_disk)], check=True)
    assert "its disk was taken away" in listening.hear("refuses data")
    listening.hear("nothing was lost")
    listening.recorder.put(eeg(2.0))
    assert listening.recorder.close().lost == {}
    assert load(folder).stream("eeg").n == 20
    assert XdfReader(folder).complete


def test_a_disk_without_space_is_refused_at_the_start(tmp_path: Path, disk: Disk) -> None:
    disk.free = 100
    with pytest.raises(Exception, match="on a disk with space"):
        Recorder(tmp_path, [EEG], clock=SystemClock())
