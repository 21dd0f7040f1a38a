"""Hearts whose every beat is known: two leads, moving electrodes, clips of a wearable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import signal

from biosense.core.types import Floats

MONITOR_HZ, WEARABLE_HZ = 360.0, 130.0
# Middle and width in seconds from the R peak, height in millivolts: P, Q, R, S, T.
LEAD_II = (
    *((-0.17, 0.022, 0.12), (-0.03, 0.009, -0.12), (0.0, 0.010, 1.3)),
    *((0.03, 0.011, -0.25), (0.26, 0.05, 0.30)),
)
LEAD_V5 = ((-0.17, 0.022, 0.05), (-0.012, 0.009, 0.35), (0.012, 0.012, -0.95), (0.27, 0.06, 0.12))
WIDE = ((-0.17, 0.022, 0.1), (0.0, 0.016, 1.0), (0.045, 0.02, 0.5), (0.3, 0.06, -0.3))


def beats_of(seconds: float, per_minute: float, rng: np.random.Generator) -> Floats:
    """Return the times of a heart that breathing speeds up and slows down."""
    beats = [0.35]
    while beats[-1] < seconds - 1.5:
        breath = 0.03 * np.sin(2 * np.pi * beats[-1] / 4.1)
        beats.append(beats[-1] + 60 / per_minute * (1 + breath + 0.015 * rng.standard_normal()))
    return np.array(beats)


def waves(times: Floats, beats: Floats, shape: tuple[tuple[float, float, float], ...]) -> Floats:
    """Return the sum of Gaussian waves around every beat."""
    total = np.zeros(len(times))
    for beat in beats:
        part = slice(*np.searchsorted(times, (beat - 0.5, beat + 0.7)))
        for middle, width, height in shape:
            total[part] += height * np.exp(-0.5 * ((times[part] - beat - middle) / width) ** 2)
    return total


def two_leads(path: Path) -> None:
    """Write 270 s of two quiet leads of one heart, the second with downward R waves."""
    rng = np.random.default_rng(100)
    times = np.arange(round(270 * MONITOR_HZ)) / MONITOR_HZ
    beats = beats_of(270.0, 85.0, rng)
    wander = 0.1 * np.sin(2 * np.pi * times / 3.7) + 0.05 * np.sin(2 * np.pi * times / 19.0)
    leads = [waves(times, beats, shape) + wander for shape in (LEAD_II, LEAD_V5)]
    data = np.column_stack(leads) + 0.015 * rng.standard_normal((len(times), 2))
    np.savez(
        path,
        sig=data.astype(np.float32),
        fs=MONITOR_HZ,
        beat_sample=np.round(beats * MONITOR_HZ).astype(int),
    )


def moving_electrodes(path: Path) -> None:
    """Write 40 s that are quiet, then 80 s of electrodes that move as fast as a QRS does."""
    rng = np.random.default_rng(118)
    times = np.arange(round(120 * MONITOR_HZ)) / MONITOR_HZ
    beats = beats_of(120.0, 80.0, rng)
    slow = signal.butter(2, (1.0, 10.0), "bandpass", fs=MONITOR_HZ, output="sos")
    motion = signal.sosfilt(slow, rng.standard_normal(len(times)))
    noise = np.where(times >= 40.0, 0.18 * motion / motion.std(), 0.0)
    ecg = waves(times, beats, WIDE) + noise + 0.01 * rng.standard_normal(len(times)) - 5.0
    np.savez(
        path,
        ecg=ecg.astype(np.float32),
        fs=MONITOR_HZ,
        beat_sample=np.round(beats * MONITOR_HZ).astype(int),
    )


def clips(path: Path) -> None:
    """Write six clips of 30 s: a strap's ECG, a finger's pulse, skin with three responses."""
    person = int(path.stem[-1])
    rng = np.random.default_rng(person)
    times = 1000.0 * person + np.arange(round(30 * WEARABLE_HZ)) / WEARABLE_HZ
    since = times - times[0]
    window = 3768
    held, rates = {}, []
    for clip in range(1, 7):
        beats = beats_of(40.0, 70.0 + 4 * person + 2 * clip, rng)
        rates.append(60 / np.diff(beats[beats < window / WEARABLE_HZ]).mean())
        noise = 10.0 * rng.standard_normal(len(times))
        held[f"V{clip:02d}_ecg_t"] = held[f"V{clip:02d}_gsr_t"] = times
        held[f"V{clip:02d}_ecg_uV"] = 900 * waves(since, beats, LEAD_II) + noise
        held[f"V{clip:02d}_ppg_mV"] = finger(since, beats, rng)
        held[f"V{clip:02d}_sc_uS"] = skin_under_it(since, rng)
    np.savez(
        path,
        **{
            name: np.asarray(each, "f8" if name.endswith("_t") else "f4")
            for name, each in held.items()
        },
        clip=np.arange(1, 7),
        kubios=np.array(rates)[:, None],
        kubios_cols=np.array(["Mean HR (bpm)"]),
        kubios_window_samples=window,
        fs_ecg=WEARABLE_HZ,
        fs_shimmer=WEARABLE_HZ,
    )


def finger(times: Floats, beats: Floats, rng: np.random.Generator) -> Floats:
    """Return pulse waves that rise as steeply as they fall: only their peaks tell what is up."""
    pulse = waves(times, beats + 0.25, ((0.0, 0.06, 250.0), (0.34, 0.08, 60.0)))
    return 1400 + pulse + 20 * np.sin(2 * np.pi * times / 4.1) + 2 * rng.standard_normal(len(times))


def skin_under_it(times: Floats, rng: np.random.Generator) -> Floats:
    """Return skin conductance in microsiemens with three responses within 30 s."""
    since = np.maximum(times[:, None] - (6.0, 14.0, 22.0), 0.0)
    shape = np.exp(-since / 2.0) - np.exp(-since / 0.7)
    return 2.0 + 0.01 * times + shape.sum(axis=1) + 0.002 * rng.standard_normal(len(times))
