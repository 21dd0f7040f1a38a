"""Frames with their session times: what every kind of camera looks like, and how one is opened."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from biosense.acquisition.camera.native.opencv import load_opencv
from biosense.acquisition.camera.tracking.backend import Image
from biosense.core.clock import Clock
from biosense.core.errors import BadInput, StreamNotFound
from biosense.core.types import EventKind

USUAL_FPS = 30.0  # where nobody says: most webcams in good light
_PLAUSIBLE_FPS = (1.0, 240.0)
_SCHEMES = ("http", "https", "rtsp")
_MAX_LATE_S = 0.1  # what the queue of a real camera would hold before it loses frames
_TEXT_AS_VIDEO = int.from_bytes(b"ansi", "little")  # FFmpeg "decodes" any .txt as terminal art

Wait = Callable[[float], object]


@dataclass(frozen=True, eq=False)
class Frame:
    """Hold a picture and the session time at which it was taken; BGR, shape (height, width, 3)."""

    time: float
    image: Image


@dataclass(frozen=True)
class Notice:
    """Say what happened to the camera."""

    kind: EventKind
    text: str


class FrameReader(Protocol):
    """Read the frames of one camera, in one thread, for as long as it is iterated."""

    fps: float
    """Nominal rate; `USUAL_FPS` where the camera does not say."""
    label: str
    """What is read, fit to be shown and recorded: no folders, no passwords."""
    dropped: int
    """Frames passed over so far because the reader's user was too slow to ask for them."""

    def __iter__(self) -> Iterator[Frame | Notice]:
        """Yield frames, times rising, until the camera ends or `stop` is called."""
        ...

    def stop(self) -> None:
        """End the iteration soon; from any thread."""
        ...

    def close(self) -> None:
        """Release the camera; after the iteration."""
        ...


class FileFrames:
    """Play a video file as if it were a camera: each frame when its time has come.

    A frame's time is the start of the iteration plus its time in the file. One that is asked for
    over 0.1 s late is dropped, as a camera would have done.

    Parameters
    ----------
    path
        The file.
    clock
        Tells session time.
    wait
        Waits for a number of seconds; by default until `stop` at the latest.

    Raises
    ------
    StreamNotFound
        There is no such file, or no video in it.
    """

    def __init__(self, path: Path, *, clock: Clock, wait: Wait | None = None) -> None:
        self._cv2 = load_opencv()
        self._clock = clock
        self._stop = threading.Event()
        self._wait = wait or self._stop.wait
        self._capture = _open_file(self._cv2, path)
        self._media_time = -1.0
        self.label = path.name
        self.fps = plausible_fps(self._capture.get(self._cv2.CAP_PROP_FPS))
        self.dropped = 0

    def __iter__(self) -> Iterator[Frame | Notice]:
        start = self._clock.now()
        while not self._stop.is_set() and self._capture.grab():
            due = start + self._next_media_time()
            early = due - self._clock.now()
            if early < -_MAX_LATE_S:
                self.dropped += 1
                continue
            if early > 0:
                self._wait(early)
            decoded, image = self._capture.retrieve()
            if decoded and not self._stop.is_set():
                yield Frame(due, image)
        if not self._stop.is_set():
            yield Notice(EventKind.INFO, f"file ended: {self.label}")

    def stop(self) -> None:
        """End the iteration soon; from any thread."""
        self._stop.set()

    def close(self) -> None:
        """Close the file; after the iteration."""
        self._stop.set()
        self._capture.release()

    def _next_media_time(self) -> float:
        # Some containers give every frame the same time; then the rate has to do.
        told = self._capture.get(self._cv2.CAP_PROP_POS_MSEC) / 1000
        rising = told > self._media_time
        self._media_time = told if rising else self._media_time + 1 / self.fps
        return self._media_time


def address(target: int | str | Path) -> int | str | Path:
    """Tell a device index, an address and a file apart.

    >>> address("0"), address("http://127.0.0.1:8080/video"), address("face.avi").name
    (0, 'http://127.0.0.1:8080/video', 'face.avi')
    """
    if isinstance(target, Path):
        return target
    if isinstance(target, int) or target.isdecimal():
        if int(target) < 0:
            raise BadInput(f"camera {target} cannot be: the first camera is 0")
        return int(target)
    if not re.match(r"[a-zA-Z][\w+.-]+://", target):
        return Path(target)
    if urlsplit(target).scheme.lower() not in _SCHEMES:
        raise BadInput(f"cannot read a camera at {target!r}: wanted one of {_SCHEMES}")
    return target


def plausible_fps(told: float) -> float:
    """Return the rate that a camera tells, or the usual one if it tells nonsense.

    >>> plausible_fps(25.0), plausible_fps(0.0), plausible_fps(90000.0)
    (25.0, 30.0, 30.0)
    """
    least, most = _PLAUSIBLE_FPS
    return float(told) if least <= told <= most else USUAL_FPS


def _open_file(cv2: Any, path: Path) -> Any:
    if not path.is_file():
        raise StreamNotFound(
            f"no video file {str(path)!r}; a camera is an index (0), a video file, or an address "
            "(http://..)"
        )
    # One decoding thread: more would keep several frames in the works for no gain in real time.
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if not capture.isOpened() or int(capture.get(cv2.CAP_PROP_FOURCC)) == _TEXT_AS_VIDEO:
        capture.release()
        raise StreamNotFound(
            f"{str(path)!r} holds no video that can be decoded; try to play it, or convert it, for "
            "example with: ffmpeg -i IN -c:v ffv1 OUT.avi"
        )
    return capture
