"""Colours of skin and background, and the head's place: all that camera pulse needs of a frame."""

from __future__ import annotations

import numpy as np

from biosense.acquisition.camera.native.opencv import load_opencv
from biosense.acquisition.camera.tracking.backend import Image, mesh_indices
from biosense.core.types import Floats

# Points of the face mesh around skin that hair, eyes and mouth leave alone (right: subject's).
_SKIN = (
    (103, 67, 109, 10, 338, 297, 332, 333, 299, 337, 151, 108, 69, 104),  # forehead
    (117, 118, 101, 36, 203, 206, 216, 207, 187, 123),  # right cheek
    (346, 347, 330, 266, 423, 426, 436, 427, 411, 352),  # left cheek
)
_HEAD = mesh_indices(("nose_tip", "right_eye_1", "left_eye_4"))
# Both cheeks are listed from the outer upper corner inwards: they run opposite ways round.
_CLOCKWISE = (True, True, False)

_MIN_PIXELS = 16.0  # fewer give a mean that is only noise
_BACKGROUND_PIXELS = 4096  # of each patch, evenly spread: more would not lower its noise usefully
_SUBPIXEL_BITS = 4
_NEAR, _FAR = 0.25, 0.5  # of the face's width: patches nearer than this are left, chosen beyond it
_MIN_PATCH = 0.05  # of the frame's width

Box = tuple[int, int, int, int]  # left, top, right, bottom


def linear_table() -> Floats:
    """Return linear light in [0, 1] for each 8-bit sRGB value, shape (256,) (IEC 61966-2-1)."""
    value = np.arange(256) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def trust_table() -> Image:
    """Return how far a pixel counts, 0 to 255, by its brightest channel, shape (256,).

    A clipped pixel carries no pulse, a black one only noise. Leaving pixels out at a threshold
    would let the camera's noise, and the pulse itself, switch them on and off; so the weight falls
    over a range, and one step of a pixel's value changes it by 7 % at most. It looks at the
    brightest channel alone, because dark skin is dark in blue and must not lose weight for that.
    """
    value = np.arange(256)
    bright = np.interp(value, (235, 250), (255, 0))
    dark = np.interp(value, (2, 17), (0, 255))
    return np.minimum(bright, dark).astype(np.uint8)


