"""Drawn hearts, pulses, skin, breathing and muscles: what the stages of each are tried on."""

from __future__ import annotations

import numpy as np

from biosense.core.types import Chunk, Floats, StreamInfo

BEAT_S = 0.8
SCR_EVERY_S = 6.0
BREATH_S = 4.0
# Waves of one ECG beat: place of the middle and width (seconds), height (millivolts).
_WAVES = ((-0.16, 0.025, 0.1), (-0.03, 0.01, -0.1), (0.0, 0.011, 1.0), (0.03, 0.01, -0.2))
_T_WAVE = (0.27, 0.05, 0.25)


def beat_phase(times: Floats) -> Floats:
    """Return the time since the nearest beat, -0.4 to 0.4 s, of a heart with sinus arrhythmia."""
    warped = times + 0.05 * np.sin(2 * np.pi * times / 5.0)
    return np.asarray((warped / BEAT_S + 0.5) % 1.0 - 0.5) * BEAT_S


def ecg_waves(times: Floats, channels: int = 1) -> Floats:
    """Return an ECG of 75 beats per minute with noise and a slow baseline, volts, (n, channels)."""
    rng = np.random.default_rng(8)
    phase = beat_phase(times)
    ecg = sum(
        height * np.exp(-0.5 * ((phase - middle) / width) ** 2)
        for middle, width, height in (*_WAVES, _T_WAVE)
    )
    ecg = ecg + 0.3 * np.sin(2 * np.pi * times / 4.0) + 0.02 * rng.standard_normal(len(times))
    return 1e-3 * np.repeat(ecg[:, None], channels, axis=1)


def ppg_waves(times: Floats, channels: int = 1) -> Floats:
    """Return pulse waves of 75 beats per minute on a drifting level, shape (n, channels)."""
    rng = np.random.default_rng(9)
    phase = (beat_phase(times) - 0.25) % BEAT_S
    pulse = np.exp(-0.5 * ((phase - 0.15) / 0.06) ** 2)
    pulse = pulse + 0.35 * np.exp(-0.5 * ((phase - 0.42) / 0.09) ** 2)
    pulse = pulse + 0.3 * np.sin(2 * np.pi * times / 7.0) + 0.01 * rng.standard_normal(len(times))
    return np.repeat(100.0 + 20.0 * pulse[:, None], channels, axis=1)


def beat_intervals(info: StreamInfo, seconds: float = 40.0) -> Chunk:
    """Return the intervals that a strap would send of such a heart; it loses two and finds one."""
    beats = np.arange(1.0, seconds / BEAT_S) * BEAT_S
    beats = 100.0 + beats - 0.05 * np.sin(2 * np.pi * beats / 5.0)
    beats = np.insert(np.delete(beats, [30, 31]), 20, beats[19] + 0.4)
    return Chunk.of(info, beats[1:], np.diff(beats)[:, None])


def scr_waves(times: Floats, channels: int = 1) -> Floats:
    """Return skin conductance with a response every 6 s, siemens, shape (n, channels)."""
    rng = np.random.default_rng(10)
    since = times % SCR_EVERY_S
    response = 0.5 / 0.37 * (np.exp(-since / 2.0) - np.exp(-since / 0.7))
    level = 4.0 + 0.2 * np.sin(2 * np.pi * times / 60.0) + 0.002 * rng.standard_normal(len(times))
    return 1e-6 * np.repeat((level + response)[:, None], channels, axis=1)


def breath_waves(times: Floats, channels: int = 1) -> Floats:
    """Return a belt with 15 breaths per minute on a drifting level, shape (n, channels)."""
    rng = np.random.default_rng(11)
    phase = times / BREATH_S + 0.1 * np.sin(2 * np.pi * times / 30.0)
    belt = np.sin(2 * np.pi * phase) + 0.01 * times + 0.02 * rng.standard_normal(len(times))
    return np.repeat(belt[:, None], channels, axis=1)


def skin_waves(times: Floats, channels: int = 1) -> Floats:
    """Return the temperature of a finger that warms up slowly, degC, shape (n, channels)."""
    rng = np.random.default_rng(12)
    level = 32.0 + np.sin(2 * np.pi * times / 300.0) + 0.01 * rng.standard_normal(len(times))
    return np.repeat(level[:, None], channels, axis=1)


def muscle_waves(times: Floats, channels: int = 1) -> Floats:
    """Return muscles that contract for a second every four, volts, shape (n, channels)."""
    rng = np.random.default_rng(13)
    force = 3e-6 + 6e-5 * (times % 4.0 < 1.0)
    return np.asarray(force[:, None] * rng.standard_normal((len(times), channels)))
