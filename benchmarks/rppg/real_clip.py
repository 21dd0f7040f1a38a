"""A pulse put into a real video of a face: `python -m benchmarks.rppg.real_clip FACE.mp4 ..`.

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
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.rppg.bench import FIRST_S, WINDOW_S
from benchmarks.rppg.scene import ABSORPTION, Heart, Scene, make_heart
from biosense.acquisition.camera import CameraSource
from biosense.acquisition.camera.tracking.mediapipe_backend import MediaPipeBackend
from biosense.acquisition.camera.tracking.skin_regions import linear_table
from biosense.acquisition.camera.tracking.tracker import FaceTracker
from biosense.core.types import Chunk, Epoch, Floats, Modality
from biosense.processing.pipelines import feature_pipeline

SECONDS = 30.0
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


def run(images: list[Any], fps: float, faces: list[Floats | None], pulse: float) -> None:
    """Put a pulse into a clip, play it, print what is told."""
    heart: Heart = make_heart(Scene("", seconds=SECONDS), np.random.default_rng(7))
    order = [*range(len(images)), *range(len(images) - 2, 0, -1)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.avi"
        height, width, _ = images[0].shape
        code = cv2.VideoWriter.fourcc(*"FFV1")
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, fps, (width, height))
        for n, at in enumerate(islice(cycle(order), round(SECONDS * fps))):
            blood = pulse * float(heart.wave(np.array([n / fps]))[0])
            writer.write(coloured(images[at], faces[at], blood) if pulse else images[at])
        writer.release()
        epochs = asyncio.run(played(path))
    late = [epoch for epoch in epochs if epoch.stop >= FIRST_S]
    truth = np.array([heart.mean_rate(e.stop - WINDOW_S, e.stop) for e in late])
    told = np.array([epoch.data[0] for epoch in late])
    error = np.abs(told - truth)[np.isfinite(told)]
    mean = f"MAE {error.mean():.2f} bpm" if len(error) and pulse else "-"
    snr = np.median([epoch.data[3] for epoch in late]) if late else np.nan
    why = sorted({epoch.reason for epoch in late if epoch.reason})
    share = np.isfinite(told).mean() if len(told) else 0.0
    print(f"  pulse {pulse:5.1%}: told {share:.2f}  {mean}  SNR {snr:.1f} dB  otherwise: {why}")


def main() -> None:
    """Print a block for every clip."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", nargs="+", type=Path)
    args = parser.parse_args()
    for path in args.clips:
        images, fps = read(path)
        faces = outlines(images)
        print(f"{path.name}: face in {sum(f is not None for f in faces)} of {len(images)} frames")
        for pulse in (0.0, 0.01, 0.02) if any(f is not None for f in faces) else (0.0,):
            run(images, fps, faces, pulse)


if __name__ == "__main__":
    main()
