"""Small pictures of the camera for a person to look at; they are shown and never kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from biosense.acquisition.camera.native.opencv import load_opencv
from biosense.acquisition.camera.tracking.backend import Image

_QUALITY = 75  # of the JPEG, percent
_INTERVAL_S = 0.09  # every third frame of 30 a second, with room for jitter


class Preview:
    """Shrink ten frames a second to JPEG and send them: the `on_frame` of a `CameraSource`.

    Parameters
    ----------
    send
        Takes each JPEG file; called in the camera's thread.
    width
        Of the picture, pixels; smaller frames are sent as they are.

    Examples
    --------
    >>> sent = []
    >>> preview = Preview(sent.append, width=64)
    >>> for time in (0.0, 0.05, 0.1):
    ...     preview(time, np.zeros((90, 160, 3), np.uint8))
    >>> len(sent)
    2
    """

    def __init__(self, send: Callable[[bytes], object], *, width: int = 320) -> None:
        self._send = send
        self._width = width
        self._due = -np.inf

    def __call__(self, time: float, image: Image) -> None:
        """Take a BGR frame, shape (height, width, 3), and the time at which it was taken."""
        if time < self._due:
            return
        self._due = time + _INTERVAL_S
        cv2 = load_opencv()
        height, width, _ = image.shape
        if width > self._width:
            size = (self._width, round(height * self._width / width))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        if done:
            self._send(jpeg.tobytes())
