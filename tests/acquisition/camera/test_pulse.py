"""From the pictures of a camera to a heart rate."""

from __future__ import annotations

import numpy as np
import pytest

from biosense.acquisition.camera import CameraSource
from biosense.core.types import Chunk, Modality
from biosense.processing.pipelines import feature_pipeline
from tests.support.camera_fakes import FakeClock, FixedFace, picture, write_video

BPM = 84.0


def pictures(pulse, seconds=11.2):
    """Pictures of a face whose green falls by `pulse` with each beat, with a camera's noise."""
    rng = np.random.default_rng(3)
    still = picture(forehead=(200, 140, 120), right=(190, 135, 115)).astype(np.float32)
    noise = rng.normal(0, 1.5, (300, 360, 3)).astype(np.float32)
    skin = still.max(axis=2) > 100
    blood = 0.5 + 0.5 * np.sin(2 * np.pi * BPM / 60 * np.arange(round(seconds * 30)) / 30)
    images = []
    for volume in pulse * blood:
        down, right = rng.integers(0, 40, 2)
        image = still + noise[down : down + still.shape[0], right : right + still.shape[1]]
        # A share of linear light is 0.46 of it in code values.
        image[skin] *= 1 - 0.46 * volume * np.array([0.69, 1.0, 0.43], np.float32)
        images.append(np.clip(np.rint(image), 0, 255).astype(np.uint8))
    return images


async def told(path):
    clock = FakeClock()
    source = CameraSource(path, clock=clock, wait=clock.wait, backend_factory=FixedFace)
    epochs = []
    async with source:
        pipeline = feature_pipeline(source.infos[0])
        pipeline.start(source.infos[0])
        async for item in source:
            if isinstance(item, Chunk) and item.info.modality is Modality.RPPG:
                epochs += pipeline.push(item)
    return epochs


async def test_a_pulse_in_the_pictures_becomes_a_heart_rate(tmp_path):
    epochs = await told(write_video(tmp_path / "pulse.avi", pictures(0.02)))
    assert epochs[-1].data[0] == pytest.approx(BPM, abs=1.0)
    assert epochs[-1].quality > 0.9
