"""EEG features of a window: band powers by region, left-right asymmetry, share of good channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Bools, Epoch, Floats, StreamInfo
from biosense.processing.eeg.montage import REGIONS, Montage, read_montage
from biosense.processing.eeg.shared_spectra import (
    WindowSpectra,
    hann,
    shared_spectra,
    window_spectra,
)
from biosense.processing.signal.batches import equally_long

BANDS = {
    "delta": (1.0, 4.0),
    "theta": (4.0, 8.0),
    "alpha": (8.0, 13.0),
    "beta": (13.0, 30.0),
    "gamma": (30.0, 45.0),
}
"""Edges of the bands in Hz, the lower one included. Gamma on the scalp is mostly muscle."""

EEG_FEATURES = (
    *(f"{region}_{band}" for region in REGIONS for band in BANDS),
    *(f"asymmetry_{band}" for band in BANDS),
    "frontal_alpha_asymmetry",
    "frontal_beta_alpha",
)
"""Features of `BandPowers`, the same for every montage: ln(uV^2), or differences of it."""

NO_AVERAGE = 1_000_000
"""More channels than there are: as `BandPowers.reference_from` it keeps the reference."""

_LEAST_RATE_HZ = 120.0  # the low-pass of a decimation needs a third above 45 Hz
_UV2_PER_V2 = 1e12
_FLOOR_UV2 = 1e-3  # keeps the logarithm of a flat channel finite; 0.03 uV is below any amplifier
_SLOW_BANDS = slice(list(BANDS).index("theta") + 1)  # delta and theta
_SLOW_HZ = BANDS["theta"][1]
_MAX_MISSING = 0.25  # share of a window; beyond it the spectrum is the hole's, not the signal's


def analysis_rate(sfreq: float) -> float:
    """Return the lowest whole fraction of a rate, Hz, that leaves room above the gamma band.

    Parameters
    ----------
    sfreq
        Rate of the stream, Hz.

    Returns
    -------
    float
        Hz.

    Examples
    --------
    >>> [analysis_rate(sfreq) for sfreq in (2048.0, 1000.0, 512.0, 250.0, 160.0)]
    [128.0, 125.0, 128.0, 125.0, 160.0]
    """
    for factor in range(int(sfreq // _LEAST_RATE_HZ), 1, -1):
        if sfreq % factor == 0:
            return sfreq / factor
    return sfreq


@dataclass
class BandPowers:
    """Turn windows of EEG in volts into log band powers by region, and asymmetries.

    The power of a band is the integral of a Hann periodogram. Its logarithm, in ln(uV^2), is the
    differential entropy [1]_ up to a factor of 0.5 and a constant; it is averaged over the good
    channels of a region. The frontal alpha asymmetry is ln P(right) - ln P(left) [2]_: higher means
    more activity left, read as approach. Features whose channels the montage lacks are NaN.

    A channel that is flat, off scale or incomplete is left out of a window. One whose slow part
    alone is large (a blink, eye movement, sweat) only loses its delta and theta. Quality is the
    share of what remains, times the share of trusted samples.

    Parameters
    ----------
    flat
        Peak-to-peak amplitude below which a channel counts as disconnected, volts.
    large
        Peak-to-peak amplitude above which a channel counts as an artefact, volts; for slow
        disturbances only the part from 8 Hz up is held against it.
    off_scale
        Peak-to-peak amplitude above which a channel is left out whatever its spectrum, volts.
    reference_from
        Number of EEG channels from which on the average of the good ones is subtracted. Fewer do
        not cover the head, and their average would carry the signal.

    References
    ----------
    .. [1] R.-N. Duan, J.-Y. Zhu and B.-L. Lu, "Differential entropy feature for EEG-based emotion
       classification," 6th International IEEE/EMBS Conference on Neural Engineering, 81-84, 2013.
    .. [2] E. E. Smith, S. J. Reznik, J. L. Stewart and J. J. B. Allen, "Assessing and
       conceptualizing frontal EEG asymmetry: an updated primer on recording, processing, analyzing,
       and interpreting frontal alpha asymmetry," International Journal of Psychophysiology 111,
       98-114, 2017.

    Examples
    --------
    >>> info = StreamInfo("cap", None, ("Fp1", "Oz"), 128.0, "V")
    >>> stage = BandPowers()
    >>> stage.start(info).n_channels
    27
    >>> t = np.arange(256) / 128.0
    >>> window = np.column_stack([1e-6 * np.sin(60 * t), 2e-5 * np.sin(2 * np.pi * 10 * t)])
    >>> features = stage.push(Epoch(info, 8, 0.0, 2.0, window, 1.0))[0]
    >>> round(float(features.data[EEG_FEATURES.index("posterior_alpha")]), 2)  # ln(20^2 / 2)
    5.3
    """

    flat: float = 0.5e-6
    large: float = 150e-6
    off_scale: float = 600e-6
    reference_from: int = 8
    _info: StreamInfo = field(init=False, repr=False)
    _montage: Montage = field(init=False, repr=False)
    _sfreq: float = field(init=False, repr=False)
    _length: _Length | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.flat < self.large <= self.off_scale:
            raise BadInput(
                f"flat={self.flat}, large={self.large}, off_scale={self.off_scale} V must rise"
            )

    def start(self, info: StreamInfo) -> StreamInfo:
        """Read the montage from the channel names; the input must be in volts."""
        if info.unit != "V":
            raise BadInput(f"unit={info.unit!r} of {info.name!r} must be 'V': put ToSI() before")
        if info.sfreq < 2 * BANDS["gamma"][1]:
            raise BadInput(
                f"sfreq={info.sfreq} Hz of {info.name!r} must be at least "
                f"{2 * BANDS['gamma'][1]} Hz to hold the gamma band"
            )
        self._montage = read_montage(info.channels)
        if not self._montage.eeg.any():
            raise BadInput(f"no channel of {info.name!r} is EEG by its name: {info.channels}")
        self._sfreq, self._length = info.sfreq, None
        self._info = replace(info, channels=EEG_FEATURES, unit="", dtype="float64")
        return self._info

    def push(self, item: Epoch) -> Sequence[Epoch]:
        """Return the features of a window."""
        return self.push_all([item])

    def push_all(self, items: Sequence[Epoch]) -> Sequence[Epoch]:
        """Return the features of each window; those of equal length are computed together."""
        return [epoch for same in equally_long(items) for epoch in self._features_of(same)]

    def flush(self) -> Sequence[Epoch]:
        """Return nothing: every window was answered at once."""
        return []

    def channel_powers(self, windows: Floats) -> tuple[Floats, Bools]:
        """Return ln band power in ln(uV^2) and whether it can be used: (k, bands, channels) each.

        Parameters
        ----------
        windows
            EEG in volts, shape (k, channels, n); NaN where a sample is missing.
        """
        return self._powers(window_spectra(windows), np.ones(windows.shape[:2], np.bool_))

    def _powers(self, spectra: WindowSpectra, kept: Bools) -> tuple[Floats, Bools]:
        """Return what `channel_powers` does, of windows whose spectra are known."""
        if self._length is None or self._length.n != spectra.n:  # nearly never
            self._length = _Length.of(spectra.n, self._sfreq)
        good, slow = self._judge(spectra, kept)
        spectrum = spectra.tapered(self._length.stop).view(np.float64)
        if np.count_nonzero(self._montage.eeg) >= self.reference_from:
            spectrum, good = self._averaged(spectrum, good, slow)
        power = _band_powers(spectrum, _energy(spectra, self._length), self._length)
        usable = np.repeat(good[:, None], len(BANDS), axis=1)
        usable[:, _SLOW_BANDS] &= ~slow[:, None]
        return np.log(np.maximum(power * _UV2_PER_V2, _FLOOR_UV2)), usable

    def _features_of(self, items: list[Epoch]) -> list[Epoch]:
        """Return the features of windows of one length."""
        if not len(items[0].data):
            nothing = np.full(len(EEG_FEATURES), np.nan)
            return [self._epoch(item, nothing, 0.0) for item in items]
        _, spectra, kept = shared_spectra(items)
        log_power, usable = self._powers(spectra, kept)
        shares = usable[:, :, self._montage.eeg].mean(axis=(1, 2)).tolist()
        features = self._features(log_power, usable)
        return [self._epoch(*each) for each in zip(items, features, shares, strict=True)]

    def _epoch(self, item: Epoch, row: Floats, share: float) -> Epoch:
        where = (self._info, item.index, item.start, item.stop)
        return Epoch(*where, row, float(item.quality * share), item.reason)

    def _judge(self, spectra: WindowSpectra, kept: Bools) -> tuple[Bools, Bools]:
        """Return which channels are good, and which of those carry a large slow disturbance."""
        complete = kept & (spectra.share >= 1 - _MAX_MISSING)
        span = spectra.span
        good = self._montage.eeg & complete & (span >= self.flat) & (span <= self.off_scale)
        slow = good & (span > self.large)
        at = np.nonzero(slow)
        if len(at[0]):
            n = spectra.n
            spectrum = spectra.spectrum[at]
            spectrum[:, np.fft.rfftfreq(n, 1 / self._sfreq) < _SLOW_HZ] = 0
            good[at] = np.ptp(np.fft.irfft(spectrum, n, axis=1), axis=1) <= self.large
        return good, slow & good

    def _averaged(self, spectrum: Floats, good: Bools, slow: Bools) -> tuple[Floats, Bools]:
        """Subtract the average of the quiet channels: a bad one would spread over all others."""
        quiet = good & ~slow
        count = quiet.sum(axis=1)
        enough = 2 * count >= np.count_nonzero(self._montage.eeg)
        share = quiet / np.maximum(count, 1)[:, None]
        # Not as a matrix product: threads of a linear algebra library cost more than they give.
        reference = np.einsum("kc,kcf->kf", share, spectrum)
        return spectrum - reference[:, None], good & enough[:, None]

    def _features(self, log_power: Floats, usable: Bools) -> Floats:
        """Return the features of each window, shape (k, features)."""
        montage = self._montage
        regions = _mean_over(log_power, usable, montage.members)  # (k, bands, regions)
        left, right = list(montage.left), list(montage.right)
        # In one layout for any number of windows: the order of a sum depends on it.
        difference = np.ascontiguousarray(log_power[:, :, right] - log_power[:, :, left])
        both = usable[:, :, right] & usable[:, :, left]
        asymmetry = _mean_over(difference, both, np.ones((1, len(left)), bool))
        alpha, beta = list(BANDS).index("alpha"), list(BANDS).index("beta")
        weight = montage.frontal_weight * both[:, alpha]
        total = weight.sum(axis=1)
        weighed = (weight * difference[:, alpha]).sum(axis=1)
        frontal_asymmetry = np.where(total > 0, weighed / np.where(total > 0, total, 1.0), np.nan)
        frontal = regions[:, :, REGIONS.index("frontal")]
        return np.concatenate(
            [
                regions.transpose(0, 2, 1).reshape(len(regions), -1),
                asymmetry[:, :, 0],
                frontal_asymmetry[:, None],
                (frontal[:, beta] - frontal[:, alpha])[:, None],
            ],
            axis=1,
        )


class _Length(NamedTuple):
    """Hold what holds for all windows of n samples: bins of the bands, a Hann taper's squares."""

    n: int
    bins: list[list[int]]
    stop: int
    taper: Floats
    energy: float

    @classmethod
    def of(cls, n: int, sfreq: float) -> _Length:
        bins = np.ceil(np.array(list(BANDS.values())) * n / sfreq - 1e-9).astype(int)
        taper = np.square(hann(n))
        return cls(n, bins.tolist(), int(bins.max()), taper, max(float(taper.sum()), 1e-12))


