"""How far the light on a face can be trusted: trackers stay sure of faces that they hardly see."""

from __future__ import annotations

from typing import Any

import numpy as np

from biosense.acquisition.camera.tracking.backend import Image
from biosense.core.types import Floats

# Between nothing and full trust. Measured on a dimmed clip with a read noise of 2 levels: landmarks
# are off by 0.6 % of the eye distance at level 71 and contrast 9, by 1.1 % at 28 and 4, by 2.3 % at
# 14 and 2, by 4.4 % (a fifth of an open eye's height) at 7 and 1; the score stays 1.0.
_LEVEL = (8.0, 20.0)  # median of the brightest channel over the face, of 255
_CONTRAST = (1.5, 3.0)  # SD over the face in units of the noise's SD
_CLIPPED = (0.5, 0.25)  # share of the face's pixels at the top of the scale
_WHITE = 250
_MOST_PIXELS = 96  # of the crop's side: noise is read between neighbours, so it is not shrunk
# Immerkaer, Fast noise variance estimation, CVIU 1996: blind to edges and slopes.
_NOISE_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


def light_trust(cv2: Any, frame: Image, points: Floats) -> float:
    """Return how far a face's landmarks can be trusted for its light, 0 to 1.

    Parameters
    ----------
    cv2
        OpenCV.
    frame
        BGR, shape (height, width, 3).
    points
        The face mesh in pixels of this frame, shape (468 or more, 3).
    """
    crop = _middle(frame, points)
    if crop.size < 3 * 16 * 16:
        return 0.0  # nearly all of the face is out of the picture
    blue, green, red = cv2.split(crop)
    brightest = cv2.max(cv2.max(blue, green), red)
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    rough = cv2.filter2D(grey, cv2.CV_16S, _NOISE_KERNEL)[1:-1, 1:-1]
    # The median ignores hair and beard; 36 is the sum of squares of the kernel. A digital camera
    # that shows no noise still rounds to whole levels.
    noise = max(float(np.median(np.abs(rough))) / (0.6745 * 6.0), 0.29)
    spread = np.sqrt(max(float(grey.var()) - noise**2, 0.0))
    return min(
        _ramp(float(np.median(brightest)), _LEVEL),
        _ramp(spread / noise, _CONTRAST),
        _ramp(float((brightest >= _WHITE).mean()), _CLIPPED),
    )


def _middle(frame: Image, points: Floats) -> Image:
    height, width, _ = frame.shape
    low = np.maximum(points[:, :2].min(axis=0), 0)
    high = np.minimum(points[:, :2].max(axis=0), (width, height))
    centre, reach = 0.5 * (low + high), np.minimum(0.35 * (high - low), _MOST_PIXELS / 2)
    left, top = np.maximum(centre - reach, 0).astype(int)
    right, bottom = np.maximum(centre + reach, 0).astype(int)
    return frame[top:bottom, left:right]


def _ramp(value: float, between: tuple[float, float]) -> float:
    nothing, full = between
    return float(np.clip((value - nothing) / (full - nothing), 0.0, 1.0))
