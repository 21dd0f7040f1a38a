"""Load OpenCV, quiet and on one thread, when a camera is used and not before."""

from __future__ import annotations

import os
from typing import Any

from biosense.core.errors import MissingExtra


def load_opencv() -> Any:
    """Return the `cv2` module, set up for a long run beside other work.

    OpenCV prints to standard error whenever an index or an address has no camera, which is an
    answer here and not a fault: its log and FFmpeg's are silenced (not where the environment
    already says otherwise). One thread: frames are small, and the others would only spin (640x360
    video: 1.3 ms of CPU a frame with two, 0.9 ms with one).

    Raises
    ------
    MissingExtra
        OpenCV is not installed.
    """
    # Both are read when the first camera is opened; 5 s bound the wait for a dead USB camera.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "5")
    try:
        import cv2
    except ImportError as error:
        raise MissingExtra(
            "the camera needs OpenCV, which is not installed: pip install 'biosense[camera]'"
        ) from error
    if "OPENCV_LOG_LEVEL" not in os.environ:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    cv2.setNumThreads(1)
    return cv2
