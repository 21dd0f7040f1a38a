"""The camera as a source of two streams."""

from __future__ import annotations

import asyncio
import threading
import time
from http.server import ThreadingHTTPServer

import numpy as np
import pytest

from biosense.acquisition.camera import CameraSource
from biosense.acquisition.camera.native.opencv import load_opencv
from biosense.acquisition.camera.preview import Preview
from biosense.acquisition.camera.tracking.skin_regions import linear_table
from biosense.core.camera_streams import FACE_CHANNELS, RPPG_CHANNELS
from biosense.core.clock import SystemClock
from biosense.core.errors import BadInput, MissingExtra, StreamNotFound
from biosense.core.types import Chunk, Event, EventKind, Modality
from tests.support.camera_fakes import (
    FakeCapture,
    FakeClock,
    FixedFace,
    MjpegServer,
    mesh,
    picture,
    write_video,
)

FACE_IN = picture()
NO_FACE = np.zeros_like(FACE_IN)


def play(path, *, backend=None, **options):
    """A source that plays a file as fast as it can, by a clock of its own."""
    clock = options.pop("clock", None) or FakeClock()
    backend = backend or FixedFace()
    return CameraSource(
        path, clock=clock, wait=clock.wait, backend_factory=lambda: backend, **options
    )


async def everything(source):
    async with source:
        return [item async for item in source]


def split(items):
    chunks = [item for item in items if isinstance(item, Chunk)]
    rppg = [chunk for chunk in chunks if chunk.info.modality is Modality.RPPG]
    face = [chunk for chunk in chunks if chunk.info.modality is Modality.FACE]
    return rppg, face, [item for item in items if isinstance(item, Event)]


def camera_threads():
    """Names of the source's threads that do not end by themselves."""
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("camera")]
    for thread in threads:
        thread.join(2)
    return [thread.name for thread in threads if thread.is_alive()]


@pytest.fixture
def clip(tmp_path):
    return write_video(tmp_path / "clip.avi", [FACE_IN] * 30, fps=30.0)


async def test_the_streams_are_described_once_entered(clip):
    source = play(clip, name="webcam")
    with pytest.raises(BadInput, match="async with"):
        _ = source.infos
    async with source:
        rppg, face = source.infos
    assert (rppg.name, face.name) == ("webcam-rppg", "webcam-face")
    assert (rppg.channels, face.channels) == (RPPG_CHANNELS, FACE_CHANNELS)
    assert (rppg.modality, face.modality) == (Modality.RPPG, Modality.FACE)
    assert rppg.sfreq == face.sfreq == 30.0
    assert rppg.lossy
    assert face.lossy
    assert rppg.source_id == "camera:clip.avi:rppg"


async def test_every_frame_is_one_sample_of_both_streams_at_the_frame_s_time(clip):
    rppg, face, _ = split(await everything(play(clip)))
    times = np.concatenate([chunk.times for chunk in rppg])
    assert times == pytest.approx(100 + np.arange(30) / 30)
    np.testing.assert_array_equal(times, np.concatenate([chunk.times for chunk in face]))
    assert all(chunk.n == 1 and chunk.stamps is None for chunk in rppg + face)
    assert all(chunk.arrived >= chunk.times[0] for chunk in rppg + face)


async def test_colours_are_linear_rgb_to_the_precision_of_a_weak_pulse(clip):
    rppg, _, _ = split(await everything(play(clip)))
    for chunk in rppg:
        assert chunk.data.dtype == np.float32
        assert chunk.data[0, :3] == pytest.approx(linear_table()[[200, 120, 80]], rel=1e-6)


async def test_the_face_is_in_pixels_of_the_frame(clip):
    _, face, _ = split(await everything(play(clip)))
    assert face[0].data[0, :3] == pytest.approx(mesh()[33], rel=1e-6)
    assert face[0].data[0, -1] == pytest.approx(0.9)


