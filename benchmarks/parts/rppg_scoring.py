"""What the live pipeline tells of a camera's colours, held against the heart that was in them.

Beside it, on the same frames, what a program says that always tells a rate: the highest peak of
POS, CHROM and green over the same 10 s, without a gate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import signal

from benchmarks.parts.rppg_scene import Heart, Scene, make
from biosense.core.grid import HOP
from biosense.core.types import Chunk, Epoch, Floats
from biosense.processing.pipelines import feature_pipeline
from biosense.processing.rppg.features import RPPG_FEATURES
from biosense.processing.rppg.spectrum import PULSE_BAND_HZ, BandSpectrum

FIRST_S, WINDOW_S, SFREQ, LENGTH = 12, 10.0, 30.0, 48
METHODS = ("POS", "CHROM", "green")


@dataclass(frozen=True, eq=False)
class Outcome:
    """Hold, for every window (one a second), what was told and what is true."""

    told: Floats
    truth: Floats
    snr: Floats
    confidence: Floats
    ungated: dict[str, Floats]
    waveform: float  # correlation with the blood volume, its sign the polarity

    @property
    def error(self) -> Floats:
        """Absolute error of the rates told, bpm."""
        given = np.isfinite(self.told)
        return np.abs(self.told - self.truth)[given]


def epochs_of(frames: Chunk) -> list[Epoch]:
    """Return what the live pipeline makes of a stream."""
    pipeline = feature_pipeline(frames.info)
    return list(pipeline.run([frames], frames.info))


def score(scene: Scene, seed: int) -> Outcome:
    """Run one scene."""
    frames, heart = make(scene, seed)
    return score_frames(frames, heart, scene.seconds, is_pulse=scene.is_pulse)


def score_frames(frames: Chunk, heart: Heart, seconds: float, *, is_pulse: bool = True) -> Outcome:
    """Run one stream of a camera, and compare with the heart that was in it."""
    by_index = {epoch.index: epoch for epoch in epochs_of(frames)}
    stops = np.arange(FIRST_S, int(seconds))
    rows = np.full((len(stops), len(RPPG_FEATURES)), np.nan)
    for row, stop in zip(rows, stops.tolist(), strict=True):
        if (epoch := by_index.get(round(stop / HOP))) is not None:
            row[:] = epoch.data
    truth = np.array([heart.mean_rate(stop - WINDOW_S, stop) for stop in stops.tolist()])
    ungated, waveform = _ungated(frames, heart, stops, is_pulse)
    return Outcome(rows[:, 0], truth, rows[:, 3], np.nan_to_num(rows[:, 4]), ungated, waveform)


def _ungated(
    frames: Chunk, heart: Heart, stops: Floats, is_pulse: bool
) -> tuple[dict[str, Floats], float]:
    """Return the highest peak of each method in every window, and how POS fits the blood volume."""
    seen = np.isfinite(frames.data[:, 0])
    if seen.sum() < 400 or not is_pulse:
        return {name: np.full(len(stops), np.nan) for name in METHODS}, np.nan
    grid = np.arange(0.0, frames.times[-1], 1 / SFREQ)
    skin = np.tensordot([2600, 1900, 1800], frames.data[seen, :12].reshape(-1, 3, 4), (0, 1))
    colour = np.column_stack(
        [np.interp(grid, frames.times[seen], skin[:, c] / 6300) for c in range(3)]
    )
    waves = {name: batch_wave(colour, name) for name in METHODS}
    rates = {name: _rates(wave, stops) for name, wave in waves.items()}
    band = signal.butter(2, PULSE_BAND_HZ, "bandpass", fs=SFREQ, output="sos")
    pos = signal.sosfiltfilt(band, waves["POS"])[60:-60]
    lags = [signal.sosfiltfilt(band, heart.wave(grid - n / SFREQ)) for n in range(-9, 10, 3)]
    fits = [float(np.corrcoef(pos, blood[60:-60])[0, 1]) for blood in lags]
    return rates, max(fits, key=abs)


def batch_wave(colour: Floats, method: str) -> Floats:
    """Compute a method over a whole recording at once, from its formula: no streaming code."""
    windows = sliding_window_view(colour, LENGTH, axis=0)  # (windows, 3, l)
    change = windows / windows.mean(axis=2, keepdims=True) - 1
    r, g, b = change.transpose(1, 0, 2)  # each (windows, l)
    if method == "POS":
        first, second = g - b, g + b - 2 * r
        wave = -(first + _ratio(first, second) * second)
    elif method == "CHROM":
        first, second = 3 * r - 2 * g, 1.5 * r + g - 1.5 * b
        wave = first - _ratio(first, second) * second
    else:
        wave = -g
    total, count = np.zeros(len(colour)), np.zeros(len(colour))
    for offset in range(LENGTH):
        total[offset : offset + len(wave)] += wave[:, offset]
        count[offset : offset + len(wave)] += 1
    return total / count


def _ratio(first: Floats, second: Floats) -> Floats:
    spread = second.std(axis=1)
    return (first.std(axis=1) / np.where(spread > 0, spread, np.inf))[:, None]


def _rates(wave: Floats, stops: Floats) -> Floats:
    windows = [wave[max(0, int(stop * 30) - 300) : int(stop * 30), None] for stop in stops]
    return np.array([BandSpectrum.of(window, SFREQ).peak(0).bpm for window in windows])


HEADER = (
    f"{'condition':34} {'told':>5} {'MAE':>6} {'p95':>6} {'SNR':>5} {'conf':>5} {'wave r':>7}"
    f" | {'POS':>6} {'CHROM':>6} {'green':>6}  always told, MAE"
)


@dataclass(frozen=True)
class Row:
    """Hold one condition: share of windows with a rate, its mean error, that of POS always told."""

    told: float
    error: float
    pos: float


def print_row(name: str, outcomes: list[Outcome], is_pulse: bool) -> Row:
    """Print one condition, and return the gist of it."""
    told = np.concatenate([o.told for o in outcomes])
    error = np.concatenate([o.error for o in outcomes])
    snr = np.concatenate([o.snr for o in outcomes])
    sure = np.concatenate([o.confidence[np.isfinite(o.told)] for o in outcomes])
    share = np.isfinite(told).mean()
    snr_db = np.nanmedian(snr) if np.isfinite(snr).any() else np.nan
    line = f"{name:34} {share:5.2f} "
    if not is_pulse:
        print(f"{line}{'-':>6} {'-':>6} {snr_db:5.1f} {'-':>5} {'-':>7} |      any rate is wrong")
        return Row(float(share), np.nan, np.nan)
    mae, p95, conf = (
        (error.mean(), np.quantile(error, 0.95), sure.mean()) if len(error) else (np.nan,) * 3
    )
    fit = np.nanmedian([o.waveform for o in outcomes])
    truth = np.concatenate([o.truth for o in outcomes])
    always = [np.concatenate([o.ungated[m] for o in outcomes]) for m in METHODS]
    rest = [float(np.nanmean(np.abs(rates - truth))) for rates in always]
    words = " ".join(f"{error:6.2f}" for error in rest)
    print(f"{line}{mae:6.2f} {p95:6.2f} {snr_db:5.1f} {conf:5.2f} {fit:7.3f} | {words}")
    return Row(float(share), float(mae), rest[0])
