"""EEG band powers beside MNE's Welch, and what the stages of the EEG pipeline cost.

Usage: python -m benchmarks.eeg.band_powers [DATA] [--seconds 60]

The first part needs real recordings with eyes closed and open (biosppy_eeg_ec.npz and
biosppy_eeg_eo.npz in DATA/eeg) and is left out without them. The others are synthetic.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import mne
import numpy as np
from scipy import signal

from benchmarks.figures import Figure, tell
from benchmarks.parts.eeg_scene import SFREQ
from biosense.core.types import Chunk, Epoch, Floats, Modality, StreamInfo
from biosense.processing.eeg.band_powers import BANDS, BandPowers
from biosense.processing.eeg.layouts import layout
from biosense.processing.eeg.pipeline import eeg_pipeline
from biosense.processing.signal.filters import BandPass, Cascade, Notch
from biosense.processing.signal.window import Window


def mne_powers(data: Floats, sfreq: float, size: int, overlap: int) -> Floats:
    """Return band powers by MNE's Welch, shape (..., bands), unit squared."""
    density, frequencies = mne.time_frequency.psd_array_welch(
        data, sfreq, 0, 50, n_fft=size, n_overlap=overlap, window="hann", verbose=False
    )
    width = sfreq / size
    inside = [(frequencies >= low) & (frequencies < high) for low, high in BANDS.values()]
    return np.stack([density[..., bins].sum(axis=-1) * width for bins in inside], axis=-1)


def alpha_ratio(folder: Path) -> Figure:
    """Print the ratio of alpha power, eyes closed over open; return how far it is from MNE's."""
    powers, theirs = [], []
    for condition in ("ec", "eo"):
        with np.load(folder / "eeg" / f"biosppy_eeg_{condition}.npz") as archive:
            volts = 1e-7 * archive["eeg"].astype(float).ravel()
            sfreq = float(archive["fs"])
        info = StreamInfo("cap", Modality.EEG, ("Oz",), sfreq, "V")
        filtered = Cascade((Notch(50.0), BandPass(1.0, 45.0)))
        window, stage = Window(2.0), BandPowers(off_scale=1.0, large=1.0)
        stage.start(window.start(filtered.start(info)))
        chunk = Chunk.of(info, np.arange(len(volts)) / sfreq, volts[:, None])
        epochs = [e for part in filtered.push(chunk) for e in window.push(part) if e.quality == 1]
        log_power, _ = stage.channel_powers(np.stack([epoch.data.T for epoch in epochs]))
        powers.append(np.exp(log_power[:, 2, 0]).mean())
        size = round(2 * sfreq)
        theirs.append(mne_powers(volts[None], sfreq, size, size - round(sfreq / 4))[0, 2])
    ours, other = powers[0] / powers[1], theirs[0] / theirs[1]
    print("\nalpha (8-13 Hz), eyes closed over eyes open, real recordings")
    print(f"  biosense, causal pipeline {ours:8.4f}")
    print(
        f"  MNE Welch                 {other:8.4f}   difference {100 * (ours / other - 1):+.2f} %"
    )
    name = "alpha power, eyes closed over open, difference from MNE"
    return Figure(name, 100 * abs(ours / other - 1), "%")


def deap_sized() -> list[Figure]:
    """Print band powers of 40 trials x 32 channels x 8064 samples beside MNE's, and the time."""
    rng = np.random.default_rng(0)
    white = rng.standard_normal((40, 32, 8064), np.float32).astype(np.float64)
    data = 2e-5 * signal.lfilter([1.0], [1.0, -0.9], white, axis=2)
    info = StreamInfo("deap", Modality.EEG, layout("deap"), SFREQ, "V")
    stage = BandPowers(reference_from=1000, off_scale=1.0, large=1.0)
    stage.start(info)
    began = time.perf_counter()
    ours = np.empty((40, 32, len(BANDS)))
    for number, trial in enumerate(data):
        cut = np.lib.stride_tricks.sliding_window_view(trial, 256, axis=1)[:, ::128]
        log_power, _ = stage.channel_powers(cut.transpose(1, 0, 2))
        ours[number] = np.exp(log_power).mean(axis=0).T
    spent = time.perf_counter() - began
    began = time.perf_counter()
    theirs = mne_powers(data, SFREQ, 256, 128) * 1e12
    other = time.perf_counter() - began
    worst = np.abs(ours / theirs - 1).max(axis=(0, 1))
    print("\nband powers, 40 trials x 32 channels x 8064 samples, 2 s windows by 1 s")
    print(f"  biosense {spent:.2f} s, MNE Welch {other:.2f} s; largest difference of any value:")
    print("  " + "  ".join(f"{b} {100 * w:.4f} %" for b, w in zip(BANDS, worst, strict=True)))
    size = "band powers of 40 trials x 32 channels x 63 s"
    return [
        Figure(f"{size}, largest difference from MNE", 100 * float(worst.max()), "%"),
        Figure(size, spent, "s", other, "MNE Welch", timed=True),
    ]


def cost(seconds: int) -> Figure:
    """Print what each stage costs per second of 32 channels at 512 Hz, and return the sum."""
    rng = np.random.default_rng(0)
    info = StreamInfo("cap", Modality.EEG, layout("deap"), 512.0, "uV", dtype="float32")
    volts = 10 * rng.standard_normal((seconds * 512, 32))
    chunk = Chunk.of(info, np.arange(len(volts)) / 512, volts)
    pipeline = eeg_pipeline(info, 50.0, asr_cutoff=20.0)
    pipeline.start(info)
    items: list[Chunk] | list[Epoch] = [chunk.slice(n, n + 16) for n in range(0, chunk.n, 16)]
    print("\ncost of each stage, 32 channels at 512 Hz in chunks of 16, % of a core")
    total = 0.0
    for stage in pipeline.stages:
        began = time.perf_counter()
        items = [result for item in items for result in stage.push(item)]
        share = 100 * (time.perf_counter() - began) / seconds
        total += share
        print(f"  {type(stage).__name__:14}{share:7.2f}")
    print(f"  {'sum':14}{total:7.2f}")
    return Figure("EEG pipeline with ASR, 32 channels at 512 Hz", total / 100, "cores", timed=True)


def main() -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", help="folder with eeg/biosppy_eeg_*.npz")
    parser.add_argument("--seconds", type=int, default=60, help="of EEG whose cost is taken")
    options = parser.parse_args()
    mne.set_log_level("ERROR")
    figures = [alpha_ratio(options.data)] if options.data else []
    tell(*figures, *deap_sized(), cost(options.seconds))


if __name__ == "__main__":
    main()
