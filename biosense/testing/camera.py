"""A drawn face and a synthetic skin colour: what stages of the camera's streams are tried on."""

from __future__ import annotations

import numpy as np

from biosense.core.camera_streams import FACE_CHANNELS, FACE_POINTS
from biosense.core.types import Chunk, Floats, Modality, StreamInfo
from biosense.processing.face.geometry import FaceGeometry

# A frontal face in units of 1/100 of the distance between the outer eye corners; x image-right, y
# down, z away; origin between the eyes. Image-left is the subject's right.
_RIGHT = {
    "eye_1": (-50, 0, 8),
    "eye_2": (-41, -5, 4),
    "eye_3": (-29, -5, 3),
    "eye_4": (-20, 0, 4),
    "eye_5": (-29, 5, 3),
    "eye_6": (-41, 5, 4),
    "iris": (-35, 0, 3),
    "brow_inner": (-14, -20, 0),
    "brow_mid": (-30, -26, 0),
    "brow_outer": (-52, -18, 8),
}
_PAIRED = {
    "mouth": (-28, 72, 0),
    "mouth_inner": (-25, 72, 0),
    "nose": (-14, 42, -8),
    "face": (-72, 20, 40),
    "cheek": (-40, 40, 5),
}
_MIDDLE = {
    "lip_upper_outer": (0, 65, -8),
    "lip_upper_inner": (0, 70, -6),
    "lip_lower_inner": (0, 73, -6),
    "lip_lower_outer": (0, 82, -7),
    "nose_tip": (0, 38, -25),
    "nose_base": (0, 47, -12),
    "nose_bridge": (0, 12, -8),
    "nasion": (0, 0, -4),
    "chin": (0, 115, 0),
    "forehead_top": (0, -70, 5),
}
_EYE_ORDER_LEFT = {1: 4, 2: 3, 3: 2, 4: 1, 5: 6, 6: 5}  # image order on both sides


def face_points() -> Floats:
    """Return the resting face, shape (points, 3), in the order of FACE_POINTS."""
    places: dict[str, tuple[float, float, float]] = dict(_MIDDLE)
    for name, (x, y, z) in _RIGHT.items():
        mirrored = name
        if name.startswith("eye_"):
            mirrored = f"eye_{_EYE_ORDER_LEFT[int(name[-1])]}"
        places[f"right_{name}"] = (x, y, z)
        places[f"left_{mirrored}"] = (-x, y, z)
    for name, (x, y, z) in _PAIRED.items():
        places[f"{name}_right"] = (x, y, z)
        places[f"{name}_left"] = (-x, y, z)
    return np.array([places[name] for name in FACE_POINTS], np.float64)


def face_frames(times: Floats, channels: int) -> Floats:
    """Return frames of a face that smiles, blinks, nods and is hidden for a while."""
    points = np.tile(face_points(), (len(times), 1, 1))
    smile = 5 * (1 + np.sin(2 * np.pi * 0.3 * times))
    shut = np.where(np.mod(times, 2.5) < 0.2, 0.1, 1.0)  # a blink of 0.2 s every 2.5 s
    for number, name in enumerate(FACE_POINTS):
        if "_eye_" in name:
            points[:, number, 1] *= shut
        if name in ("mouth_right", "mouth_left"):
            points[:, number, 0] += np.sign(points[:, number, 0]) * smile
            points[:, number, 1] -= 0.5 * smile
    pose = 0.1 * np.sin(2 * np.pi * np.outer(times, [0.5, 0.3, 0.2]))
    pixels = 0.8 * points + [320.0, 180.0, 0.0]
    confidence = np.full(len(times), 0.9)
    data = np.column_stack([pixels.reshape(len(times), -1), pose, confidence])
    hidden = np.mod(times, 11.0) < 0.8
    data[hidden, :-1] = np.nan
    data[hidden, -1] = 0.0
    return data[:, :channels]


def geometry_frames(times: Floats) -> Floats:
    """Return what `FaceGeometry` makes of `face_frames`."""
    info = StreamInfo("face", Modality.FACE, FACE_CHANNELS, 30.0)
    stage = FaceGeometry()
    stage.start(info)
    geometry: Floats = stage.push(Chunk.of(info, times, face_frames(times, info.n_channels)))[
        0
    ].data
    return geometry


def colour_frames(times: Floats, channels: int) -> Floats:
    """Return skin with a pulse of 72 bpm, a background without, and a head that sways slowly; a
    cheek is hidden for a while.

    The pulse is 0.5 % of the mean colour from peak to peak, the noise 0.05 %.
    """
    rng = np.random.default_rng(8)
    pulse = 0.0025 * np.sin(2 * np.pi * 1.2 * times)
    absorbed = 1 - np.outer(pulse, np.array([0.33, 0.77, 0.53]) / 0.77)
    parts = []
    for pixels in (2600.0, 1900.0, 1800.0, 4000.0):
        skin = [0.5, 0.36, 0.29] if pixels < 4000 else [0.35, 0.35, 0.37]
        colour = np.array(skin) * (absorbed if pixels < 4000 else 1.0)
        colour = colour * (1 + 0.0005 * rng.standard_normal((len(times), 3)))
        parts += [colour, np.full((len(times), 1), pixels)]
    sway = np.sin(2 * np.pi * 0.2 * times)
    still = np.ones(len(times))
    head = np.column_stack([320 + 8 * sway, 200 + 3 * sway, 100 * still, 0.02 * sway])
    data = np.hstack([*parts, head])
    data[np.mod(times, 20.0) < 0.5, 8:12] = np.nan
    return data[:, :channels]
