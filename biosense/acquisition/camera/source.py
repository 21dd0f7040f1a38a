"""The camera as a source: two streams, one sample of each for every frame tracked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from biosense.acquisition.camera.camera_events import DropWatch, FaceWatch
from biosense.acquisition.camera.frames import (
    FileFrames,
    Frame,
    FrameReader,
    Notice,
    Wait,
    address,
)
from biosense.acquisition.camera.live_frames import open_device, open_url
from biosense.acquisition.camera.tracking.backend import FaceBackend, Image
from biosense.acquisition.camera.tracking.mediapipe_backend import MediaPipeBackend
from biosense.acquisition.camera.tracking.tracker import FaceTracker
from biosense.core.camera_streams import BLENDSHAPE_CHANNELS, FACE_CHANNELS, RPPG_CHANNELS
from biosense.core.clock import Clock
from biosense.core.errors import BadInput
from biosense.core.types import Chunk, Event, EventKind, Item, Modality, StreamInfo

_QUEUE_FRAMES = 64  # two seconds; beyond that frames are dropped before they cost anything
_BOTH = (EventKind.LOST, EventKind.RECOVERED)  # what a reader of any stream must hear


class CameraSource:
    """Read a camera, track the face in it, and yield skin colours and face geometry.

    Two streams, `<name>-rppg` (`RPPG_CHANNELS`) and `<name>-face` (`FACE_CHANNELS`), get one
    sample each for every frame, with the time at which the frame was taken; pixels go nowhere.
    Their `sfreq` is nominal: frames come irregularly, and they are dropped, and counted in an
    event, when tracking is slower than the camera. float32 resolves 6e-8 of the value, a weak
    pulse is 1e-3 of it. A backend with blendshapes adds `<name>-blendshapes`.

    Parameters
    ----------
    target
        Index of a camera (0 is the first), address of one that sends MJPEG, or a video file, which
        is played in real time.
    clock
        Tells session time.
    backend_factory
        Makes the face tracker, when the source is opened.
    name
        What the names of the streams start with.
    on_frame
        Called with time and BGR picture of each frame, in the camera's thread, before tracking:
        for a preview. It must be quick and must not write to the picture.
    max_width
        Wider frames are shrunk to this for tracking, in pixels.
    wait
        Waits for a number of seconds when a file is played; really waits by default.

    Raises
    ------
    StreamNotFound
        When entered: no such camera or file; the message says what to do.
    MissingExtra
        When entered: OpenCV or the face tracker is not installed.

    Examples
    --------
    >>> from biosense.core.clock import SystemClock
    >>> source = CameraSource(0, clock=SystemClock())
    >>> source.target, source.name
    (0, 'camera')
    """

    def __init__(
        self,
        target: int | str | Path,
        *,
        clock: Clock,
        backend_factory: Callable[[], FaceBackend] = MediaPipeBackend,
        name: str = "camera",
        on_frame: Callable[[float, Image], None] | None = None,
        max_width: int = 640,
        wait: Wait | None = None,
    ) -> None:
        self.target = address(target)
        self.name = name
        self._clock = clock
        self._backend_factory = backend_factory
        self._on_frame = on_frame
        self._max_width = max_width
        self._wait = wait
        self._infos: tuple[StreamInfo, ...] = ()
        self._faces, self._drops = FaceWatch(), DropWatch()
        self._room = threading.Semaphore(_QUEUE_FRAMES)
        self._stopping = threading.Event()

    @property
    def infos(self) -> tuple[StreamInfo, ...]:
        """The two streams; known once the source is entered."""
        if not self._infos:
            raise BadInput(f"the streams of {self.name!r} are known once it is entered: async with")
        return self._infos

    async def __aenter__(self) -> Self:
        """Open the camera and start the tracker."""
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[list[Item] | None] = asyncio.Queue()
        thread = ThreadPoolExecutor(1, "camera-track")
        opening = thread.submit(self._open)
        try:
            await asyncio.wrap_future(opening)
            self._infos = _infos(self.name, self._reader, self._tracker.has_blendshapes)
            self._work = self._loop.run_in_executor(thread, self._track_all)
        except BaseException:
            opening.add_done_callback(self._abandon)
            raise
        finally:
            thread.shutdown(wait=False)  # it ends with what it was given to do
        self._work.add_done_callback(lambda _: self._queue.put_nowait(None))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop tracking and release the camera."""
        self._stopping.set()
        self._reader.stop()
        await asyncio.wait([self._work])
        if error is None:
            self._work.result()

    async def __aiter__(self) -> AsyncIterator[Item]:
        """Yield chunks of one frame, and events, until a file ends or the source is closed."""
        while (items := await self._queue.get()) is not None:
            self._room.release()
            for item in items:
                yield item
        self._queue.put_nowait(None)  # the end stays the end for whoever asks again
        await self._work

    def _open(self) -> None:
        self._reader = self._open_reader()
        try:
            backend = self._backend_factory()
        except BaseException:
            self._reader.close()
            raise
        self._tracker = FaceTracker(backend, max_width=self._max_width)

    def _abandon(self, opening: Future[None]) -> None:
        # A thread cannot be cancelled: when the one who waits is, this closes what it opened.
        if not opening.cancelled() and opening.exception() is None:
            self._close()

    def _open_reader(self) -> FrameReader:
        match self.target:
            case int(index):
                return open_device(index, clock=self._clock)
            case str(url):
                return open_url(url, clock=self._clock)
            case path:
                return FileFrames(path, clock=self._clock, wait=self._wait)

    def _close(self) -> None:
        self._reader.close()
        self._tracker.close()

    def _track_all(self) -> None:
        try:
            for got in self._reader:
                items = self._track(got) if isinstance(got, Frame) else self._events(got)
                if not self._hand_over(items):
                    return
        finally:
            self._close()

    def _track(self, frame: Frame) -> list[Item]:
        if self._on_frame is not None:
            self._on_frame(frame.time, frame.image)
        rows = self._tracker.measure_all(frame.image)
        arrived = self._clock.now()
        items: list[Item] = [
            Chunk.of(info, [frame.time], [row], arrived=arrived)
            for info, row in zip(self._infos, rows, strict=True)
        ]
        present = bool(rows[1][-1] > 0)
        stranger = self._tracker.stranger
        if text := self._faces.push(frame.time, present=present, stranger=stranger):
            items += self._events(Notice(EventKind.INFO, text))
        if dropped := self._drops.push(frame.time, self._reader.dropped):
            text = f"tracking is slower than the camera: {dropped} frames dropped"
            items += self._events(Notice(EventKind.OVERRUN, text))
        return items

    def _events(self, notice: Notice) -> list[Item]:
        infos = self._infos if notice.kind in _BOTH else self._infos[1:2]
        now = self._clock.now()
        return [Event(now, notice.kind, info.name, notice.text) for info in infos]

    def _hand_over(self, items: list[Item]) -> bool:
        """Give items to the event loop, wait while its queue is full; False when to stop."""
        while not self._room.acquire(timeout=0.1):
            if self._stopping.is_set():
                return False
        if self._stopping.is_set() or self._loop.is_closed():
            return False
        self._loop.call_soon_threadsafe(self._queue.put_nowait, items)
        return True


def _infos(name: str, reader: FrameReader, blendshapes: bool) -> tuple[StreamInfo, ...]:
    def info(kind: str, modality: Modality | None, channels: tuple[str, ...]) -> StreamInfo:
        return StreamInfo(
            f"{name}-{kind}",
            modality,
            channels,
            reader.fps,
            source_id=f"camera:{reader.label}:{kind}",
            dtype="float32",
            lossy=True,
        )

    both = (
        info("rppg", Modality.RPPG, RPPG_CHANNELS),
        info("face", Modality.FACE, FACE_CHANNELS),
    )
    return (*both, info("blendshapes", None, BLENDSHAPE_CHANNELS)) if blendshapes else both
