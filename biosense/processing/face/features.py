"""Face features on the session grid: expression, how it moves, blinks, closed eyes, head motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.grid import HOP, grid_time, sample_index, sample_indices
from biosense.core.types import Chunk, Epoch, Floats, StreamInfo
from biosense.processing.face.blinks import BlinkDetector
from biosense.processing.face.geometry import GEOMETRY_CHANNELS
from biosense.processing.face.motion import means, movement, slopes
from biosense.processing.face.neutral import Neutral
from biosense.processing.signal.grid_points import GridPoints
from biosense.processing.signal.grid_ring import GridRing

_MEANS = (
    "ear",
    "mar",
    "smile_width",
    "lip_corner_lift",
    "brow_inner",
    "brow_outer",
    "brow_gap",
    "nose_wrinkle",
    "jaw_drop",
    "gaze_x",
    "gaze_y",
    "smile_asymmetry",
    "pitch",
    "yaw",
    "roll",
)
_SPREADS = ("mar", "smile_width", "brow_inner")
_SLOPES = ("smile_width", "brow_inner", "pitch", "yaw")
_MOUTH = ("mar", "smile_width", "lip_corner_lift", "jaw_drop")
_BROWS = ("brow_inner", "brow_outer", "brow_gap")

FACE_FEATURES = (
    *_MEANS,
    *(f"{name}_sd" for name in _SPREADS),
    *(f"{name}_slope" for name in _SLOPES),
    "mouth_motion",
    "brow_motion",
    "blink_rate",
    "perclos",
    "head_motion",
)
"""Means over the window, less the person's neutral face and pose; SDs; slopes per second; ln of the
rms velocity of mouth and brows in eye distances per second; blinks per minute; share of the last
60 s with eyes at least 80 % closed; ln of the rms head speed in rad/s."""

_AT = {name: number for number, name in enumerate(GEOMETRY_CHANNELS)}


def _columns(names: tuple[str, ...]) -> list[int]:
    return [_AT[name] for name in names]


_AT_MEANS, _AT_SPREADS, _AT_SLOPES = map(_columns, (_MEANS, _SPREADS, _SLOPES))
_AT_MOUTH, _AT_BROWS = _columns(_MOUTH), _columns(_BROWS)
_NEUTRAL_S = 300.0  # an expression has to last half of it to be taken for the neutral face
_NEUTRAL_LEAST_S = 5.0
_STILL_RAD_S = 0.01  # keeps the logarithm finite; far below the jitter of any tracker
_FROZEN = 1e-9  # of any column: what interpolation adds to equal frames
_DOUBT = 0.5  # quality below which the reason is told


@dataclass
class FaceFeatures:
    """Turn face geometry into features at every point of the session grid.

    Means, SDs, slopes and velocities are over the frames with a face in the last `window` seconds,
    the blink rate over 30 s, PERCLOS over 60 s (`blinks.BlinkDetector`). Means are relative to the
    person's neutral face, the median of the last 5 min in which the face was seen
    (`face_neutral.Neutral`), and NaN for the first 5 s of them. Quality is the mean confidence over
    the window; frames without a face, or in which it is hardly seen, count 0.

    Parameters
    ----------
    window
        Seconds.
    hop
        Step of the session grid, seconds.

    Examples
    --------
    >>> info = StreamInfo("webcam-face", None, GEOMETRY_CHANNELS, 30.0)
    >>> stage = FaceFeatures()
    >>> stage.start(info).n_channels
    27
    >>> frames = np.ones((181, 19)) - 1e-4 * np.arange(181)[:, None]  # no face stands still
    >>> epoch = stage.push(Chunk.of(info, np.arange(181) / 30, frames))[-1]
    >>> epoch.stop, round(epoch.quality, 1)
    (6.0, 1.0)
    """

    window: float = 2.0
    hop: float = HOP
    _info: StreamInfo = field(init=False, repr=False)
    _sfreq: float = field(init=False, repr=False)
    _n: int = field(init=False, repr=False)
    _frames: GridRing = field(init=False, repr=False)
    _confidence: GridRing = field(init=False, repr=False)
    _blinks: BlinkDetector = field(init=False, repr=False)
    _neutral: Neutral = field(init=False, repr=False)
    _cut: GridPoints = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.window > 0:
            raise BadInput(f"window={self.window} s must be above 0")

    def start(self, info: StreamInfo) -> StreamInfo:
        """Check the channels and forget everything."""
        if info.channels != GEOMETRY_CHANNELS:
            raise BadInput(
                f"channels of {info.name!r} must be GEOMETRY_CHANNELS: put FaceGeometry() before"
            )
        self._sfreq = info.sfreq
        self._n = max(round(self.window * info.sfreq), 1)
        self._frames = GridRing(self._n, info.n_channels)
        self._confidence = GridRing(self._n, 1)
        self._blinks = BlinkDetector(info.sfreq)
        looks = round(_NEUTRAL_S / self.hop), round(_NEUTRAL_LEAST_S / self.hop)
        self._neutral = Neutral(*looks, len(_MEANS))
        self._cut = GridPoints(info.sfreq, self.hop)
        self._info = replace(info, channels=FACE_FEATURES, sfreq=1 / self.hop)
        return self._info

    def push(self, item: Chunk) -> Sequence[Epoch]:
        """Return an epoch for each point of the grid that the frames completed."""
        return self._cut.epochs(item, self._take, self._epoch)

    def flush(self) -> Sequence[Epoch]:
        """Return nothing: a point of the grid that no frame reached is not known."""
        return []

    def _take(self, frames: Chunk) -> None:
        indices = sample_indices(frames)
        data = np.where(frames.ok[:, None], frames.data, np.nan)
        self._frames.put(indices, data)
        self._confidence.put(indices, frames.data[:, [_AT["confidence"]]])
        self._blinks.put(indices, data[:, _AT["ear"]])

    def _epoch(self, k: int) -> Epoch:
        stop = grid_time(k, self.hop)
        newest = sample_index(stop, self._sfreq)
        frames = self._frames.upto(newest, self._n)
        confidence = np.nan_to_num(frames[:, _AT["confidence"]])
        mean = means(frames[:, _AT_MEANS])
        # What is taken for neutral must have been seen well, and for most of the window.
        if (confidence > 0).mean() >= _DOUBT:
            self._neutral.put(mean)
        data = np.concatenate(
            [
                mean - self._neutral.median,
                _spreads(frames[:, _AT_SPREADS]),
                slopes(frames[:, _AT_SLOPES], self._sfreq),
                [movement(frames[:, columns], self._sfreq) for columns in (_AT_MOUTH, _AT_BROWS)],
                self._blinks.look(newest),
                [_head_motion(frames[:, _AT["head_speed"]])],
            ]
        )
        quality = float(confidence.sum() / self._n)
        reason = self._reason(newest) if quality < _DOUBT else ""
        if _is_frozen(frames):
            quality, reason = 0.0, "frozen"
        return Epoch(self._info, k, stop - self.window, stop, data, quality, reason)

    def _reason(self, newest: int) -> str:
        found = self._confidence.upto(newest, self._n)[:, 0] > 0
        return "face hardly seen" if found.mean() >= _DOUBT else "no face"


def _is_frozen(frames: Floats) -> bool:
    """Tell a photograph, or a camera that sends its last frame: landmarks of a face tremble."""
    if not np.abs(frames[0] - frames[-1]).max() <= _FROZEN:  # nearly always, also with a NaN
        return False
    return bool(np.ptp(frames, axis=0).max() <= _FROZEN)


def _spreads(frames: Floats) -> Floats:
    centred = frames - means(frames)
    return np.asarray(np.sqrt(means(centred * centred)))


def _head_motion(speed: Floats) -> float:
    speed = speed[np.isfinite(speed)]
    return float(np.log(np.sqrt(np.mean(speed**2)) + _STILL_RAD_S)) if len(speed) else float("nan")
