"""Which cameras are connected to this computer."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from biosense.acquisition.camera.frames import plausible_fps
from biosense.acquisition.camera.native.opencv import load_opencv


@dataclass(frozen=True)
class FoundCamera:
    """Name a camera: its index, and the picture that it would give (pixels, frames a second)."""

    index: int
    width: int
    height: int
    fps: float


def find_cameras(limit: int = 8) -> tuple[FoundCamera, ...]:
    """Return the cameras with an index below `limit`.

    Each is opened and closed again, without taking a picture: a camera that another program uses
    may be among them. Silent where there is none.

    Returns
    -------
    list of FoundCamera
        Those that can be opened.
    """
    cv2 = load_opencv()
    found = []
    for index in filter(_may_exist, range(limit)):
        capture = cv2.VideoCapture(index)
        if capture.isOpened():
            width, height, fps = (
                capture.get(value)
                for value in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS)
            )
            found.append(FoundCamera(index, int(width), int(height), plausible_fps(fps)))
        capture.release()
    return tuple(found)


def _may_exist(index: int) -> bool:
    # Elsewhere only opening tells; here a look saves waiting for drivers.
    return not sys.platform.startswith("linux") or Path(f"/dev/video{index}").exists()
