"""Face features on the session grid: mean expression and its spread, blinks, head motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.grid import HOP, grid_time, sample_index, sample_indices
from biosense.core.types import Chunk, Epoch, Floats, StreamInfo
from biosense.processing.blinks import BlinkDetector
from biosense.processing.face import GEOMETRY_CHANNELS
from biosense.processing.grid_cut import GridCut
from biosense.processing.grid_ring import GridRing

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

FACE_FEATURES = (
    *_MEANS,
    *(f"{name}_sd" for name in _SPREADS),
    "blink_rate",
    "closed_share",
    "head_motion",
)
"""Means and SDs over the window; blinks per minute; share of time with closed eyes; ln of the rms
head speed in rad/s."""

_AT = {name: number for number, name in enumerate(GEOMETRY_CHANNELS)}
_STILL_RAD_S = 0.01  # keeps the logarithm finite; far below the jitter of any tracker


@dataclass
class FaceFeatures:
    """Turn face geometry into features at every point of the session grid.

    Means and SDs are over the frames with a face in the last `window` seconds, the blink rate over
    30 s, the share of closed eyes over 60 s (`blinks.BlinkDetector`). Quality is the mean
    confidence over the window, frames without a face counting 0. No baseline of the person is
    subtracted: that is a later stage's task.

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
    21
    >>> frames = np.ones((61, 19))
    >>> epoch = stage.push(Chunk.of(info, np.arange(61) / 30, frames))[-1]
    >>> epoch.stop, float(epoch.data[0]), epoch.quality
    (2.0, 1.0, 1.0)
    """

    window: float = 2.0
    hop: float = HOP
    _info: StreamInfo = field(init=False, repr=False)
    _sfreq: float = field(init=False, repr=False)
    _n: int = field(init=False, repr=False)
    _frames: GridRing = field(init=False, repr=False)
    _blinks: BlinkDetector = field(init=False, repr=False)
    _cut: GridCut = field(init=False, repr=False)

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
        self._blinks = BlinkDetector(info.sfreq)
        self._cut = GridCut(info.sfreq, self.hop)
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
        self._blinks.put(indices, data[:, _AT["ear"]])

    def _epoch(self, k: int) -> Epoch:
        stop = grid_time(k, self.hop)
        newest = sample_index(stop, self._sfreq)
        frames = self._frames.upto(newest, self._n)
        seen = frames[np.isfinite(frames[:, _AT["ear"]])]
        blink_rate, closed_share = self._blinks.look(newest)
        shape = _window_features(seen)
        data = np.concatenate([shape[:-1], [blink_rate, closed_share], shape[-1:]])
        quality = float(seen[:, _AT["confidence"]].sum() / self._n)
        return Epoch(self._info, k, stop - self.window, stop, data, quality)


def _window_features(seen: Floats) -> Floats:
    """Return means, SDs and head motion of the frames with a face."""
    if len(seen) == 0:
        return np.full(len(_MEANS) + len(_SPREADS) + 1, np.nan)
    means = seen[:, [_AT[name] for name in _MEANS]].mean(axis=0)
    spreads = seen[:, [_AT[name] for name in _SPREADS]].std(axis=0)
    speed = seen[:, _AT["head_speed"]]
    speed = speed[np.isfinite(speed)]
    motion = np.log(np.sqrt(np.mean(speed**2)) + _STILL_RAD_S) if len(speed) else np.nan
    return np.concatenate([means, spreads, [motion]])
