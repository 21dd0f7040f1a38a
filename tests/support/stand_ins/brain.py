"""One channel of EEG in counts of a 10-bit converter: eyes closed and open."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import signal

SFREQ = 125.0


def eyes_closed(path: Path) -> None:
    """Write 60 s with a strong alpha rhythm."""
    _write(path, alpha=45.0)


def eyes_open(path: Path) -> None:
    """Write 60 s with hardly any alpha rhythm."""
    _write(path, alpha=10.0)


def _write(path: Path, alpha: float) -> None:
    rng = np.random.default_rng(10)
    n = round(60 * SFREQ)
    brown = signal.lfilter([1.0], [1.0, -0.97], rng.standard_normal(n))
    narrow = signal.butter(2, (9.0, 11.0), "bandpass", fs=SFREQ, output="sos")
    rhythm = signal.sosfilt(narrow, rng.standard_normal(n))
    counts = 512 + 40 * brown / brown.std() + alpha * rhythm / rhythm.std()
    counts[rng.integers(0, n, n // 50)] = 1011  # some samples at the rail, as of the real one
    np.savez(path, eeg=np.clip(np.round(counts), 0, 1011).astype(np.float32), fs=SFREQ)