def _energy(spectra: WindowSpectra, length: _Length) -> Floats:
    """Return the energy of a Hann taper over the samples that are there, (k, channels)."""
    if spectra.present is None:  # nearly always
        return np.full(spectra.share.shape, length.energy)
    # holes carry no power
    energy: Floats = np.maximum(np.where(spectra.present, length.taper, 0.0).sum(axis=2), 1e-12)
    return energy


def _band_powers(spectrum: Floats, energy: Floats, length: _Length) -> Floats:
    """Integrate Hann periodograms over the bands: power in V^2, shape (k, bands, channels).

    Takes twice the spectra, (k, channels, 2 * bins), real and imaginary parts side by side.
    """
    bands = [spectrum[..., 2 * low : 2 * high] for low, high in length.bins]
    sums = np.stack([np.vecdot(band, band) for band in bands], axis=1)
    # One-sided PSD 2 |X|^2 / (sfreq * energy), times the bin width sfreq / n.
    return np.asarray(sums * (0.5 / (length.n * energy))[:, None])


def _mean_over(values: Floats, chosen: Bools, members: Bools) -> Floats:
    """Average the chosen values of each group: (k, bands, channels), (groups, channels) -> (k,
    bands, groups); NaN where a group has none.
    """
    count = chosen.astype(np.float64) @ members.T
    total = np.where(chosen, values, 0.0) @ members.T
    mean: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean
