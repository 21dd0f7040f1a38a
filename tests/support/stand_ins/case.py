"""24 people who rate 8 videos with a joystick: mostly the video speaks, some hands lie still."""

from __future__ import annotations

from pathlib import Path

import numpy as np

FS = 20.0
ROWS = 1001
PEOPLE = (*range(1, 14), 15, 16, *range(19, 26), 27, 28)
STILL = (17, 8)  # segments whose scored rows do not move, of valence and arousal
VIDEO_LEVELS = np.array(
    [(6.9, 5.6), (6.6, 5.2), (4.8, 3.9), (4.9, 4.0)] + 2 * [(6.2, 3.0), (3.2, 7.2)]
)
COLUMNS = ("IHR", "PTT", "EDAPh", "EDATon", "RESP", "TEMP", "TEMGEnv", "ZEMGEnv", "CEMGEnv")
USUAL = np.array([75.0, 0.25, 0.1, 5.0, 15.0, 33.0, 4.0, 4.0, 4.0])
SPREAD = np.array([8.0, 0.02, 0.1, 1.5, 3.0, 1.0, 1.0, 1.0, 1.0])


def ratings(path: Path) -> None:
    """Write features of the body and ratings of 192 segments of 50 s at 20 Hz."""
    rng = np.random.default_rng(192)
    who = np.repeat(PEOPLE, 8)
    video = np.tile(np.arange(1, 9), len(PEOPLE))
    body = USUAL + SPREAD * (_slow(rng, 9) + rng.standard_normal((192, 1, 9)))
    joystick = VIDEO_LEVELS[video - 1][:, None] + 0.9 * rng.standard_normal((192, 1, 2))
    joystick = joystick + 0.3 * _slow(rng, 2)
    for column, n in enumerate(STILL):
        for segment in rng.choice(192, n, replace=False):
            joystick[segment, 200:801, column] = joystick[segment, 200, column]
    np.savez_compressed(
        path,
        X=body.astype(np.float32),
        Y=np.clip(joystick, 0.5, 9.5).astype(np.float32),
        cols=np.array(COLUMNS),
        y_cols=np.array(["valence", "arousal"]),
        subject=who.astype(np.int16),
        video=video.astype(np.int16),
        fold=np.repeat(np.arange(24) % 4, 8).astype(np.int16),
        start_ms=(video * 180_000 + 68_600).astype(np.int64),
        fs=FS,
    )


def _slow(rng: np.random.Generator, channels: int) -> np.ndarray:
    knots = rng.standard_normal((192, 12, channels))
    places = np.linspace(0, 10.999, ROWS)
    left, share = places.astype(int), (places % 1.0)[None, :, None]
    return (1 - share) * knots[:, left] + share * knots[:, left + 1]
