"""Made-up body signals for miniatures of data sets: plain, but with all that features look for."""

from __future__ import annotations

import numpy as np

from biosense.core.types import Floats


def pulse_wave(times: Floats, bpm: float, rng: np.random.Generator) -> Floats:
    """Return a pulse wave of about 1: systolic peak, dicrotic wave, a rate that breathes.

    Parameters
    ----------
    times
        Seconds, shape (n,).
    bpm
        Beats per minute.
    rng
        Where chance comes from.

    Returns
    -------
    Floats
        Shape (n,).

    Examples
    --------
    >>> wave = pulse_wave(np.arange(0, 10, 1 / 64), 60.0, np.random.default_rng(1))
    >>> bool(0.8 < wave.max() - wave.min() < 1.3)
    True
    """
    beats = times * bpm / 60 + 0.08 * np.sin(2 * np.pi * 0.25 * times) + rng.uniform()
    phase = 2 * np.pi * beats
    waves = np.exp(6 * (np.cos(phase) - 1)) + 0.3 * np.exp(4 * (np.cos(phase - 2.4) - 1))
    return np.asarray(waves, dtype=np.float64)


def ecg_wave(times: Floats, bpm: float, rng: np.random.Generator) -> Floats:
    """Return an ECG in millivolts: R and T waves at a rate that breathes.

    Parameters
    ----------
    times
        Seconds, shape (n,).
    bpm
        Beats per minute.
    rng
        Where chance comes from.

    Returns
    -------
    Floats
        Millivolts, shape (n,).

    Examples
    --------
    >>> wave = ecg_wave(np.arange(0, 10, 1 / 128), 70.0, np.random.default_rng(1))
    >>> bool(0.9 < wave.max() < 1.1)
    True
    """
    beats = times * bpm / 60 + 0.1 * np.sin(2 * np.pi * 0.25 * times) + rng.uniform()
    phase = 2 * np.pi * beats
    waves = np.exp(300 * (np.cos(phase) - 1)) + 0.2 * np.exp(12 * (np.cos(phase - 1.9) - 1))
    return np.asarray(waves, dtype=np.float64)


def breath_wave(times: Floats, per_minute: float, rng: np.random.Generator) -> Floats:
    """Return the excursion of a belt of about 1, at a rate that wanders a little.

    Parameters
    ----------
    times
        Seconds, shape (n,).
    per_minute
        Breaths per minute.
    rng
        Where chance comes from.

    Returns
    -------
    Floats
        Shape (n,).
    """
    wander = 0.1 * np.sin(2 * np.pi * 0.03 * times)
    breaths = times * per_minute / 60 + wander + rng.uniform()
    return np.asarray(np.sin(2 * np.pi * breaths), dtype=np.float64)


def skin_conductance(times: Floats, level: float, rng: np.random.Generator) -> Floats:
    """Return a level in microsiemens with a response every 8 s or so (fall of 2.5 s).

    Parameters
    ----------
    times
        Seconds, shape (n,).
    level
        Microsiemens.
    rng
        Where chance comes from.

    Returns
    -------
    Floats
        Microsiemens, shape (n,).
    """
    total: Floats = level + 0.002 * (times - times[0])
    at = times[0] + rng.exponential(4.0)
    while at < times[-1]:
        since = np.maximum(times - at, 0.0)
        total += rng.uniform(0.1, 0.6) * 1.7 * (np.exp(-since / 2.5) - np.exp(-since / 0.7))
        at += 3.0 + rng.exponential(5.0)
    return total


def skin_temperature(times: Floats, rng: np.random.Generator) -> Floats:
    """Return a temperature in degrees Celsius that drifts by some 0.1 degrees a minute.

    Parameters
    ----------
    times
        Seconds, shape (n,).
    rng
        Where chance comes from.

    Returns
    -------
    Floats
        Degrees Celsius, shape (n,).
    """
    drift = rng.uniform(-0.002, 0.002) * (times - times[0])
    return np.asarray(rng.uniform(31, 34) + drift, dtype=np.float64)


def tone(times: Floats, frequency: float, amplitude: Floats | float) -> Floats:
    """Return a sine of one frequency, by which tests find a channel again.

    Parameters
    ----------
    times
        Seconds, shape (n,).
    frequency
        Hz.
    amplitude
        One for all, or shape (n,).

    Returns
    -------
    Floats
        Shape (n,).
    """
    return np.asarray(amplitude * np.sin(2 * np.pi * frequency * times), dtype=np.float64)