async def test_a_frame_without_a_face_is_nan_at_once(tmp_path):
    video = write_video(tmp_path / "half.avi", [FACE_IN] * 5 + [NO_FACE] * 5)
    rppg, face, _ = split(await everything(play(video)))
    assert [float(chunk.data[0, -1]) for chunk in face] == pytest.approx([0.9] * 5 + [0] * 5)
    assert np.isnan(face[5].data[0, :-1]).all()
    assert np.isnan(rppg[5].data[0, :3]).all()
    assert rppg[5].data[0, 3] == 0


async def test_faces_that_come_and_go_are_told_but_not_their_flicker(tmp_path):
    pictures = [FACE_IN] * 20 + [NO_FACE] * 10 + [FACE_IN] * 20 + [NO_FACE] * 20 + [FACE_IN] * 20
    video = write_video(tmp_path / "flicker.avi", pictures)
    _, _, events = split(await everything(play(video)))
    told = [event.text for event in events if event.stream == "camera-face"]
    assert told == ["face found", "face left", "face found", "file ended: flicker.avi"]
    assert {event.kind for event in events} == {EventKind.INFO}


async def test_a_slow_tracker_drops_frames_and_says_so_once(tmp_path):
    clock = FakeClock()
    video = write_video(tmp_path / "long.avi", [FACE_IN] * 60)
    backend = FixedFace(clock=clock, seconds=0.1)
    rppg, _, events = split(await everything(play(video, backend=backend, clock=clock)))
    overruns = [event for event in events if event.kind is EventKind.OVERRUN]
    # The first face is looked at twice more: is there a nearer one?
    assert len(rppg) == len(backend.seen) - 2 < 25
    assert len(overruns) == 1
    assert "frames dropped" in overruns[0].text
    late = [chunk.arrived - chunk.times[0] for chunk in rppg]
    assert late[0] <= 0.4  # the two looks more
    assert max(late[1:]) <= 0.2 + 1e-6  # the queue of a camera, and one frame's tracking


async def test_the_preview_gets_every_frame_and_its_time(clip):
    seen, jpegs = [], []
    preview = Preview(jpegs.append)

    def show(at, image):
        seen.append((at, image.copy()))
        preview(at, image)

    await everything(play(clip, on_frame=show))
    assert [at for at, _ in seen] == pytest.approx(100 + np.arange(30) / 30)
    np.testing.assert_array_equal(seen[0][1], FACE_IN)
    assert len(jpegs) == 10
    decoded = load_opencv().imdecode(np.frombuffer(jpegs[0], np.uint8), 1)
    assert decoded.shape == FACE_IN.shape


async def test_a_reader_that_is_slow_loses_nothing(clip):
    source = play(clip)
    async with source:
        chunks = 0
        async for item in source:
            chunks += isinstance(item, Chunk)
            await asyncio.sleep(0)
    assert chunks == 60


async def test_a_reader_that_stands_still_holds_the_camera_back(tmp_path):
    backend = FixedFace()
    video = write_video(tmp_path / "long.avi", [FACE_IN] * 100)
    async with play(video, backend=backend) as source:
        before = -1
        while len(backend.seen) != before:
            before = len(backend.seen)
            await asyncio.sleep(0.15)
        assert before == 67  # 64 in the queue, one that waits, two looks for a nearer face
        rppg, *_ = split([item async for item in source])
    assert len(rppg) == 100


async def test_leaving_ends_the_thread_and_frees_everything(tmp_path):
    backend = FixedFace()
    video = write_video(tmp_path / "slow.avi", [FACE_IN] * 3, fps=0.1)
    clock = FakeClock()
    async with CameraSource(video, clock=clock, backend_factory=lambda: backend) as source:
        async for _ in source:
            break
    assert backend.closed
    assert camera_threads() == []
    assert [item async for item in source if isinstance(item, Event)] == []


async def test_cancelling_the_reader_ends_the_thread(tmp_path):
    backend = FixedFace()
    video = write_video(tmp_path / "slow.avi", [FACE_IN] * 3, fps=0.1)
    source = CameraSource(video, clock=FakeClock(), backend_factory=lambda: backend)
    reading = asyncio.create_task(everything(source))
    await asyncio.to_thread(backend.begun.wait, 5)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert backend.closed
    assert camera_threads() == []


