"""What a webcam sees of a simulated person: the colour of the skin and the points of the face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from biosense.acquisition.simulated.behaviour import Behaviour
from biosense.acquisition.simulated.geometry import deform, neutral_face, project
from biosense.acquisition.simulated.heart import Heart
from biosense.acquisition.simulated.noise import BLOCK_S, Wander, generator
from biosense.acquisition.simulated.stream import stream_info
from biosense.core.camera_streams import FACE_CHANNELS, FACE_POINTS, RPPG_CHANNELS, RPPG_COLOURS
from biosense.core.types import Chunk, Floats, Modality

FRAME_HZ = 30.0
_DROPPED = 0.01  # share of the frames that never arrive
_JITTER_S = 0.006  # a frame is up to this late
_WIDTH, _HEIGHT = 640, 480
_PULSE_RGB = np.array([0.33, 0.77, 0.53]) / 0.77  # de Haan & van Leest 2014, green = 1
_LIGHT_SKIN, _DARK_SKIN = np.array([0.45, 0.31, 0.23]), np.array([0.13, 0.075, 0.05])
_HEAD_POINTS = [FACE_POINTS.index(name) for name in ("nose_tip", "right_eye_1", "left_eye_4")]
_REGION_PULSE = np.array([1.0, 0.9, 0.85])  # forehead, cheeks


@dataclass(frozen=True)
class Frames:
    """When the frames of a camera arrive; `rppg` and `face` share them.

    Parameters
    ----------
    seed
        The person, whose camera it is.

    Examples
    --------
    >>> 100 < len(Frames(1).block(0)) <= 120
    True
    """

    seed: int

    def block(self, index: int) -> Floats:
        """Return the times of the frames of block `index`, seconds: late by ms, some missing."""
        n = round(FRAME_HZ * BLOCK_S)
        rng = generator(self.seed, "frames", index)
        times = np.arange(index * n, (index + 1) * n) / FRAME_HZ + _JITTER_S * rng.beta(1, 3, n)
        return times[rng.random(n) >= _DROPPED]


class _Head:
    """A head of a person's own shape, and where it is; both streams of the camera see it."""

    def __init__(self, seed: int, behaviour: Behaviour) -> None:
        rng = generator(seed, "face")
        self._behaviour = behaviour
        shape = rng.normal(1.0, 0.04, 3)
        self.neutral = neutral_face() * shape + rng.normal(0.0, 0.8, (len(FACE_POINTS), 3))
        self.lopsided = float(rng.normal(0.0, 0.15))
        self._scale = float(rng.uniform(1.0, 1.6))
        self._place = Wander.draw(rng, 8.0, 120.0, columns=3)
        self.jitter_px = float(rng.uniform(0.15, 0.4))

    def see(self, points: Floats, pose: Floats, times: Floats) -> Floats:
        """Return points of the head, (n, points, 3) in mm, in pixels."""
        place = self._place.at(times)
        centre = np.array([_WIDTH / 2, 0.42 * _HEIGHT]) + 14.0 * place[:, :2]
        return project(points, pose, self._scale * (1.0 + 0.03 * place[:, 2]), centre)

    def place(self, times: Floats, rng: np.random.Generator) -> Floats:
        """Return the values of `HEAD_CHANNELS` with the tracker's jitter, shape (n, 4)."""
        rigid = np.repeat(self.neutral[None, _HEAD_POINTS], len(times), axis=0)
        seen = self.see(rigid, self._behaviour.pose(times), times)[:, :, :2]
        seen = seen + rng.normal(0.0, self.jitter_px, seen.shape)
        across = seen[:, 2] - seen[:, 1]
        tilt = np.arctan2(across[:, 1], across[:, 0])
        return np.column_stack([seen[:, 0], np.hypot(*across.T), tilt])


class SimulatedFace:
    """Draw the landmarks of a face: a head of its own shape that moves, smiles, blinks and talks.

    Parameters
    ----------
    seed
        The person.
    behaviour
        What the face does.
    """

    def __init__(self, seed: int, behaviour: Behaviour) -> None:
        self.info = stream_info(Modality.FACE, FACE_CHANNELS, FRAME_HZ, "px", seed)
        self._seed = seed
        self._behaviour = behaviour
        self._frames = Frames(seed)
        self._head = _Head(seed, behaviour)

    def block(self, index: int) -> Chunk:
        """Return block `index`, times since the start of the person."""
        times = self._frames.block(index)
        behaviour = self._behaviour
        expression = behaviour.expression(times)
        pose = behaviour.pose(times)
        points = deform(self._head.neutral, expression, self._head.lopsided)
        self._look(points, behaviour.gaze(times))
        seen = self._head.see(points, pose, times)
        rng = generator(self._seed, "landmarks", index)
        seen += rng.normal(0.0, self._head.jitter_px, seen.shape) * (1.0, 1.0, 2.5)
        rows = np.column_stack([seen.reshape(len(times), -1), pose, np.ones(len(times))])
        rows[:, -1] = 0.99 - 0.05 * rng.random(len(times)) - 0.2 * np.abs(pose[:, 1])
        return Chunk.of(self.info, times, _without_face(rows, behaviour.in_view(times)))

    @staticmethod
    def _look(points: Floats, gaze: Floats) -> None:
        for name in ("right_iris", "left_iris"):
            points[:, FACE_POINTS.index(name), :2] += 3.0 * gaze


