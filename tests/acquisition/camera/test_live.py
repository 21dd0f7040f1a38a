"""A camera that is there now: newest frame first, lost, brought back, let go."""

from __future__ import annotations

import threading

import pytest

from biosense.acquisition.camera.discovery import find_cameras
from biosense.acquisition.camera.frames import Frame, Notice
from biosense.acquisition.camera.live_frames import LiveFrames
from biosense.core.errors import StreamNotFound
from biosense.core.types import EventKind
from tests.support.camera_fakes import FakeCapture, FakeClock

WARM_UP = 12


def live(*captures, **options):
    waiting = list(captures)
    options.setdefault("pauses_s", (0.01,))
    return LiveFrames(
        lambda: waiting.pop(0) if waiting else None,
        label="camera 0",
        clock=captures[0].clock,
        **options,
    )


def until(reader, wanted):
    """What the reader gives until a notice of the kind wanted; then it is closed."""
    got = []
    for item in reader:
        got.append(item)
        if isinstance(item, Notice) and item.kind is wanted:
            reader.stop()
    reader.close()
    return got


def kinds(items):
    return [item.kind for item in items if isinstance(item, Notice)]


def test_a_camera_that_stops_is_lost_once_and_brought_back():
    clock = FakeClock()
    captures = [FakeCapture(WARM_UP + 3, clock=clock), FakeCapture(0, clock=clock)]
    captures.append(FakeCapture(5, clock=clock, blocks=True))
    got = until(live(*captures), EventKind.RECOVERED)
    captures[2].free.set()
    assert kinds(got) == [EventKind.LOST, EventKind.RECOVERED]
    assert all(capture.released for capture in captures[:2])


def test_a_camera_that_is_silent_is_lost_while_its_driver_still_waits():
    clock = FakeClock()
    capture = FakeCapture(WARM_UP, clock=clock, blocks=True)
    reader = live(capture, stall_s=0.02)
    got = next(iter(reader))
    capture.free.set()
    reader.close()
    assert got == Notice(EventKind.LOST, "camera 0: no frame for 0.02 s; trying to bring it back")


def test_frames_are_stamped_before_they_are_decoded():
    clock = FakeClock(0.0)
    capture = FakeCapture(WARM_UP + 1, clock=clock, blocks=True)
    decode = capture.retrieve

    def slow():
        clock.wait(5.0)
        return decode()

    reader = live(capture)
    capture.retrieve = slow
    frame = next(iter(reader))
    capture.free.set()
    reader.close()
    assert isinstance(frame, Frame)
    assert frame.time == pytest.approx((WARM_UP + 1) / 30)


def test_frames_nobody_asked_for_are_dropped_and_counted():
    clock = FakeClock()
    capture = FakeCapture(WARM_UP + 10, clock=clock, blocks=True)
    reader = live(capture, stall_s=0.2)
    all_grabbed = threading.Event()
    grab = capture.grab

    def tell():
        if capture.left == 0:
            all_grabbed.set()
        return grab()

    capture.grab = tell
    frames = []
    for got in reader:
        if isinstance(got, Notice):
            reader.stop()  # the stall after the last frame
        else:
            frames.append(got)
            assert all_grabbed.wait(5)
    capture.free.set()
    reader.close()
    assert len(frames) + reader.dropped == 10
    assert frames[-1].time == pytest.approx(clock.now())


def test_a_bug_in_the_reading_thread_reaches_the_user():
    clock = FakeClock()
    reader = live(FakeCapture(WARM_UP, clock=clock, error=RuntimeError("bug")))
    with pytest.raises(RuntimeError, match="bug"):
        list(reader)
    reader.close()


def test_a_camera_without_a_picture_is_not_found():
    capture = FakeCapture(0, clock=FakeClock())
    with pytest.raises(StreamNotFound, match="camera 0 opens but gives no picture"):
        live(capture)
    assert capture.released


def test_the_rate_is_what_comes_not_what_is_claimed():
    clock = FakeClock()
    capture = FakeCapture(WARM_UP, clock=clock)
    capture.get = lambda _: 60.0
    reader = live(capture)
    reader.close()
    assert reader.fps == 30.0


def test_closing_ends_the_thread_and_releases_the_camera():
    clock = FakeClock()
    capture = FakeCapture(WARM_UP + 10**9, clock=clock)
    reader = live(capture)
    next(iter(reader))
    reader.close()
    assert capture.released


def test_looking_for_cameras_is_silent(capfd):
    for camera in find_cameras(4):
        assert camera.width > 0
        assert 0 <= camera.index < 4
    assert capfd.readouterr() == ("", "")