async def test_cancelling_while_it_opens_closes_what_was_opened(clip):
    begun, go_on = threading.Event(), threading.Event()
    backend = FixedFace()

    def slow_start():
        begun.set()
        go_on.wait(5)
        return backend

    source = CameraSource(clip, clock=FakeClock(), backend_factory=slow_start)
    opening = asyncio.create_task(source.__aenter__())
    await asyncio.to_thread(begun.wait, 5)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    go_on.set()
    assert camera_threads() == []
    assert backend.closed


async def test_a_bug_in_tracking_ends_the_source_by_name(clip):
    backend = FixedFace(error=RuntimeError("bug in the tracker"))
    with pytest.raises(RuntimeError, match="bug in the tracker"):
        await everything(play(clip, backend=backend))
    assert backend.closed


async def test_a_bug_nobody_read_about_is_raised_when_the_source_is_left(clip):
    backend = FixedFace(error=RuntimeError("bug"))
    source = await play(clip, backend=backend).__aenter__()
    await asyncio.to_thread(backend.begun.wait, 5)
    with pytest.raises(RuntimeError, match="bug"):
        await source.__aexit__(None, None, None)


async def test_a_missing_tracker_is_told_when_entered(clip):
    def missing():
        raise MissingExtra("mediapipe is not installed: pip install ..")

    with pytest.raises(MissingExtra, match="pip install"):
        async with CameraSource(clip, clock=FakeClock(), backend_factory=missing):
            pass
    assert camera_threads() == []


@pytest.mark.parametrize("target", [63, "63", "gone.avi", "http://127.0.0.1:9/video"])
async def test_a_camera_that_is_not_there_is_not_found_at_once(target):
    begun = time.monotonic()
    with pytest.raises(StreamNotFound):
        async with CameraSource(target, clock=SystemClock(), backend_factory=FixedFace):
            pass
    assert time.monotonic() - begun < 5
    assert camera_threads() == []


async def test_an_mjpeg_camera_is_read_lost_and_left(capfd):
    server = ThreadingHTTPServer(("127.0.0.1", 0), MjpegServer)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    url = f"http://127.0.0.1:{server.server_port}/video"
    backend = FixedFace()
    items = []
    async with CameraSource(url, clock=SystemClock(), backend_factory=lambda: backend) as source:
        async for item in source:
            if not items:
                await asyncio.to_thread(server.shutdown)
                server.server_close()
            items.append(item)
            if isinstance(item, Event) and item.kind is EventKind.LOST:
                break
    serving.join()
    rppg, face, events = split(items)
    assert len(rppg) == len(face) >= 20
    times = np.concatenate([chunk.times for chunk in rppg])
    assert (np.diff(times) > 0).all()
    assert rppg[0].data[0, :3] == pytest.approx(linear_table()[[200, 120, 80]], rel=0.05)
    assert events[-1].kind is EventKind.LOST
    assert backend.closed
    assert camera_threads() == []
    assert capfd.readouterr().err == ""


async def test_a_lost_camera_is_reported_for_both_streams(monkeypatch):
    clock = FakeClock()
    captures = [FakeCapture(12, clock=clock), FakeCapture(3, clock=clock, blocks=True)]
    waiting = list(captures)
    monkeypatch.setattr(load_opencv(), "VideoCapture", lambda *_: waiting.pop(0))
    told = []
    async with CameraSource(0, clock=clock, backend_factory=FixedFace) as source:
        async for item in source:
            if isinstance(item, Event):
                told.append((item.kind, item.stream))
            if len(told) == 4:
                captures[1].free.set()
                break
    lost = [(EventKind.LOST, "camera-rppg"), (EventKind.LOST, "camera-face")]
    back = [(EventKind.RECOVERED, "camera-rppg"), (EventKind.RECOVERED, "camera-face")]
    assert told == lost + back
