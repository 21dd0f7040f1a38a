"""What clean EEG of this person looks like: the windows it is learnt from, thresholds, repair."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from biosense.core.types import Bools, Floats

_DIP_HZ = (3.0, 13.0)  # where a resting spectrum is large and varies without being an artefact
_DIP_GAIN = 1 / 3
_LEAST_RMS, _MOST_RMS = 0.1e-6, 100e-6  # volts; outside a channel is dead, or no EEG
_MOST_PEAK = 500e-6  # volts: no window with more is clean, however usual it is here
_UNUSUAL = 3.5  # robust z of the log amplitude
_MOST_UNUSUAL = 0.075  # share of channels that may be unusual in a clean window (clean_rawdata)
_BUFFERS = 4  # windows kept, in lengths of the baseline
_WEISZFELD_STEPS = 20
_MAD_TO_SD = 1.4826


def shaping_filter(sfreq: float) -> Floats:
    """Return a filter that weighs 3-13 Hz a third, so that alpha waves are no artefact.

    A peaking equaliser with a cut [1]_.

    Parameters
    ----------
    sfreq
        Rate, Hz.

    Returns
    -------
    Floats
        Second-order sections, shape (1, 6).

    References
    ----------
    .. [1] R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients."
    """
    low, high = _DIP_HZ
    centre = np.sqrt(low * high)
    w = 2 * np.pi * centre / sfreq
    amplitude = np.sqrt(_DIP_GAIN)
    alpha = np.sin(w) / 2 * (high - low) / centre
    b = np.array([1 + alpha * amplitude, -2 * np.cos(w), 1 - alpha * amplitude])
    a = np.array([1 + alpha / amplitude, -2 * np.cos(w), 1 - alpha / amplitude])
    return np.asarray(np.concatenate([b, a])[None, :] / a[0])


@dataclass(frozen=True, eq=False)
class Baseline:
    """Hold the mixing matrix of clean EEG, and how large it gets in each direction.

    Parameters
    ----------
    usable
        Channels that the baseline covers, shape (EEG channels,).
    mixing
        Square root of the covariance of clean EEG, shape (usable, usable).
    components
        Principal components of clean EEG, one a column, shape (usable, usable).
    limits
        Largest RMS amplitude along each component that is no artefact, shape (usable,).
    """

    usable: Bools
    mixing: Floats
    components: Floats
    limits: Floats

    def matrix(self, recent: Floats, most_removed: float) -> Floats | None:
        """Return the matrix that repairs shaped samples (n, EEG channels); None if they are clean.

        The full decomposition is only needed where some direction exceeds its limit, which the
        smaller of two Gram matrices tells.
        """
        part = recent[:, self.usable]
        scaled = part @ (self.components / self.limits)
        gram = scaled @ scaled.T if len(scaled) < scaled.shape[1] else scaled.T @ scaled
        if np.linalg.eigvalsh(gram)[-1] < len(part):
            return None
        power, directions = np.linalg.eigh(part.T @ part / len(part))
        along = self.components.T @ directions
        highest = np.square(self.limits[:, None] * along).sum(axis=0)
        count = len(power)
        kept = (power < highest) | (np.arange(count) < count - int(most_removed * count))
        if kept.all():
            return None
        seen = kept[:, None] * (directions.T @ self.mixing)
        repair: Floats = self.mixing @ np.linalg.pinv(seen, rcond=1e-6) @ directions.T
        return repair


class CleanWindows:
    """Collect windows until those of usual amplitude make a baseline.

    A window is clean where its amplitude is unusual (robust z above 3.5 of the logarithm, over the
    windows at hand) in at most 7.5 % of the channels, and its peak below 500 uV in the others.

    Parameters
    ----------
    wanted
        Clean windows wanted.
    blocks
        Blocks of samples in a window.
    cutoff
        Standard deviations above what is usual along a component of the baseline.
    """

    def __init__(self, wanted: int, blocks: int, cutoff: float) -> None:
        self._wanted, self._per_window, self._cutoff = wanted, blocks, cutoff
        self._windows: deque[Floats] = deque(maxlen=_BUFFERS * self._wanted)
        self._blocks: list[Floats] = []
        self.interrupt()

    def interrupt(self) -> None:
        """Drop the window that a gap cut short."""
        self._blocks = []

    def put(self, block: Floats, ok: bool) -> Baseline | None:
        """Add a block of samples, shape (n, channels); return the baseline once there is one."""
        if not ok:
            self.interrupt()
            return None
        self._blocks.append(block)
        if len(self._blocks) < self._per_window:
            return None
        self._windows.append(np.concatenate(self._blocks))
        self._blocks = []
        return self._baseline() if len(self._windows) >= self._wanted else None

    def _baseline(self) -> Baseline | None:
        rms = np.array([np.sqrt(np.square(window).mean(axis=0)) for window in self._windows])
        typical = np.median(rms, axis=0)
        usable = (typical >= _LEAST_RMS) & (typical <= _MOST_RMS)
        if np.count_nonzero(usable) < 2:
            return None
        peaks = np.array([np.abs(window).max(axis=0) for window in self._windows])
        clean = self._clean(rms[:, usable], peaks[:, usable])
        if np.count_nonzero(clean) < self._wanted:
            return None
        chosen = [window for window, good in zip(self._windows, clean, strict=True) if good]
        self._windows.clear()
        return learn_baseline([window[:, usable] for window in chosen], usable, self._cutoff)

    @staticmethod
    def _clean(rms: Floats, peaks: Floats) -> Bools:
        level = np.log(np.maximum(rms, 1e-9))
        middle = np.median(level, axis=0)
        spread = np.maximum(_MAD_TO_SD * np.median(np.abs(level - middle), axis=0), 0.05)
        unusual = (level - middle > _UNUSUAL * spread) | (peaks > _MOST_PEAK)
        usual: Bools = unusual.mean(axis=1) <= _MOST_UNUSUAL
        return usual


def learn_baseline(windows: list[Floats], usable: Bools, cutoff: float) -> Baseline:
    """Return the baseline of clean windows.

    Parameters
    ----------
    windows
        Clean EEG, volts, each of shape (n, usable channels).
    usable
        Channels that they cover, shape (EEG channels,).
    cutoff
        Standard deviations above the median that are no artefact yet.

    Returns
    -------
    Baseline
    """
    covariances = np.array([window.T @ window / len(window) for window in windows])
    power, components = np.linalg.eigh(_geometric_median(covariances))
    # A reference that is one of the channels, or their average, leaves a component without power.
    power = np.maximum(power, 1e-9 * power.max())
    mixing = (components * np.sqrt(power)) @ components.T
    along = np.array([np.sqrt(np.square(window @ components).mean(axis=0)) for window in windows])
    middle = np.median(along, axis=0)
    spread = _MAD_TO_SD * np.median(np.abs(along - middle), axis=0)
    limits = middle + cutoff * spread
    return Baseline(usable, mixing, components, np.maximum(limits, 1e-6 * limits.max()))


def _geometric_median(covariances: Floats) -> Floats:
    """Return the matrix with the least sum of distances to all (Weiszfeld's algorithm).

    It is a weighted mean of the matrices, so their products with one another are all it needs.
    """
    flat = covariances.reshape(len(covariances), -1)
    products = flat @ flat.T
    weight = np.full(len(flat), 1 / len(flat))
    for _ in range(_WEISZFELD_STEPS):
        squares = np.diag(products) - 2 * products @ weight + weight @ products @ weight
        distance = np.sqrt(np.maximum(squares, 1e-12 * np.diag(products).max()))
        weight = 1 / distance
        weight = weight / weight.sum()
    result: Floats = (weight @ flat).reshape(covariances.shape[1:])
    return result
