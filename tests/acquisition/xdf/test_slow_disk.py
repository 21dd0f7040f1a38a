"""A disk that is slow: nobody waits for it, and it is said with numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from biosense.acquisition.xdf import append_file
from biosense.acquisition.xdf.append_file import AppendFile
from biosense.acquisition.xdf.reader import XdfReader, load
from tests.support.disks import Disk, Listening, Patient, eeg


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_a_slow_sync_holds_up_no_writing(tmp_path: Path, disk: Disk) -> None:
    """What a killed process would lose is in the file at once, however long a sync takes."""
    clock = Patient()
    listening = Listening(tmp_path, real_clock=clock)
    disk.syncing.clear()
    for second in range(5):
        listening.recorder.put(eeg(float(second)))
        listening.written()
    assert load(tmp_path).stream("eeg").n == 50
    while not listening.said:  # until a sync hangs, which then is late
        clock.time += 3.5
        listening.recorder.put(eeg(10.0))
        listening.written()
    assert listening.said[0].startswith("overrun: the disk is ")
    assert "of 512 MiB wait in memory" in listening.said[0]
    disk.syncing.set()
    assert "nothing was lost" in listening.hear("keeps up again")
    assert listening.recorder.close().lost == {}
    assert XdfReader(tmp_path).complete


def test_a_write_that_hangs_holds_up_nobody_and_is_reported(tmp_path: Path, disk: Disk) -> None:
    clock = Patient()
    listening = Listening(tmp_path, real_clock=clock, memory=1 << 20)
    disk.writing.clear()
    for second in range(40):  # each of these returns at once
        clock.time += 0.5
        listening.recorder.put(eeg(float(second), 1000))
    assert [text[:38] for text in listening.said] == [
        "overrun: the disk is 3.0 s behind: 0.1",
        "overrun: the disk is 6.0 s behind: 0.2",
        "overrun: the disk is 12.0 s behind: 0.4"[:38],
    ]
    assert listening.recorder.waiting_bytes > 0.4 * 2**20
    assert not listening.recorder.failing
    disk.writing.set()
    listening.hear("keeps up again")
    assert listening.recorder.close().samples["eeg"] == 40_000


def test_a_disk_that_is_too_slow_for_memory_loses_loudly(tmp_path: Path, disk: Disk) -> None:
    listening = Listening(tmp_path, memory=50_000)
    disk.writing.clear()
    for second in range(40):
        listening.recorder.put(eeg(float(second), 200))
    assert "too slow" in listening.hear("samples are lost")
    disk.writing.set()
    assert f"{listening.recorder.lost} samples were lost" in listening.hear("again")
    summary = listening.recorder.close()
    assert summary.samples["eeg"] + summary.lost["eeg"] == 8000


def test_closing_does_not_wait_for_a_dead_disk_for_ever(tmp_path: Path, disk: Disk) -> None:
    listening = Listening(tmp_path, give_up_after=0.05)
    disk.writing.clear()
    listening.recorder.put(eeg(1.0))
    summary = listening.recorder.close()
    assert "not waited for any longer" in listening.said[-1]
    assert (summary.samples["eeg"], summary.lost) == (0, {"eeg": 10})
    disk.writing.set()
    listening.recorder._thread.join()


def test_what_no_sync_confirms_does_not_fill_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(append_file, "_KEPT", 1000)
    file = AppendFile(tmp_path / "a")
    for _ in range(50):
        file.append(bytes(300))
        assert file.unsynced <= 1300
    file.close()
    assert (tmp_path / "a").stat().st_size == 15_000
