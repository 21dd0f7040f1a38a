"""Bench of the camera pulse on synthetic skin colour with known truth: `python -m benchmarks.rppg`.

The scene model is linear light I(t) [skin (1 + m(t)) (1 - a u p(t)) + s(t)] per region, with noise
of the region's mean added at the end; no images are rendered, so compression, tracking and the
camera's transfer curve are not in it. Nothing here is an accuracy on real video.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace

import numpy as np

from biosense.core.camera_streams import RPPG_CHANNELS
from biosense.core.types import Chunk, Floats, Modality, StreamInfo
from biosense.processing.rppg_features import RPPG_FEATURES, RppgFeatures

SFREQ = 30.0
SECONDS = 60.0
ABSORPTION = np.array([0.33, 0.77, 0.53]) / 0.77  # blood volume pulse in R, G, B
SKIN = np.array([0.5, 0.36, 0.29])
WALL = np.array([0.35, 0.35, 0.37])
INFO = StreamInfo("bench", Modality.RPPG, RPPG_CHANNELS, SFREQ)
GREEN_PURPLE = np.array([-1.0, 1.0, -1.0])
RED_CYAN = np.array([1.0, -1.0, -1.0])
BLUE_YELLOW = np.array([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class Scene:
    """Describe one condition; amplitudes are peak-to-peak fractions of the mean colour."""

    name: str
    pulse: float = 0.005
    noise: float = 0.0003  # SD per frame and channel of a region's mean, linear light
    tone: float = 1.0
    swing: float = 0.0
    swing_colour: tuple[float, ...] = (0.0, 0.0, 0.0)
    shading: float = 0.0
    specular: float = 0.0
    flicker: float = 0.0
    seen_background: bool = True


def _pulse_wave(t: Floats, bpm: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return a pulse wave from 0 to 1 and the rate in bpm at each time."""
    phases = rng.uniform(0, 2 * np.pi, 2)
    wander = 0.02 * np.sin(2 * np.pi * 0.1 * t + phases[0])
    wander = wander + 0.02 * np.sin(2 * np.pi * 0.25 * t + phases[1])
    rate = bpm * (1 + wander)
    phase = 2 * np.pi * np.cumsum(rate / 60) / SFREQ
    wave = np.sin(phase) + 0.4 * np.sin(2 * phase - 0.8) + 0.15 * np.sin(3 * phase - 1.6)
    return (wave - wave.min()) / np.ptp(wave), rate


