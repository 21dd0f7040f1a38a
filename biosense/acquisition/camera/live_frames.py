"""Frames of a camera that is there now: an index, or an address that sends MJPEG."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from biosense.acquisition.camera.frames import Frame, Notice, plausible_fps
from biosense.acquisition.camera.native.opencv import load_opencv
from biosense.core.clock import Clock
from biosense.core.errors import StreamNotFound
from biosense.core.types import EventKind, Floats

_LOG = logging.getLogger(__name__)
_TIMEOUT_MS = 5000  # of opening an address and of waiting for its next frame
_CLOSE_S = 2.0
_WARM_UP_FRAMES = 12  # read and thrown away: exposure settles, and they show the true rate
_RATES = (5.0, 7.5, 10.0, 12.5, 15.0, 20.0, 24.0, 25.0, 30.0, 50.0, 60.0, 90.0, 120.0)

Capture = Any  # cv2.VideoCapture, which has no types
OpenCapture = Callable[[], Capture | None]


class LiveFrames:
    """Read a camera in a thread of its own that does nothing else, and hand out the newest frame.

    The thread waits in `grab`, so a frame is stamped as it arrives and not when somebody has time
    for it: reading and tracking in one thread would let frames queue in the driver (or, over HTTP,
    without limit) and stamp them late. A frame that was not asked for before the next one came is
    dropped and counted.

    A camera that stops is looked for again with growing pauses, for as long as it takes.

    Parameters
    ----------
    open_capture
        Opens the camera; None when it is not there.
    label
        What is read.
    clock
        Tells session time.
    tells_fps
        False for a camera whose claimed rate is made up by the software in between.
    stall_s
        Seconds without a frame after which the camera counts as lost.
    pauses_s
        Seconds before each try to bring the camera back; the last one repeats.

    Raises
    ------
    StreamNotFound
        There is no camera, or it gives no picture.
    """

    def __init__(
        self,
        open_capture: OpenCapture,
        *,
        label: str,
        clock: Clock,
        tells_fps: bool = True,
        stall_s: float = 2.0,
        pauses_s: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0),
    ) -> None:
        self._open = open_capture
        self._clock = clock
        self._stall_s = stall_s
        self._pauses_s = pauses_s
        self._stop = threading.Event()
        self._news = threading.Condition()
        self._newest: Frame | None = None
        self._trouble = ""
        self.dropped = 0
        self.label = label
        self._capture = _open(open_capture, label)
        self.fps = self._warm_up(tells_fps)
        self._thread = ThreadPoolExecutor(1, "camera-grab")
        self._grabbing: Future[None] | None = None

    def __iter__(self) -> Iterator[Frame | Notice]:
        self._grabbing = self._thread.submit(self._grab)
        self._grabbing.add_done_callback(lambda _: self._wake())
        lost = False
        while (got := self._take()) is not None:
            if isinstance(got, Frame) and lost:
                yield Notice(EventKind.RECOVERED, f"{self.label} delivers again")
            elif isinstance(got, str) and not lost:
                yield Notice(EventKind.LOST, f"{self.label}: {got}; trying to bring it back")
            lost = isinstance(got, str)
            if isinstance(got, Frame):
                yield got

    def stop(self) -> None:
        """End the iteration soon; from any thread."""
        self._stop.set()
        self._wake()

    def close(self) -> None:
        """Release the camera; after the iteration."""
        self.stop()
        self._thread.shutdown(wait=False)
        if self._grabbing is None:
            self._capture.release()
            return
        try:
            self._grabbing.exception(timeout=_CLOSE_S)
        except TimeoutError:
            _LOG.warning("%s is stuck in its driver; it is released when it answers", self.label)

    def _warm_up(self, tells_fps: bool) -> float:
        """Return the rate at which frames come; a webcam in the dark claims 30 and gives 15."""
        told = self._capture.get(load_opencv().CAP_PROP_FPS) if tells_fps else 0.0
        times = []
        for _ in range(_WARM_UP_FRAMES):
            if not self._capture.grab():
                break
            times.append(self._clock.now())
        if not times or not self._capture.retrieve()[0]:
            self._capture.release()
            raise StreamNotFound(
                f"{self.label} opens but gives no picture: another program may be using it, or the "
                "system does not allow this one to (camera permissions)"
            )
        return _rate(np.diff(times), told)

    def _take(self) -> Frame | str | None:
        """Wait for a frame, or for what is wrong with the camera; None at the end."""
        with self._news:
            told = self._news.wait_for(self._has_news, self._stall_s)
            if self._stop.is_set():
                return None
            if self._grabbing is not None and self._grabbing.done():
                self._grabbing.result()  # it ends by itself only by an error
            if not told:
                return f"no frame for {self._stall_s:g} s"
            if self._trouble:  # before the frame: that came after it
                trouble, self._trouble = self._trouble, ""
                return trouble
            frame, self._newest = self._newest, None
            return frame

    def _has_news(self) -> bool:
        ended = self._grabbing is not None and self._grabbing.done()
        return bool(self._newest or self._trouble or ended or self._stop.is_set())

    def _wake(self) -> None:
        with self._news:
            self._news.notify_all()

    def _grab(self) -> None:
        capture: Capture | None = self._capture
        try:
            while capture is not None and not self._stop.is_set():
                if self._grab_one(capture):
                    continue
                capture.release()
                self._report("stopped delivering")
                capture = self._reopen()
        finally:
            if capture is not None:
                capture.release()

    def _grab_one(self, capture: Capture) -> bool:
        if not capture.grab():
            return False
        time = self._clock.now()  # before decoding, which takes a while
        decoded, image = capture.retrieve()
        if not decoded:
            return False
        with self._news:
            self.dropped += self._newest is not None
            self._newest = Frame(time, image)
            self._news.notify_all()
        return True

    def _report(self, trouble: str) -> None:
        with self._news:
            self.dropped += self._newest is not None
            self._newest = None
            self._trouble = trouble
            self._news.notify_all()

    def _reopen(self) -> Capture | None:
        tries = 0
        while not self._stop.wait(self._pauses_s[min(tries, len(self._pauses_s) - 1)]):
            if (capture := self._open()) is not None:
                return capture
            tries += 1
        return None


def open_device(index: int, *, clock: Clock) -> LiveFrames:
    """Open the camera with that index (0 is the first), or raise `StreamNotFound`.

    Parameters
    ----------
    index
        Of the camera; 0 is the first.
    clock
        Session time.

    Returns
    -------
    FrameReader
        Frames as they come.
    """
    cv2 = load_opencv()
    return LiveFrames(
        lambda: _if_opened(cv2.VideoCapture(index)), label=f"camera {index}", clock=clock
    )


def open_url(url: str, *, clock: Clock) -> LiveFrames:
    """Open the camera that sends MJPEG (or RTSP) at an address, or raise `StreamNotFound`.

    Parameters
    ----------
    url
        Of a camera that sends MJPEG.
    clock
        Session time.

    Returns
    -------
    FrameReader
        Frames as they come.
    """
    cv2 = load_opencv()
    settings = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _TIMEOUT_MS),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, _TIMEOUT_MS),
        *(cv2.CAP_PROP_N_THREADS, 1),
    ]
    parts = urlsplit(url)
    return LiveFrames(
        lambda: _if_opened(cv2.VideoCapture(url, cv2.CAP_FFMPEG, settings)),
        label=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}",  # no password
        clock=clock,
        tells_fps=False,  # MJPEG says nothing, and FFmpeg makes it 25
    )


def _if_opened(capture: Capture) -> Capture | None:
    return capture if capture.isOpened() else None


def _open(open_capture: OpenCapture, label: str) -> Capture:
    capture = open_capture()
    if capture is None:
        raise StreamNotFound(
            f"cannot open {label}: check that it is connected, switched on, and not in use by "
            "another program; `biosense devices` lists the cameras within reach"
        )
    return capture


def _rate(intervals: Floats, told: float) -> float:
    """Return the nominal rate: the one claimed if the intervals bear it out, else the usual one.

    >>> _rate(np.full(9, 1 / 29.8), 30.0), _rate(np.full(9, 1 / 15.2), 30.0), _rate(np.zeros(9), 0)
    (30.0, 15.0, 30.0)
    """
    interval = float(np.median(intervals)) if len(intervals) else 0.0
    if interval < 1 / _RATES[-1]:  # several frames at once, out of a buffer
        return plausible_fps(told)
    if abs(told * interval - 1) < 0.1:
        return told
    return min(_RATES, key=lambda rate: abs(np.log(rate * interval)))