class SimulatedRppg:
    """Draw the mean colour of three regions of skin and of the background, in linear light.

    The light of the room drifts and flickers for all of them; the skin adds the pulse, in the
    colours of blood, and the shading of a moving head, whose place is told with them.

    Parameters
    ----------
    seed
        The person.
    heart
        Whose pulse it is.
    behaviour
        What the head does.
    """

    def __init__(self, seed: int, heart: Heart, behaviour: Behaviour) -> None:
        self.info = stream_info(Modality.RPPG, RPPG_CHANNELS, FRAME_HZ, "1", seed)
        rng = generator(seed, "rppg")
        self._seed = seed
        self._heart = heart
        self._behaviour = behaviour
        self._frames = Frames(seed)
        self._head = _Head(seed, behaviour)
        tone = float(rng.random())
        exposure = rng.uniform(0.8, 1.2)
        self._skin = exposure * (_LIGHT_SKIN + tone * (_DARK_SKIN - _LIGHT_SKIN))
        self._wall = exposure * rng.uniform(0.1, 0.6) * np.array([1.0, 0.95, 0.9])
        self.pulse = float((0.010 - 0.006 * tone) * rng.uniform(0.6, 1.4))
        # Shot noise: darker skin sends less light.
        self._noise = 0.0008 * np.sqrt(0.45 / self._skin[0]) * rng.uniform(0.7, 1.3)
        self._shading = rng.normal(0.0, 0.25, (3, 3))
        self._light = Wander.draw(rng, 10.0, 200.0, columns=2)
        self._flicker = (rng.uniform(0.4, 2.5), rng.uniform(0.0, 0.0015))
        self._pixels = rng.uniform([2500, 1500, 1500, 4000], [7000, 4000, 4000, 4000])

    def block(self, index: int) -> Chunk:
        """Return block `index`, times since the start of the person."""
        times = self._frames.block(index)
        rng = generator(self._seed, "sensor", index)
        light = self._room(times)
        skin = self._regions(times)  # (n, 3, rgb)
        wall = np.broadcast_to(self._wall, (len(times), 1, 3))
        colour = np.concatenate([skin, wall], axis=1) * light[:, None]
        colour = colour * (1.0 + self._noise * rng.standard_normal(colour.shape))
        pixels = np.rint(self._pixels * (1.0 + 0.01 * rng.standard_normal((len(times), 4))))
        rows = np.concatenate([colour, pixels[:, :, None]], axis=2)
        hidden = self._behaviour.in_view(times) == 0
        rows[hidden, :3, :3] = np.nan
        rows[hidden, :3, 3] = 0.0
        head = self._head.place(times, generator(self._seed, "head", index))
        head[hidden] = np.nan
        return Chunk.of(self.info, times, np.hstack([rows.reshape(-1, len(RPPG_COLOURS)), head]))

    def _room(self, times: Floats) -> Floats:
        hertz, depth = self._flicker
        drift = self._light.at(times)
        level = 1.0 + 0.02 * drift[:, 0] + depth * np.sin(2 * np.pi * hertz * times)
        tint = 0.004 * drift[:, 1]
        return np.column_stack([level * (1.0 + tint), level, level * (1.0 - tint)])

    def _regions(self, times: Floats) -> Floats:
        """Return the colours of forehead and cheeks under even light, shape (n, 3, rgb)."""
        volume = self._heart.pulse(times) * self._heart.constriction(times)
        absorbed = self.pulse * volume[:, None, None] * _REGION_PULSE[:, None] * _PULSE_RGB
        shading = self._behaviour.pose(times) @ self._shading  # (n, regions)
        gloss = 0.003 * np.abs(shading)[:, :, None]
        lit = self._skin * (1.0 + shading[:, :, None]) * (1.0 - absorbed)
        colours: Floats = lit + gloss
        return colours


def _without_face(rows: Floats, in_view: Floats) -> Floats:
    hidden = in_view == 0
    rows[hidden] = np.nan
    rows[hidden, -1] = 0.0
    return rows