def make(scene: Scene, seed: int) -> tuple[Chunk, Floats]:
    """Return a colour stream and the true rate at each frame, bpm."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(SECONDS * SFREQ)) / SFREQ
    bpm = rng.uniform(48, 130)
    pulse, rate = _pulse_wave(t, bpm, rng)
    other = (bpm + rng.choice([-1, 1]) * rng.uniform(8, 20)) / 60
    waves = [np.sin(2 * np.pi * other * t + rng.uniform(0, 6.28)) / 2 for _ in range(3)]
    sway = np.sin(2 * np.pi * 0.45 * t + rng.uniform(0, 6.28)) / 2
    light = 1 + scene.flicker * np.sin(2 * np.pi * 0.9 * t) / 2 + 0.1 * np.sin(2 * np.pi * 0.03 * t)
    coloured = 1 + scene.swing * np.outer(waves[0], scene.swing_colour)
    parts = []
    for pixels in (2600.0, 1900.0, 1800.0, 4000.0):
        if pixels == 4000.0:
            colour = np.tile(WALL, (len(t), 1))
        else:
            motion = 1 + scene.shading * (waves[1] + sway)
            blood = 1 - scene.pulse * np.outer(pulse, ABSORPTION)
            colour = scene.tone * SKIN * motion[:, None] * blood
            colour = colour + scene.tone * SKIN.mean() * scene.specular * (0.5 + waves[2])[:, None]
        colour = colour * light[:, None] * coloured
        colour = colour + scene.noise * rng.standard_normal(colour.shape)
        parts += [colour, np.full((len(t), 1), pixels)]
    data = np.hstack(parts)
    if not scene.seen_background:
        data[:, 12:] = np.nan
    return Chunk.of(INFO, t, data), rate


@dataclass(frozen=True)
class Outcome:
    """Hold what was reported over all windows of a condition."""

    reported: Floats
    error: Floats
    snr: Floats
    confidence: Floats
    ms_per_frame: float


def score(scene: Scene, seeds: range) -> Outcome:
    rates, errors, snrs, confidences, spent, frames = [], [], [], [], 0.0, 0
    for seed in seeds:
        chunk, rate = make(scene, seed)
        stage = RppgFeatures()
        stage.start(INFO)
        began = time.perf_counter()
        epochs = [e for n in range(chunk.n) for e in stage.push(chunk.slice(n, n + 1))]
        spent += time.perf_counter() - began
        frames += chunk.n
        for epoch in epochs[48::4]:  # once a second, from 12 s on
            last = round(epoch.stop * SFREQ) - 47
            given = dict(zip(RPPG_FEATURES, epoch.data.tolist(), strict=True))
            rates.append(given["heart_rate"])
            errors.append(given["heart_rate"] - rate[last - 300 : last].mean())
            snrs.append(given["snr_db"])
            confidences.append(epoch.quality)
    return Outcome(
        np.array(rates),
        np.abs(errors),
        np.array(snrs),
        np.array(confidences),
        1e3 * spent / frames,
    )


PULSE = Scene("pulse 0.5 %")
SCENES = (
    PULSE,
    replace(PULSE, name="pulse 0.2 %", pulse=0.002),
    replace(PULSE, name="pulse 0.2 %, dark skin", pulse=0.002, tone=0.4),
    replace(PULSE, name="pulse 0.1 %", pulse=0.001),
    replace(PULSE, name="pulse 0.5 %, motion shading 5 %", shading=0.05),
    replace(PULSE, name="pulse 0.5 %, specular 5 %", specular=0.05),
    replace(PULSE, name="pulse 0.5 %, flicker 2 %", flicker=0.02),
    replace(
        PULSE, name="pulse 0.5 %, blue-yellow 1 %", swing=0.01, swing_colour=tuple(BLUE_YELLOW)
    ),
    replace(PULSE, name="pulse 0.5 %, no background", seen_background=False),
    replace(PULSE, name="no pulse", pulse=0.0),
    replace(PULSE, name="no pulse, motion shading 5 %", pulse=0.0, shading=0.05),
    replace(PULSE, name="no pulse, specular 5 %", pulse=0.0, specular=0.05),
    *(
        replace(PULSE, name=f"no pulse, {name} {size:.1%}", pulse=0.0, swing=size, swing_colour=c)
        for size in (0.005, 0.02)
        for name, c in (
            ("green-purple", tuple(GREEN_PURPLE)),
            ("red-cyan", tuple(RED_CYAN)),
            ("blue-yellow", tuple(BLUE_YELLOW)),
        )
    ),
    replace(
        PULSE, name="pulse 0.5 %, green-purple 1 %", swing=0.01, swing_colour=tuple(GREEN_PURPLE)
    ),
    replace(PULSE, name="pulse 0.5 %, red-cyan 1 %", swing=0.01, swing_colour=tuple(RED_CYAN)),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--calibrate", action="store_true", help="share right by confidence")
    args = parser.parse_args()
    seeds = range(1000, 1000 + args.seeds)
    print(
        f"{'condition':36} {'given':>6} {'MAE':>6} {'p95':>6} {'SNR dB':>7} {'conf':>5} {'ms':>6}"
    )
    pooled: list[Outcome] = []
    for scene in SCENES:
        outcome = score(scene, seeds)
        given = np.isfinite(outcome.reported)
        error = outcome.error[given] if given.any() else np.array([np.nan])
        sure = outcome.confidence[given].mean() if given.any() else np.nan
        print(
            f"{scene.name:36} {given.mean():6.2f} {error.mean():6.2f} "
            f"{np.quantile(error, 0.95):6.2f} {np.nanmedian(outcome.snr):7.1f} {sure:5.2f} "
            f"{outcome.ms_per_frame:6.3f}"
        )
        if scene.pulse > 0:
            pooled.append(outcome)
    if args.calibrate:
        _print_reliability(pooled)


def _print_reliability(outcomes: list[Outcome]) -> None:
    snr = np.concatenate([o.snr[np.isfinite(o.reported)] for o in outcomes])
    error = np.concatenate([o.error[np.isfinite(o.reported)] for o in outcomes])
    for low in range(1, 10):
        inside = (snr >= low) & (snr < low + 1)
        if inside.any():
            right = (error[inside] <= 5).mean()
            mae = error[inside].mean()
            print(f"SNR {low} dB: {right:.3f} within 5 bpm, MAE {mae:.2f}, {inside.sum()} windows")


if __name__ == "__main__":
    main()
