"""A pulse put into a real video of a face: how often it is told, and how far off.

Usage: python -m benchmarks.rppg.real_clip FACE.mp4 .. [--seconds 30] [--pulses 0 0.01 0.02]

The face's pixels are multiplied by 1 - a u p(t) in linear light, between the face's outline and not
where eyes and mouth are; the clip is lengthened by playing it forwards and backwards, stored
without loss, and played through the whole camera source (face tracker included) and the live
pipeline. The person's own pulse is in there too, codecs have been over the clip before, and turning
round makes motion periodic: this shows that the chain works, and no accuracy.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.figures import Figure, tell
from benchmarks.parts.rppg_scene import ABSORPTION, Heart, Scene, make_heart
from benchmarks.parts.rppg_scoring import FIRST_S, WINDOW_S
from biosense.acquisition.camera import CameraSource
from biosense.acquisition.camera.tracking.mediapipe_backend import MediaPipeBackend
from biosense.acquisition.camera.tracking.skin_regions import linear_table
from biosense.acquisition.camera.tracking.tracker import FaceTracker
from biosense.core.types import Chunk, Epoch, Floats, Modality
from biosense.processing.pipelines import feature_pipeline

OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377)
OVAL += (152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)


class FileClock:
    """Time that passes as the player of a file waits."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        """Return the time, seconds."""
        return self.time

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.time += seconds


def read(path: Path) -> tuple[list[Any], float]:
    """Return the pictures of a clip, and their rate."""
    capture = cv2.VideoCapture(str(path))
    fps = capture.get(cv2.CAP_PROP_FPS)
    images = []
    while (got := capture.read())[0]:
        images.append(got[1])
    return images, fps


def outlines(images: list[Any]) -> list[Floats | None]:
    """Return the outline of the face in every picture."""
    tracker = FaceTracker(MediaPipeBackend())
    faces = [tracker.find(image) for image in images]
    tracker.close()
    return [None if face is None else face.points[list(OVAL), :2] for face in faces]


def coloured(image: Any, outline: Floats | None, blood: float) -> Any:
    """Return a picture whose face has more blood by `blood`, the share of green it takes."""
    if outline is None:
        return image
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 255)
    left, top, width, height = cv2.boundingRect(mask)
    inside = (slice(top, top + height), slice(left, left + width))
    linear = linear_table()
    tables = [np.interp(linear * (1 - blood * u), linear, np.arange(256.0)) for u in ABSORPTION]
    changed = cv2.LUT(image[inside], np.stack(tables[::-1], axis=-1)[None].astype(np.float32))
    dither = np.random.default_rng(0).random(changed.shape, np.float32)
    made = image.copy()
    spread = np.floor(changed + dither * (changed % 1 > 0)).clip(0, 255).astype(np.uint8)
    made[inside] = np.where(mask[inside][..., None] > 0, spread, image[inside])
    return made


async def played(path: Path) -> list[Epoch]:
    """Play a video through the camera source and return the features of the pulse."""
    clock = FileClock()
    epochs: list[Epoch] = []
    async with CameraSource(path, clock=clock, wait=clock.wait) as source:
        pipeline = feature_pipeline(source.infos[0])
        pipeline.start(source.infos[0])
        async for item in source:
            if isinstance(item, Chunk) and item.info.modality is Modality.RPPG:
                epochs += pipeline.push(item)
    return epochs


@dataclass(frozen=True)
class Clip:
    """Hold the pictures of a video of a face, and where the face is in each."""

    images: list[Any]
    fps: float
    faces: list[Floats | None]


def told(clip: Clip, heart: Heart, pulse: float, seconds: float) -> list[Epoch]:
    """Put a pulse into a clip, play it, and return the features of the pulse."""
    images, faces, fps = clip.images, clip.faces, clip.fps
    order = [*range(len(images)), *range(len(images) - 2, 0, -1)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.avi"
        height, width, _ = images[0].shape
        code = cv2.VideoWriter.fourcc(*"FFV1")
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, fps, (width, height))
        for n, at in enumerate(islice(cycle(order), round(seconds * fps))):
            blood = pulse * float(heart.wave(np.array([n / fps]))[0])
            writer.write(coloured(images[at], faces[at], blood) if pulse else images[at])
        writer.release()
        return asyncio.run(played(path))


def run(clip: Clip, pulse: float, seconds: float) -> tuple[float, float]:
    """Print and return the share of windows for which a rate is told, and its mean error."""
    heart = make_heart(Scene("", seconds=seconds), np.random.default_rng(7))
    epochs = told(clip, heart, pulse, seconds)
    late = [epoch for epoch in epochs if epoch.stop >= FIRST_S]
    truth = np.array([heart.mean_rate(e.stop - WINDOW_S, e.stop) for e in late])
    rates = np.array([epoch.data[0] for epoch in late])
    error = np.abs(rates - truth)[np.isfinite(rates)]
    mean = f"MAE {error.mean():.2f} bpm" if len(error) and pulse else "-"
    snr = np.median([epoch.data[3] for epoch in late]) if late else np.nan
    why = sorted({epoch.reason for epoch in late if epoch.reason})
    share = float(np.isfinite(rates).mean()) if len(rates) else 0.0
    print(f"  pulse {pulse:5.1%}: told {share:.2f}  {mean}  SNR {snr:.1f} dB  otherwise: {why}")
    return share, float(error.mean()) if len(error) else np.nan


def main() -> None:
    """Print a block for every clip."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--pulses", type=float, nargs="+", default=[0.0, 0.01, 0.02])
    args = parser.parse_args()
    shares: dict[float, list[float]] = {}
    for path in args.clips:
        images, fps = read(path)
        clip = Clip(images, fps, outlines(images))
        found = sum(face is not None for face in clip.faces)
        print(f"{path.name}: face in {found} of {len(images)} frames")
        for pulse in args.pulses if found else (0.0,):
            share, _ = run(clip, pulse, args.seconds)
            shares.setdefault(pulse, []).append(share)
    tell(
        *(
            Figure(
                f"pulse of {pulse:.0%} in a real clip told",
                100 * float(np.mean(found)),
                "%",
                more_is_better=True,
            )
            for pulse, found in shares.items()
            if pulse
        )
    )


if __name__ == "__main__":
    main()
