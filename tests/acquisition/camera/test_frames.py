"""A file as a camera: its times, its pace, its end, and what cannot be read."""

from __future__ import annotations

from pathlib import Path
from threading import Timer

import numpy as np
import pytest

from biosense.acquisition.camera.frames import FileFrames, Frame, Notice, address
from biosense.acquisition.camera.live_frames import open_device, open_url
from biosense.core.errors import BadInput, StreamNotFound
from biosense.core.types import EventKind
from tests.support.camera_fakes import FakeClock, picture, write_video


@pytest.fixture
def clip(tmp_path):
    pictures = [picture(background=(10 * n, 5, 5)) for n in range(20)]
    return write_video(tmp_path / "clip.avi", pictures, fps=25.0)


def read(reader):
    try:
        return list(reader)
    finally:
        reader.close()


def test_a_frame_of_a_file_has_the_time_of_its_place_in_the_file(clip):
    clock = FakeClock(100.0)
    *frames, _ = read(FileFrames(clip, clock=clock, wait=clock.wait))
    assert [frame.time for frame in frames] == pytest.approx(100 + np.arange(20) / 25)


def test_a_file_is_played_in_real_time(clip):
    clock = FakeClock()
    reader = FileFrames(clip, clock=clock, wait=clock.wait)
    given = [clock.now() for got in reader if isinstance(got, Frame)]
    reader.close()
    assert np.diff(given) == pytest.approx(np.full(19, 1 / 25))


def test_a_lossless_file_gives_its_pictures_back(clip):
    clock = FakeClock()
    *frames, _ = read(FileFrames(clip, clock=clock, wait=clock.wait))
    for n, frame in enumerate(frames):
        np.testing.assert_array_equal(frame.image, picture(background=(10 * n, 5, 5)))


def test_the_end_of_a_file_is_told_and_is_the_end(clip):
    clock = FakeClock()
    last = read(FileFrames(clip, clock=clock, wait=clock.wait))[-1]
    assert last == Notice(EventKind.INFO, "file ended: clip.avi")


def test_a_slow_user_gets_the_frames_that_are_still_fresh(clip):
    clock = FakeClock()
    reader = FileFrames(clip, clock=clock, wait=clock.wait)
    late = []
    for got in reader:
        if isinstance(got, Frame):
            late.append(clock.now() - got.time)
            clock.wait(0.1)  # two and a half frames
    reader.close()
    assert max(late) <= 0.1
    assert reader.dropped == 20 - len(late)
    assert 9 <= len(late) <= 11


def test_a_stopped_file_ends_without_a_word(clip):
    clock = FakeClock()
    reader = FileFrames(clip, clock=clock, wait=clock.wait)
    frames = iter(reader)
    next(frames)
    reader.stop()
    assert list(frames) == []
    reader.close()


def test_the_real_wait_ends_when_the_reader_is_stopped(tmp_path):
    slow = write_video(tmp_path / "slow.avi", [picture()] * 3, fps=0.05)
    reader = FileFrames(slow, clock=FakeClock())
    frames = iter(reader)
    next(frames)
    Timer(0.02, reader.stop).start()
    assert list(frames) == []  # and not after 20 s
    reader.close()


def test_a_file_tells_its_rate(clip):
    reader = FileFrames(clip, clock=FakeClock())
    reader.close()
    assert (reader.fps, reader.label) == (25.0, "clip.avi")


def test_a_missing_file_is_named_with_what_a_camera_may_be(tmp_path):
    with pytest.raises(StreamNotFound, match=r"no video file .*gone\.mp4.*index.*address"):
        FileFrames(tmp_path / "gone.mp4", clock=FakeClock())


@pytest.mark.parametrize("name", ["notes.txt", "notes.mp4", "notes.avi", "notes"])
def test_text_is_not_a_video(tmp_path, name, capfd):
    (tmp_path / name).write_text("seventeen syllables\n" * 200)
    with pytest.raises(StreamNotFound, match="no video that can be decoded"):
        FileFrames(tmp_path / name, clock=FakeClock())
    assert capfd.readouterr().err == ""


def test_a_folder_and_an_empty_file_are_not_videos(tmp_path):
    (tmp_path / "empty.mp4").touch()
    for path in (tmp_path, tmp_path / "empty.mp4"):
        with pytest.raises(StreamNotFound):
            FileFrames(path, clock=FakeClock())


def test_an_absent_camera_says_so_and_nothing_else(capfd):
    with pytest.raises(StreamNotFound, match=r"cannot open camera 63: .*biosense devices"):
        open_device(63, clock=FakeClock())
    assert capfd.readouterr().err == ""


def test_an_address_without_a_camera_says_so_without_its_password(capfd):
    with pytest.raises(StreamNotFound, match=r"cannot open http://127\.0\.0\.1:9/video") as caught:
        open_url("http://me:secret@127.0.0.1:9/video?token=secret", clock=FakeClock())
    assert "secret" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_what_is_read_is_told_from_how_it_is_written():
    assert address(2) == 2
    assert address("2") == 2
    assert address("HTTPS://cam/video") == "HTTPS://cam/video"
    assert address("2.avi") == Path("2.avi")
    assert address(Path("2")) == Path("2")


@pytest.mark.parametrize("target", [-1, "ftp://cam/video.avi", "file:///etc/passwd"])
def test_what_cannot_be_a_camera_is_refused(target):
    with pytest.raises(BadInput, match="camera"):
        address(target)
