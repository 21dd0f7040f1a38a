"""EEG beside MNE and meegkit: `python -m benchmarks.eeg.bench [--data FOLDER] [--meegkit FOLDER]`.

Part 1 needs real recordings with eyes closed and open (biosppy_eeg_ec.npz, biosppy_eeg_eo.npz in
FOLDER/eeg) and is left out without them. Parts 2 and 3 are synthetic. meegkit is optional: install
it, or name a folder that holds it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import mne
import numpy as np
from scipy import signal

from benchmarks.eeg.scene import SFREQ, TRAINED_S, Scene, make_scene
from biosense.core.types import Chunk, Epoch, Floats, Modality, StreamInfo
from biosense.processing.eeg.asr import Asr
from biosense.processing.eeg.band_powers import BANDS, BandPowers
from biosense.processing.eeg.layouts import layout
from biosense.processing.eeg.pipeline import eeg_pipeline
from biosense.processing.offline.eeg_positions import channel_positions
from biosense.processing.signal.filters import BandPass, Cascade, Notch
from biosense.processing.signal.window import Window

BEGIN_S = 45.0  # scored from here on; before it ASR learns the baseline


def mne_powers(data: Floats, sfreq: float, size: int, overlap: int) -> Floats:
    """Return band powers by MNE's Welch, shape (..., bands), unit squared."""
    density, frequencies = mne.time_frequency.psd_array_welch(
        data, sfreq, 0, 50, n_fft=size, n_overlap=overlap, window="hann", verbose=False
    )
    width = sfreq / size
    inside = [(frequencies >= low) & (frequencies < high) for low, high in BANDS.values()]
    return np.stack([density[..., bins].sum(axis=-1) * width for bins in inside], axis=-1)


def alpha_ratio(folder: Path) -> None:
    """Print the ratio of alpha power, eyes closed over open, through the pipeline and by MNE."""
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


def deap_sized() -> None:
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


def ours(**parameters: float) -> Callable[[Scene], Floats]:
    """Return a run of our ASR, in chunks of 32 samples."""

    def run(scene: Scene) -> Floats:
        info = StreamInfo("cap", Modality.EEG, scene.channels, SFREQ, "V")
        stage = Asr(**parameters)
        stage.start(info)
        chunk = Chunk.of(info, np.arange(len(scene.dirty)) / SFREQ, scene.dirty)
        parts = [p for n in range(0, chunk.n, 32) for p in stage.push(chunk.slice(n, n + 32))]
        return np.concatenate([part.data for part in [*parts, *stage.flush()]])

    return run


def meegkit_asr(cutoff: float, size: int) -> Callable[[Scene], Floats]:
    """Return a run of meegkit's ASR fitted on the first 40 s, in chunks of some size (0: one)."""

    def run(scene: Scene) -> Floats:
        from meegkit.asr import ASR

        stage = ASR(sfreq=SFREQ, cutoff=cutoff, method="euclid")
        stage.fit(scene.dirty[: round(TRAINED_S * SFREQ)].T * 1e6)
        step = size or len(scene.dirty)
        parts = [scene.dirty[n : n + step].T * 1e6 for n in range(0, len(scene.dirty), step)]
        return np.concatenate([stage.transform(part) for part in parts], axis=1).T * 1e-6

    return run


def _raw(scene: Scene) -> mne.io.RawArray:
    info = mne.create_info([*scene.channels, "EOG"], SFREQ, ["eeg"] * 32 + ["eog"])
    raw = mne.io.RawArray(np.column_stack([scene.dirty, scene.eog]).T, info, verbose=False)
    places = dict(zip(scene.channels, channel_positions(scene.channels), strict=True))
    return raw.set_montage(mne.channels.make_dig_montage(places, coord_frame="head"))


def ica(scene: Scene) -> Floats:
    """Clean the whole recording by MNE's ICA: components found by EOG, and by muscle score."""
    raw = _raw(scene)
    fit = mne.preprocessing.ICA(30, method="fastica", random_state=0, max_iter=500)
    fit.fit(raw, verbose=False)
    eyes, _ = fit.find_bads_eog(raw, "EOG", verbose=False)
    muscle, _ = fit.find_bads_muscle(raw, verbose=False)
    fit.exclude = sorted({int(n) for n in [*eyes, *muscle]})
    return fit.apply(raw, verbose=False).get_data("eeg").T


def ssp(scene: Scene) -> Floats:
    """Clean the whole recording by one projection that MNE finds at blinks."""
    raw = _raw(scene)
    vectors, _ = mne.preprocessing.compute_proj_eog(
        raw, n_eeg=1, n_grad=0, n_mag=0, ch_name="EOG", l_freq=None, h_freq=None,
        reject=None, no_proj=True, verbose=False,
    )  # fmt: skip
    return raw.add_proj(vectors).apply_proj(verbose=False).get_data("eeg").T


