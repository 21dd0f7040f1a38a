"""From landmarks to expression, head angles and head speed, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.camera_streams import FACE_CHANNELS
from biosense.core.errors import BadInput
from biosense.core.grid import contiguous_runs, sample_indices
from biosense.core.types import Bools, Chunk, Floats, StreamInfo
from biosense.processing.face.landmarks import (
    ANGLE_CHANNELS,
    EXPRESSION_CHANNELS,
    angle_between,
    euler_angles,
    expression,
    rotation_matrices,
)

GEOMETRY_CHANNELS = (*EXPRESSION_CHANNELS, *ANGLE_CHANNELS, "head_speed", "confidence")
"""Expression (`face_geometry.expression`), pose in radians, head speed in rad/s, the detector's
confidence."""

# A mesh without irises has a face all the same: its gaze is NaN.
_NEEDED = [number for number, name in enumerate(FACE_CHANNELS) if "_iris_" not in name]


@dataclass
class FaceGeometry:
    """Turn regularised landmarks into expression, head angles and head speed.

    A frame without a face is NaN and not ok, with confidence 0; so is one whose face is hardly seen
    (dark, turned away, hidden), with the confidence that it has: no number is better than a wrong
    one. Angles do not jump by a full turn as long as the face stays in view. Head speed is NaN in
    the first frame of a run.

    Parameters
    ----------
    least_confidence
        Of a frame that is used.

    Examples
    --------
    >>> info = StreamInfo("webcam-face", None, FACE_CHANNELS, 30.0)
    >>> stage = FaceGeometry()
    >>> stage.start(info).n_channels
    19
    >>> frames = np.full((2, len(FACE_CHANNELS)), np.nan)
    >>> stage.push(Chunk.of(info, [0.0, 1 / 30], frames))[0].ok.tolist()
    [False, False]
    """

    least_confidence: float = 0.3
    _info: StreamInfo = field(init=False, repr=False)
    _expected: int | None = field(init=False, repr=False)
    _rotation: Floats = field(init=False, repr=False)
    _angles: Floats = field(init=False, repr=False)
    _turns: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0.0 <= self.least_confidence <= 1.0:
            raise BadInput(f"least_confidence={self.least_confidence} must be in [0, 1]")

    def start(self, info: StreamInfo) -> StreamInfo:
        """Check the channels: they must be those of a camera's face stream."""
        if info.channels != FACE_CHANNELS or info.sfreq <= 0:
            raise BadInput(
                f"{info.name!r} must have the channels FACE_CHANNELS and a regular sfreq, got "
                f"{info.n_channels} channels {info.channels[:3]}.. at {info.sfreq} Hz"
            )
        self._info = replace(info, channels=GEOMETRY_CHANNELS, unit="", dtype="float64")
        self._expected = None
        self._forget()
        return self._info

    def push(self, item: Chunk) -> Sequence[Chunk]:
        """Return the geometry of every frame."""
        if item.n == 0:
            return []
        indices = sample_indices(item)
        rows, seen = [], []
        for start, stop, fresh in contiguous_runs(indices, self._expected):
            if fresh:
                self._forget()
            seen.append(self._is_seen(item.data[start:stop], item.ok[start:stop]))
            rows.append(self._run(item.data[start:stop], item.ok[start:stop], seen[-1]))
        self._expected = int(indices[-1]) + 1
        data, ok = np.concatenate(rows), np.concatenate(seen)
        return [replace(item, info=self._info, data=data, ok=ok)]

    def flush(self) -> Sequence[Chunk]:
        """Return nothing: every frame was answered at once."""
        return []

    def _forget(self) -> None:
        self._rotation = np.full((1, 3, 3), np.nan)
        self._angles = np.full((1, 3), np.nan)
        self._turns = np.zeros((1, 3))

    def _is_seen(self, frames: Floats, ok: Bools) -> Bools:
        confidence = frames[:, -1]
        sure = (confidence > 0) & (confidence >= self.least_confidence) & _is_share(confidence)
        seen: Bools = ok & sure & np.isfinite(frames[:, _NEEDED]).all(axis=1)
        return seen

    def _run(self, frames: Floats, ok: Bools, seen: Bools) -> Floats:
        told = np.where(ok & _is_share(frames[:, -1]), frames[:, -1], 0.0)
        frames = np.where(seen[:, None], frames, np.nan)
        rotation = np.concatenate([self._rotation, rotation_matrices(frames)])
        speed = angle_between(rotation[:-1], rotation[1:]) * self._info.sfreq
        self._rotation = rotation[-1:]
        confidence = np.clip(told, 0.0, 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):  # a tracker gone wrong: no size
            shape = expression(frames)
            shape = np.where(np.isfinite(shape), shape, np.nan)
        return np.column_stack([shape, self._unwrap(euler_angles(frames)), speed, confidence])

    def _unwrap(self, angles: Floats) -> Floats:
        """Add whole turns, so that no step from frame to frame exceeds half a turn."""
        steps = np.diff(np.concatenate([self._angles, angles]), axis=0)
        extra = np.where(np.isfinite(steps), -np.round(steps / (2 * np.pi)), 0.0)
        turns = self._turns + np.cumsum(extra, axis=0)
        self._angles, self._turns = angles[-1:], turns[-1:]
        unwrapped: Floats = angles + 2 * np.pi * turns
        return unwrapped


def _is_share(values: Floats) -> Bools:
    """Tell which values lie in [0, 1], but for rounding: others are no confidence."""
    return np.asarray(np.abs(values - 0.5) <= 0.5 + 1e-9)
