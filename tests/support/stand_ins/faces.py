"""Clips of faces: two official portraits, swayed as heads sway; and one without a face."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from biosense.acquisition.camera.frames import Image
from biosense.acquisition.camera.native.opencv import load_opencv

PICTURES = Path(__file__).resolve().parents[2] / "data" / "faces"
FPS = 30.0


def facing(path: Path) -> None:
    """Write 72 frames of a face that looks into the camera."""
    _write(path, _swayed("astronaut.jpg", 72, degrees=1.0, pixels=4.0))


def wandering(path: Path) -> None:
    """Write 96 frames of another face, which moves about more."""
    _write(path, _swayed("admiral.jpg", 96, degrees=3.0, pixels=12.0))


def nobody(path: Path) -> None:
    """Write 95 frames of a wall with a ball that rolls by, as warm in colour as skin."""
    cv2 = load_opencv()
    wall = np.linspace(60, 150, 640)[None, :, None] * np.ones((360, 1, 3)) * (0.9, 0.95, 1.0)
    frames = []
    for n in range(95):
        frame = wall.astype(np.uint8)
        cv2.circle(frame, (40 + 6 * n, 220), 60, (120, 150, 210), -1)
        frames.append(frame)
    _write(path, frames)


def _swayed(name: str, n: int, *, degrees: float, pixels: float) -> Iterable[Image]:
    cv2 = load_opencv()
    picture = cv2.imread(str(PICTURES / name))
    height, width = picture.shape[:2]
    rng = np.random.default_rng(len(name))
    for time in np.arange(n) / FPS:
        turn = degrees * np.sin(2 * np.pi * 0.3 * time)
        place = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1.0)
        place[:, 2] += pixels * np.sin(2 * np.pi * np.array([0.4, 0.55]) * time)
        moved = cv2.warpAffine(picture, place, (width, height), borderMode=cv2.BORDER_REPLICATE)
        noise = rng.normal(0, 1.5, moved.shape)
        yield np.clip(moved + noise, 0, 255).astype(np.uint8)


def _write(path: Path, frames: Iterable[Image]) -> None:
    cv2 = load_opencv()
    writer = None
    for frame in frames:
        if writer is None:
            size = frame.shape[1], frame.shape[0]
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, size)
        writer.write(frame)
    if writer is not None:
        writer.release()