def regression(scene: Scene) -> Floats:
    """Clean the whole recording by MNE's regression on EOG."""
    raw = _raw(scene).set_eeg_reference([], verbose=False)
    fit = mne.preprocessing.EOGRegression(picks="eeg", picks_artifact="eog").fit(raw)
    return fit.apply(raw).get_data("eeg").T


def log_powers(data: Floats, channels: tuple[str, ...]) -> Floats:
    """Return ln band power of each 2 s window by 0.25 s, without limits: (k, bands, channels)."""
    stage = BandPowers(off_scale=1.0, large=1.0)
    stage.start(StreamInfo("cap", Modality.EEG, channels, SFREQ, "V"))
    cut = np.lib.stride_tricks.sliding_window_view(data.T, 256, axis=1)[:, ::32]
    return stage.channel_powers(cut.transpose(1, 0, 2))[0]


def score(cleaned: Floats, scene: Scene) -> list[float]:
    """Return residuals at blinks and muscle, distortion between, in SD of clean EEG; ln errors."""
    after = np.arange(len(cleaned)) >= BEGIN_S * SFREQ
    wide = np.convolve(scene.blink | scene.muscle, np.ones(65), "same") > 0
    spots = (scene.blink & ~scene.muscle, scene.muscle & ~scene.blink, ~wide)
    error = (cleaned - scene.clean) / scene.clean[after].std()
    rms = [float(np.sqrt(np.square(error[spot & after]).mean())) for spot in spots]
    windows = np.arange(0, len(cleaned) - 255, 32)
    scored = windows >= BEGIN_S * SFREQ
    away = log_powers(cleaned, scene.channels) - log_powers(scene.clean, scene.channels)
    features = np.abs(away[scored]).mean(axis=(0, 2))
    return [*rms, *features.tolist()]


def artefacts(runs: int, blinks_from: float) -> None:
    """Print how much of injected artefacts is left, and what was done to clean parts."""
    methods: dict[str, Callable[[Scene], Floats]] = {
        "nothing": lambda scene: scene.dirty,
        "biosense ASR 20, causal": ours(),
        "biosense ASR 10, causal": ours(cutoff=10.0),
        "biosense ASR 5, causal": ours(cutoff=5.0),
        "biosense ASR 5, 0.25 s ahead": ours(cutoff=5.0, ahead=0.25),
        "meegkit ASR 20, one call": meegkit_asr(20, 0),
        "meegkit ASR 5, one call": meegkit_asr(5, 0),
        "meegkit ASR 5, chunks of 32": meegkit_asr(5, 32),
        "MNE ICA (offline)": ica,
        "MNE SSP of EOG (offline)": ssp,
        "MNE EOG regression (offline)": regression,
    }
    try:
        from meegkit.asr import ASR  # noqa: F401
    except ImportError as error:
        print(f"\nmeegkit cannot be used, its rows are left out: {error}")
        methods = {name: run for name, run in methods.items() if "meegkit" not in name}
    print(f"\ninjected blinks (from {blinks_from:.0f} s on) and muscle bursts (from 46 s on)")
    print("RMS error / SD of clean EEG at blinks, at bursts, elsewhere; mean |error| of ln power")
    print(f"{'':32}blink muscle  clean   delta  theta  alpha   beta  gamma  s/min")
    scenes = [make_scene(seed, blinks_from) for seed in range(runs)]
    minutes = sum(len(scene.dirty) for scene in scenes) / SFREQ / 60
    for name, run in methods.items():
        began = time.perf_counter()
        cleaned = [run(scene) for scene in scenes]
        spent = (time.perf_counter() - began) / minutes
        pairs = zip(cleaned, scenes, strict=True)
        values = np.mean([score(data, scene) for data, scene in pairs], axis=0)
        print(f"{name:30}" + "".join(f"{value:7.3f}" for value in values) + f"{spent:7.2f}")


def cost() -> None:
    """Print what each stage costs per second of 32 channels at 512 Hz."""
    rng = np.random.default_rng(0)
    info = StreamInfo("cap", Modality.EEG, layout("deap"), 512.0, "uV", dtype="float32")
    seconds = 60
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


def main() -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with eeg/biosppy_eeg_*.npz")
    parser.add_argument("--meegkit", help="folder that holds meegkit")
    parser.add_argument("--runs", type=int, default=2, help="synthetic recordings")
    options = parser.parse_args()
    if options.meegkit:
        sys.path.append(options.meegkit)
    mne.set_log_level("ERROR")
    if options.data:
        alpha_ratio(options.data)
    deap_sized()
    artefacts(options.runs, blinks_from=TRAINED_S)
    artefacts(options.runs, blinks_from=2.0)
    cost()


if __name__ == "__main__":
    main()
