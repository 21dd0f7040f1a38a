"""Blinks and muscle taken out of EEG online by ASR, beside meegkit and MNE's offline methods.

Usage: python -m benchmarks.eeg.cleaning_online [--runs 2] [--meegkit FOLDER] [--only ASR]

Synthetic EEG of `benchmarks.parts.eeg_scene`, once with blinks from the moment at which ASR has
learnt its baseline, once with blinks in it. meegkit is optional: install it, or name a folder that
holds it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import mne
import numpy as np

from benchmarks.figures import Figure, tell
from benchmarks.parts.eeg_scene import SFREQ, TRAINED_S, Scene, make_scene
from biosense.core.types import Chunk, Floats, Modality, StreamInfo
from biosense.processing.eeg.asr import Asr
from biosense.processing.eeg.band_powers import BandPowers
from biosense.processing.offline.eeg_positions import channel_positions

BEGIN_S = 45.0  # scored from here on; before it ASR learns the baseline


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


METHODS: dict[str, Callable[[Scene], Floats]] = {
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
HEAD = f"{'':32}blink muscle  clean   delta  theta  alpha   beta  gamma  s/min"


def methods(only: str) -> dict[str, Callable[[Scene], Floats]]:
    """Return the methods that can be used here, by name."""
    kept = {name: run for name, run in METHODS.items() if only in name}
    try:
        from meegkit.asr import ASR  # noqa: F401
    except ImportError as error:
        print(f"meegkit cannot be used, its rows are left out: {error}")
        return {name: run for name, run in kept.items() if "meegkit" not in name}
    return kept


def table(runs: int, blinks_from: float, only: str) -> dict[str, list[float]]:
    """Print how much of injected artefacts is left, and what was done to clean parts."""
    print(f"\ninjected blinks (from {blinks_from:.0f} s on) and muscle bursts (from 46 s on)")
    print("RMS error / SD of clean EEG at blinks, at bursts, elsewhere; mean |error| of ln power")
    print(HEAD)
    scenes = [make_scene(seed, blinks_from) for seed in range(runs)]
    minutes = sum(len(scene.dirty) for scene in scenes) / SFREQ / 60
    rows = {}
    for name, run in methods(only).items():
        began = time.perf_counter()
        cleaned = [run(scene) for scene in scenes]
        spent = (time.perf_counter() - began) / minutes
        pairs = zip(cleaned, scenes, strict=True)
        rows[name] = np.mean([score(data, scene) for data, scene in pairs], axis=0).tolist()
        print(f"{name:30}" + "".join(f"{value:7.3f}" for value in rows[name]) + f"{spent:7.2f}")
    return rows


def figures(rows: dict[str, list[float]]) -> list[Figure]:
    """Hold our ASR against meegkit's on the whole recording, or against doing nothing."""
    ours = rows.get("biosense ASR 5, 0.25 s ahead")
    peer = next((name for name in ("meegkit ASR 5, one call", "nothing") if name in rows), None)
    names = ("error at blinks", "error at bursts of muscle", "error of clean EEG")
    return [
        Figure(f"ASR online, {name}", ours[n], "SD", *((rows[peer][n], peer) if peer else ()))
        for n, name in enumerate(names if ours else ())
    ]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--meegkit", help="folder that holds meegkit")
    parser.add_argument("--runs", type=int, default=2, help="synthetic recordings")
    parser.add_argument("--only", default="", help="methods whose name contains this")
    asked = parser.parse_args()
    if asked.meegkit:
        sys.path.append(asked.meegkit)
    mne.set_log_level("ERROR")
    rows = table(asked.runs, TRAINED_S, asked.only)
    table(asked.runs, 2.0, asked.only)
    tell(*figures(rows))


if __name__ == "__main__":
    main()
