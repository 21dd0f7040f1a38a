"""Breathing rate online beside NeuroKit2 offline, on recordings and on simulated breathing.

Usage: python -m benchmarks.cardiac.respiration DATA [--seeds 20]

DATA holds, in any folder, neurokit_bio_*_100hz.csv and sample_vitals_1.csv. `biosense` is the live
pipeline in chunks of a quarter of a second: its rate is the median of 30 s. NeuroKit2's
`rsp_process` sees the whole recording; its rate is the median of the same 30 s of it. Simulated
breathing has a known rate, a sensor that drifts, and noise.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, tell
from biosense.core.types import Chunk, Floats, Modality, StreamInfo
from biosense.processing.pipelines import feature_pipeline
from biosense.processing.respiration.features import COUNT_S, RESP_CHANNELS

RATE = RESP_CHANNELS.index("resp_rate")


def online(values: Floats, sfreq: float) -> tuple[Floats, Floats, Floats, float]:
    """Return times, rates and qualities, and the seconds that they took."""
    info = StreamInfo("belt", Modality.RESP, ("belt",), sfreq)
    pipeline = feature_pipeline(info)
    pipeline.start(info)
    times, step = np.arange(len(values)) / sfreq, max(1, round(sfreq / 4))
    chunks = [
        Chunk.of(info, times[at : at + step], values[at : at + step, None])
        for at in range(0, len(values), step)
    ]
    began = time.process_time()
    epochs = [epoch for chunk in chunks for epoch in pipeline.push(chunk)]
    seconds = time.process_time() - began
    stops, quality = (np.array([getattr(e, name) for e in epochs]) for name in ("stop", "quality"))
    return stops, np.array([e.data[RATE] for e in epochs]), quality, seconds


def offline(values: Floats, sfreq: float, stops: Floats) -> tuple[Floats, float]:
    """Return NeuroKit2's rate of the same spans, and the seconds that it took."""
    import neurokit2

    began = time.process_time()
    try:
        table, _ = neurokit2.rsp_process(values, sampling_rate=round(sfreq))
    except IndexError:  # fewer than two turns of the signal
        return np.full(len(stops), np.nan), time.process_time() - began
    seconds = time.process_time() - began
    rate = np.asarray(table["RSP_Rate"], np.float64)
    ends = np.minimum((stops * sfreq).astype(int) + 1, len(rate))
    begins = np.maximum(ends - round(COUNT_S * sfreq), 0)
    spans = zip(begins, ends, strict=True)
    return np.array([np.median(rate[begin:end]) for begin, end in spans]), seconds


def real(name: str, values: Floats, sfreq: float) -> None:
    stops, rates, quality, seconds = online(values, sfreq)
    other, other_seconds = offline(values, sfreq, stops)
    known = np.isfinite(rates) & (stops > min(COUNT_S, stops[-1] / 2))
    off = np.abs(rates - other)[known]
    if not np.isfinite(off).any():
        print(f"{name:14s} {stops[-1]:5.0f} s | rates: {rates[-1]:.1f}, NeuroKit2 {other[-1]:.1f}")
        return
    share = known.sum() / (stops > min(COUNT_S, stops[-1] / 2)).sum()
    print(
        f"{name:14s} {stops[-1]:5.0f} s | {np.median(rates[known]):5.1f} {np.median(other):5.1f}"
        f" | {np.median(off):5.2f} {off.mean():5.2f} {off.max():5.2f} | {100 * share:3.0f} %"
        f" {quality.mean():4.2f} | {1e3 * seconds / stops[-1]:.2f}"
        f" {1e3 * other_seconds / stops[-1]:.2f}"
    )


def breathing(seed: int, per_minute: float, noise: float, sfreq: float = 50.0) -> Floats:
    """Return a belt at a rate that wanders by 5 %; depth varies by a factor of 2."""
    rng = np.random.default_rng(seed)
    times = np.arange(int(120 * sfreq)) / sfreq
    wander = 1 + 0.05 * np.sin(2 * np.pi * times / 47 + rng.uniform(0, 6))
    phase = 2 * np.pi * np.cumsum(per_minute / 60 * wander) / sfreq
    depth = 1 + 0.33 * np.sin(2 * np.pi * times / 31 + rng.uniform(0, 6))
    drift = np.cumsum(rng.standard_normal(len(times))) * 0.01
    return depth * np.sin(phase) + drift + noise * rng.standard_normal(len(times))


def simulated(seeds: int) -> Figure:
    """Print the errors at known rates; return the mean one beside NeuroKit2's."""
    errors: tuple[list[float], list[float]] = ([], [])
    print(
        f"\nsimulated, {seeds} seeds of 120 s at 50 Hz: "
        "mean and largest error of the last rate, per min"
    )
    for per_minute in (6.0, 15.0, 30.0):
        for noise in (0.05, 0.3):
            ours, other = [], []
            for seed in range(seeds):
                belt = breathing(seed, per_minute, noise)
                stops, rates, _, _ = online(belt, 50.0)
                wander = np.diff(_phase(seed, per_minute)) * 50.0 * 60.0
                true = float(np.median(wander[-round(COUNT_S * 50) :]))
                ours.append(abs(rates[-1] - true))
                other.append(abs(offline(belt, 50.0, stops[-1:])[0][0] - true))
            print(
                f"{per_minute:4.0f} per min, noise {noise:4.2f} | biosense {np.nanmean(ours):5.2f}"
                f" {np.nanmax(ours):5.2f}, none {np.isnan(ours).sum()} | NeuroKit2"
                f" {np.nanmean(other):5.2f} {np.nanmax(other):5.2f}, none {np.isnan(other).sum()}"
            )
            errors[0].extend(ours)
            errors[1].extend(other)
    ours, other = (float(np.nanmean(each)) for each in errors)
    return Figure("breathing rate, simulated, mean error", ours, "per min", other, "NeuroKit2")


def _phase(seed: int, per_minute: float) -> Floats:
    """Return the true phase of `breathing`, in breaths."""
    rng = np.random.default_rng(seed)
    times = np.arange(120 * 50) / 50.0
    wander = 1 + 0.05 * np.sin(2 * np.pi * times / 47 + rng.uniform(0, 6))
    return np.asarray(np.cumsum(per_minute / 60 * wander) / 50.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    asked = parser.parse_args()
    folder = asked.folder
    warnings.simplefilter("ignore")
    print(
        "                       | rate  NK    | off: med mean max    | known qual. | ms per s, NK"
    )
    for name in ("eventrelated", "resting_8min"):
        path = next(folder.rglob(f"neurokit_bio_{name}_100hz.csv"))
        real(name, np.genfromtxt(path, delimiter=",", names=True)["RSP"], 100.0)
    vitals = np.genfromtxt(next(folder.rglob("sample_vitals_1.csv")), delimiter=",", names=True)
    real("vitals (12 s)", vitals["resp"], 30.0)
    print(f"               its own monitor says {np.median(vitals['rr']):.1f} per min")
    tell(simulated(asked.seeds))


if __name__ == "__main__":
    main()
