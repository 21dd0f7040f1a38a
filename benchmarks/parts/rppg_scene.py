"""Skin colour with a known pulse for the bench of the camera pulse: light, motion, camera.

Linear light C(t) = I(t) [skin (1 + m(t)) (1 - a u p(t)) + s(t)] per region, with shot noise of the
region's mean; p has three harmonics and a rate that wanders at 0.1 and 0.25 Hz. The head's place
moves with m. `benchmarks.rppg.codecs` renders pictures for what a codec does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from biosense.core.camera_streams import RPPG_CHANNELS
from biosense.core.types import Chunk, Floats, Modality, StreamInfo

ABSORPTION = np.array([0.33, 0.77, 0.53]) / 0.77  # blood volume pulse in R, G, B
_BLOOD_SD = 0.1  # of the logarithm: no two skins, lamps and cameras colour a pulse alike
_SKIN = np.array([1.0, 0.72, 0.58])  # relative to red
_WALL = np.array([0.35, 0.35, 0.37])
SWINGS = {
    "green-purple": (-1.0, 1.0, -1.0),
    "red-cyan": (1.0, -1.0, -1.0),
    "blue-yellow": (-1.0, -1.0, 1.0),
}
_PIXELS = (2600.0, 1900.0, 1800.0, 4000.0)
_LOUDNESS = {"translate": (1.0, 1.0, 1.0), "rotate": (0.3, 1.0, -1.0), "talk": (0.1, 1.0, 0.8)}
_EYES_PX, _JITTER_PX = 100.0, 0.3
_FINE_HZ = 120.0


@dataclass(frozen=True)
class Scene:
    """Describe one condition; amplitudes are peak-to-peak fractions of the mean colour.

    `motion_at` and `swing_at`: "slow" (0.3-0.6 Hz), "near" (6 to 20 bpm beside the heart rate),
    "half", "double", "any" (45 to 150 bpm). `swing_on`: room (skin and wall), face (skin alone),
    sway (skin, with the head's place). `pulse` 0 is a photo, or a mask.
    """

    name: str
    group: str = "clean"
    pulse: float = 0.005
    red: float = 0.6  # linear red of the skin: 0.6, 0.4, 0.2 for skin I-II, III-IV, V-VI
    noise: float = 0.0003  # SD per frame and channel of a region's mean of 0.4, linear light
    motion: float = 0.0
    motion_kind: str = "translate"
    motion_at: str = "slow"
    specular: float = 0.0
    swing: float = 0.0
    swing_colour: tuple[float, ...] = (0.0, 0.0, 0.0)
    swing_on: str = "room"
    swing_at: str = "near"
    flicker: float = 0.0
    exposure_steps: float = 0.0
    white_steps: float = 0.0
    fps: float = 30.0
    jitter_s: float = 0.0
    drops: float = 0.0
    bursts: float = 0.0  # bursts of 10 lost frames a second
    absent: tuple[float, float] = (0.0, 0.0)
    ramp: bool = False
    background: bool = True
    seconds: float = 60.0

    @property
    def is_pulse(self) -> bool:
        """True where there is a heart rate to find."""
        return self.pulse > 0


@dataclass(frozen=True, eq=False)
class Heart:
    """Hold a heart's rate (bpm), its waves (0 to 1) and its beats, on a fine time base."""

    times: Floats
    rate: Floats
    phase: Floats

    def wave(self, times: Floats) -> Floats:
        """Return the blood volume, 0 to 1."""
        phase = np.interp(times, self.times, self.phase)
        wave = np.sin(phase) + 0.4 * np.sin(2 * phase - 0.8) + 0.15 * np.sin(3 * phase - 1.6)
        return (wave + 1.2) / 2.4

    def mean_rate(self, start: float, stop: float) -> float:
        """Return the mean rate in [start, stop), bpm."""
        return float(self.rate[(self.times >= start) & (self.times < stop)].mean())


def make_heart(scene: Scene, rng: np.random.Generator) -> Heart:
    """Draw a heart of 45 to 150 bpm (or one that speeds up from 60 to 100)."""
    t = np.arange(-1.0, scene.seconds + 1.0, 1 / _FINE_HZ)
    bpm = rng.uniform(45, 150)
    level = np.interp(t, [0.0, scene.seconds], [60.0, 100.0]) if scene.ramp else bpm
    phases = rng.uniform(0, 2 * np.pi, 2)
    wander = 0.02 * np.sin(2 * np.pi * 0.1 * t + phases[0])
    wander = wander + 0.02 * np.sin(2 * np.pi * 0.25 * t + phases[1])
    rate = level * (1 + wander)
    return Heart(t, rate, 2 * np.pi * np.cumsum(rate / 60) / _FINE_HZ)


def make(scene: Scene, seed: int) -> tuple[Chunk, Heart]:
    """Return the stream of a camera that looks at a scene, and the heart in it."""
    rng = np.random.default_rng(seed)
    heart = make_heart(scene, rng)
    bpm = float(heart.rate.mean())
    t = _frame_times(scene, rng)
    sway = _swing(t, scene.motion_at, bpm, rng)
    if scene.motion_kind == "talk":
        sway = _talk(t, rng)
    glint, colour = _swing(t, "near", bpm, rng), _swing(t, scene.swing_at, bpm, rng)
    coloured = 1 + scene.swing * np.outer(colour, scene.swing_colour)
    light = _light(scene, t, rng)
    absorption = ABSORPTION * np.exp(_BLOOD_SD * rng.standard_normal(3))
    parts = []
    for region, loud in enumerate((*_LOUDNESS[scene.motion_kind], 0.0)):
        if region == 3:
            seen = np.tile(_WALL, (len(t), 1)) * (coloured if scene.swing_on == "room" else 1.0)
        else:
            blood = 1 - scene.pulse * np.outer(heart.wave(t), absorption)
            shaded = (1 + scene.motion * loud * sway)[:, None]
            gloss = scene.red * _SKIN.mean() * scene.specular * (0.5 + glint)[:, None] ** 2
            seen = (scene.red * _SKIN * shaded * blood + gloss) * coloured
        seen = seen * light
        sd = scene.noise * np.sqrt((np.maximum(seen, 0) + 0.02) / 0.42)
        parts += [seen + sd * rng.standard_normal(seen.shape)]
        parts += [np.full((len(t), 1), _PIXELS[region])]
    head = _head(scene, sway, colour, glint, rng)
    data = np.hstack([*parts, head])
    if not scene.background:
        data[:, 12:16] = np.nan
    gone = (t >= scene.absent[0]) & (t < scene.absent[1])
    data[gone, :12] = data[gone, 16:] = np.nan
    info = StreamInfo("bench", Modality.RPPG, RPPG_CHANNELS, scene.fps, lossy=True)
    return Chunk.of(info, t, data), heart


def _frame_times(scene: Scene, rng: np.random.Generator) -> Floats:
    n = round(scene.seconds * scene.fps)
    kept = rng.random(n) >= scene.drops
    for start in np.flatnonzero(rng.random(n) < scene.bursts / scene.fps):
        kept[start : start + 10] = False
    kept[[0, -1]] = True
    late = rng.normal(0.0, scene.jitter_s, n) if scene.jitter_s else np.zeros(n)
    return np.sort(np.arange(n) / scene.fps + late)[kept]


def _swing(t: Floats, at: str, bpm: float, rng: np.random.Generator) -> Floats:
    """Return a sine wave of size 1, peak to peak."""
    beside = bpm + rng.choice([-1, 1]) * rng.uniform(6, 20)
    rates = {"slow": rng.uniform(18, 36), "near": beside, "half": bpm / 2, "double": 2 * bpm}
    rate = rng.uniform(45, 150) if at == "any" else rates[at]
    return np.sin(2 * np.pi * rate / 60 * t + rng.uniform(0, 6.28)) / 2


def _talk(t: Floats, rng: np.random.Generator) -> Floats:
    """Return the bursts of syllables (2 to 5 a second) of someone who talks half of the time."""
    fine = np.arange(0.0, t[-1] + 0.05, 0.05)
    noise = np.convolve(rng.standard_normal(len(fine) + 4), np.hanning(7)[1:-1], "valid")
    talks = np.repeat(rng.random(len(fine) // 60 + 1) < 0.5, 60)[: len(fine)]
    return np.interp(t, fine, 0.25 * noise * talks)


def _light(scene: Scene, t: Floats, rng: np.random.Generator) -> Floats:
    """Return the light of the room, shape (n, 3): drift, beat of the mains, camera's steps."""
    hertz = rng.uniform(0.5, 2.0)
    level = 1 + scene.flicker * np.sin(2 * np.pi * hertz * t) / 2
    level = level + 0.1 * np.sin(2 * np.pi * 0.03 * t + rng.uniform(0, 6.28))
    steps = np.zeros(len(t))
    for number, at in enumerate(np.sort(rng.uniform(15, scene.seconds, 2))):
        steps += np.where(t >= at, (-1.0) ** number, 0.0)
    gains = 1 + scene.exposure_steps * steps[:, None] * np.ones(3)
    gains = gains * (1 + scene.white_steps * np.outer(steps, [1.0, 0.0, -1.0]))
    return level[:, None] * gains


def _head(
    scene: Scene, sway: Floats, colour: Floats, glint: Floats, rng: np.random.Generator
) -> Floats:
    """Return the values of `HEAD_CHANNELS`: 5 % of shading is a tenth of the distance of the eyes.

    A glint wanders because the head does; a swing "sway" is one of the head in coloured light.
    """
    moved = 2.0 * scene.motion * sway
    if scene.motion_kind == "talk":
        moved = 0.2 * moved  # the jaw moves, the head hardly
    moved = moved + 2.0 * scene.specular * glint
    if scene.swing_on == "sway":
        moved = moved + 5.0 * scene.swing * colour
    x = 320 + _EYES_PX * moved
    y = 200 + _EYES_PX * 0.3 * moved
    rows = np.column_stack([x, y, np.full(len(x), _EYES_PX), np.zeros(len(x))])
    jitter = rng.standard_normal(rows.shape) * [1, 1, 1, 1 / _EYES_PX]
    return np.asarray(rows + _JITTER_PX * jitter)