class RegionColours:
    """Measure the regions of `RPPG_CHANNELS` in the frames of one camera.

    The mean is taken in linear light, where a pulse is a factor, over pixels weighted by
    `trust_table`; "pixels" is the sum of the weights. A region is NaN with 0 pixels when it is out
    of the frame, turned away from the camera, clipped or black.

    The background is a patch on each side of the face above the chin, where shoulders do not reach.
    The patches stay where they are until the face comes near: patches that followed the head would
    turn its movement into a change of light. Without a face they stay too; before the first face
    they are the outer sixths of the frame.

    Examples
    --------
    >>> colours = RegionColours().measure(np.full((90, 160, 3), 255 // 2, np.uint8), None)
    >>> colours[12:15].round(4).tolist()
    [0.2122, 0.2122, 0.2122]
    """

    def __init__(self) -> None:
        self._cv2 = load_opencv()
        self._linear = linear_table()
        self._trust = trust_table()
        self._patches: tuple[Box, ...] = ()
        self._chosen_by_face = False
        self._shape = (0, 0)

    def measure(self, frame: Image, points: Floats | None) -> Floats:
        """Return the values of `RPPG_CHANNELS`, shape (20,).

        Parameters
        ----------
        frame
            BGR, shape (height, width, 3).
        points
            The face mesh in pixels of this frame, shape (468 or more, 3); None without a face.
        """
        skin = [_nothing()] * len(_SKIN)
        head = np.full(4, np.nan)
        if points is not None:
            head = _head_place(points)
            skin = [
                self._skin(frame, points[list(outline), :2], clockwise)
                for outline, clockwise in zip(_SKIN, _CLOCKWISE, strict=True)
            ]
        self._place_patches(frame, points)
        sums = sum((self._patch_sum(frame, patch) for patch in self._patches), np.zeros(4))
        return np.concatenate([*skin, _mean(sums), head])

    def _skin(self, frame: Image, outline: Floats, clockwise: bool) -> Floats:
        area = self._cv2.contourArea(outline.astype(np.float32), oriented=True)
        if area <= 0 if clockwise else area >= 0:
            return _nothing()  # seen from behind: the landmarks are a guess
        height, width, _ = frame.shape
        left, top = np.maximum(np.floor(outline.min(axis=0)), 0).astype(int)
        right, bottom = np.minimum(np.ceil(outline.max(axis=0)) + 1, (width, height)).astype(int)
        if left >= right or top >= bottom:
            return _nothing()
        crop = frame[top:bottom, left:right]
        mask = np.zeros(crop.shape[:2], np.uint8)
        corners = np.rint((outline - (left, top)) * 2**_SUBPIXEL_BITS).astype(np.int32)
        self._cv2.fillPoly(mask, [corners], 255, self._cv2.LINE_AA, _SUBPIXEL_BITS)
        return _mean(self._weighted_sum(crop, mask))

    def _patch_sum(self, frame: Image, patch: Box) -> Floats:
        left, top, right, bottom = patch
        step = max(1, int(np.sqrt((right - left) * (bottom - top) / _BACKGROUND_PIXELS)))
        return self._weighted_sum(np.ascontiguousarray(frame[top:bottom:step, left:right:step]))

    def _weighted_sum(self, crop: Image, mask: Image | None = None) -> Floats:
        """Return the sums of r, g, b and of the weights, shape (4,)."""
        blue, green, red = self._cv2.split(crop)
        weight = self._cv2.LUT(self._cv2.max(self._cv2.max(blue, green), red), self._trust)
        if mask is not None:
            weight = self._cv2.min(weight, mask)
        weights = weight.ravel() / 255
        linear = self._cv2.LUT(crop, self._linear).reshape(-1, 3)
        return np.append((weights @ linear)[::-1], weights.sum())

    def _place_patches(self, frame: Image, points: Floats | None) -> None:
        height, width, _ = frame.shape
        if self._shape != (height, width):  # first frame, or a camera that came back different
            sixth = width // 6
            lower = height * 2 // 3
            self._patches = ((0, 0, sixth, lower), (width - sixth, 0, width, lower))
            self._shape, self._chosen_by_face = (height, width), False
        if points is None:
            return
        left, right = float(points[:, 0].min()), float(points[:, 0].max())
        reach = _NEAR * (right - left)
        clear = all(p[2] <= left - reach or p[0] >= right + reach for p in self._patches)
        if not (self._chosen_by_face and clear and self._patches):
            self._patches = _beside(points, width, height)
            self._chosen_by_face = True


def _beside(points: Floats, width: int, height: int) -> tuple[Box, ...]:
    left, right = float(points[:, 0].min()), float(points[:, 0].max())
    bottom = int(np.clip(points[:, 1].max(), 0, height))
    reach = _FAR * (right - left)
    inner_left = int(np.clip(left - reach, 0, width))
    inner_right = int(np.clip(right + reach, 0, width))
    patches = ((0, 0, inner_left, bottom), (inner_right, 0, width, bottom))
    least = _MIN_PATCH * width
    return tuple(p for p in patches if p[2] - p[0] >= least and bottom >= least)


def _head_place(points: Floats) -> Floats:
    """Return the values of `HEAD_CHANNELS`."""
    nose, right, left = points[_HEAD, :2]
    across = left - right
    return np.array([*nose, np.hypot(*across), np.arctan2(across[1], across[0])])


def _mean(sums: Floats) -> Floats:
    if sums[3] < _MIN_PIXELS:
        return _nothing()
    return np.append(sums[:3] / sums[3], sums[3])


def _nothing() -> Floats:
    return np.array([np.nan, np.nan, np.nan, 0.0])
