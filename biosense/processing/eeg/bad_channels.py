"""EEG channels that cannot be used for a while: found as they fail, named, and left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.core.types import Bools, Epoch, Floats, Ints, StreamInfo
from biosense.processing.eeg.montage import read_montage
from biosense.processing.eeg.shared_spectra import WindowSpectra, shared_spectra, without_channels
from biosense.processing.signal.batches import equally_long
from biosense.processing.signal.row_statistics import chosen_medians

FAULTS = ("flat", "off scale", "noisy", "uncorrelated", "bridged")
"""What `BadChannels` finds, the worst first; a bridged channel is named but not left out."""

_BRIDGED = FAULTS.index("bridged")
_FAST_HZ = 20.0
_EYES_HZ = 8.0  # below, blinks make the channels at the front louder than all others
_MAD_TO_SD = 1.4826
_LEAST_TRUSTED = 0.5  # quality of a window; with less nothing is learnt about its channels
_MOST_SINCE_S = 0.5  # time without windows is no time in which a channel was seen to fail
_MANY = 8  # channels from which on one can be compared with the others
_USUAL_CORRELATION = 0.6  # where the others stay below, that is how this recording is
_SAME_RMS = 2e-6  # V; two quiet channels are alike without being bridged
_NAMED = 3


@dataclass
class BadChannels:
    """Find bad channels in windows of EEG in volts, and replace their samples by NaN.

    A channel is *flat* (peak-to-peak below `flat`), *off scale* (above `off_scale`), *noisy* (its
    part above 20 Hz above `noise` RMS, or that above 8 Hz `deviation` robust SDs louder than the
    other channels'), *uncorrelated* (its largest correlation with another channel below
    `correlation`, while the others' is usual [1]_) or *bridged* (it differs from another one by
    less than `bridge` RMS [2]_). Comparisons between channels need 8 of them.

    It counts as bad once it failed for `enter` seconds of windows in a row, and as good again after
    `leave` seconds without a fault, so that it does not come and go. The epoch's `reason` names it.
    Quality falls where features are computed from what remains; for bridged channels, by half of
    their share here.

    Parameters
    ----------
    flat, off_scale
        Peak-to-peak amplitudes, volts.
    noise, bridge
        RMS amplitudes, volts.
    deviation
        Robust standard deviations of the logarithm of the amplitude.
    correlation
        Absolute correlation.
    enter, leave
        Seconds.

    References
    ----------
    .. [1] N. Bigdely-Shamlo, T. Mullen, C. Kothe, K.-M. Su and K. A. Robbins, "The PREP pipeline:
       standardized preprocessing for large-scale EEG analysis," Frontiers in Neuroinformatics 9,
       16, 2015.
    .. [2] C. E. Tenke and J. Kayser, "A convenient method for detecting electrolyte bridges in
       multichannel electroencephalogram and event-related potential recordings," Clinical
       Neurophysiology 112(3), 545-550, 2001.

    Examples
    --------
    >>> info = StreamInfo("cap", None, ("Fp1", "Oz"), 128.0, "V")
    >>> stage = BadChannels(enter=0.5)
    >>> data = np.column_stack([np.zeros(256), 1e-5 * np.sin(np.arange(256))])
    >>> out = stage.start(info)
    >>> epochs = [Epoch(info, k, k / 4 - 2, k / 4, data, 1.0) for k in range(8, 11)]
    >>> [stage.push(epoch)[0].reason for epoch in epochs]
    ['', 'Fp1 flat', 'Fp1 flat']
    """

    flat: float = 0.5e-6
    off_scale: float = 600e-6
    noise: float = 30e-6
    deviation: float = 5.0
    correlation: float = 0.3
    bridge: float = 0.5e-6
    enter: float = 1.0
    leave: float = 5.0
    _info: StreamInfo = field(init=False, repr=False)
    _eeg: Ints = field(init=False, repr=False)
    _rows: slice | Ints = field(init=False, repr=False)
    _failing: Floats = field(init=False, repr=False)
    _fine: Floats = field(init=False, repr=False)
    _bad: Ints = field(init=False, repr=False)
    _any_bad: bool = field(init=False, repr=False)
    _failed: bool = field(init=False, repr=False)
    _last: float | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.flat < self.off_scale or self.enter < 0 or self.leave < 0:
            raise BadInput(
                f"flat={self.flat} V must be below off_scale={self.off_scale} V, enter="
                f"{self.enter} s and leave={self.leave} s must not be negative"
            )

    @property
    def bad(self) -> dict[str, str]:
        """Name of each channel that is bad now, with its fault."""
        at = np.flatnonzero(self._bad >= 0)
        return {self._info.channels[self._eeg[n]]: FAULTS[self._bad[n]] for n in at.tolist()}

    def start(self, info: StreamInfo) -> StreamInfo:
        """Forget every fault; the input must be in volts."""
        if info.unit != "V":
            raise BadInput(f"unit={info.unit!r} of {info.name!r} must be 'V': put ToSI() before")
        self._info = info
        self._eeg = np.flatnonzero(read_montage(info.channels).eeg)
        in_a_row = len(self._eeg) and self._eeg[-1] - self._eeg[0] + 1 == len(self._eeg)
        # What lies side by side need not be copied.
        self._rows = slice(self._eeg[0], self._eeg[-1] + 1) if in_a_row else self._eeg
        self._failing = np.zeros(len(self._eeg))
        self._fine = np.zeros(len(self._eeg))
        self._bad, self._any_bad = np.full(len(self._eeg), -1, np.int64), False
        self._failed = False
        self._last = None
        return info

    def push(self, item: Epoch) -> Sequence[Epoch]:
        """Return the window without its bad channels."""
        return self.push_all([item])

    def push_all(self, items: Sequence[Epoch]) -> Sequence[Epoch]:
        """Return each window without its bad channels; several are looked at together."""
        return [epoch for same in equally_long(items) for epoch in self._cleaned(same)]

    def flush(self) -> Sequence[Epoch]:
        """Return nothing: every window was answered at once."""
        return []

    def _cleaned(self, items: list[Epoch]) -> list[Epoch]:
        """Return windows of one length without their bad channels."""
        if not len(items[0].data) or not len(self._eeg):
            return items
        seen, spectra, _ = shared_spectra(items)
        faults = self._faults(spectra)
        return [
            self._without_bad(item, row if item.quality >= _LEAST_TRUSTED else None)
            for item, row in zip(seen, faults, strict=True)
        ]

    def _without_bad(self, item: Epoch, faults: Ints | None) -> Epoch:
        """Return a window without what is bad; None for its faults where nothing is learnt."""
        if faults is not None:
            since = HOP if self._last is None else min(item.stop - self._last, _MOST_SINCE_S)
            self._learn(faults, since)
            self._last = item.stop
        if not self._any_bad:
            return item
        out = self._bad >= 0
        lost = self._eeg[out & (self._bad != _BRIDGED)]
        bridged = np.count_nonzero(self._bad == _BRIDGED) / len(self._eeg)
        reason = "; ".join(filter(None, (item.reason, self._named())))
        return without_channels(item, lost.tolist(), item.quality * (1 - 0.5 * bridged), reason)

    def _learn(self, faults: Ints, seconds: float) -> None:
        """Move each channel's state by one window that stands for some seconds."""
        failed = faults >= 0
        if not self._any_bad and not np.logical_or.reduce(failed):
            if self._failed:
                self._failing, self._failed = np.zeros(len(failed)), False
            self._fine += seconds  # nearly always
            return
        self._failed = True
        self._failing = np.where(failed, self._failing + seconds, 0.0)
        self._fine = np.where(failed, 0.0, self._fine + seconds)
        enters = failed & (self._failing >= self.enter - 1e-9)
        self._bad = np.where(enters, faults, self._bad)
        self._bad = np.where(self._fine >= self.leave - 1e-9, -1, self._bad)
        self._any_bad = bool((self._bad >= 0).any())

    def _faults(self, spectra: WindowSpectra) -> Ints:
        """Return the number of the worst fault, -1 for none, of windows: (k, EEG channels)."""
        span = spectra.span[:, self._eeg]
        flat, large = span < self.flat, span > self.off_scale
        alive = ~(flat | large)
        without_eyes, fast = self._above((_EYES_HZ, _FAST_HZ), spectra)
        noisy = alive & (self._is_loud(without_eyes, alive) | (fast > self.noise))
        uncorrelated, bridged = self._compared(spectra, alive & ~noisy)
        faults = np.full(span.shape, -1, np.int64)
        for number, found in reversed(list(enumerate((flat, large, noisy, uncorrelated, bridged)))):
            faults[found] = number
        return faults

    def _above(
        self, frequencies: tuple[float, float], spectra: WindowSpectra
    ) -> tuple[Floats, Floats]:
        """Return the RMS of each EEG channel from either of two rising frequencies up."""
        n = spectra.n
        low, high = (int(frequency * n / self._info.sfreq) for frequency in frequencies)
        numbers = spectra.spectrum.view(np.float64)  # real and imaginary parts lie side by side
        fast, rest = numbers[:, self._rows, 2 * high :], numbers[:, self._rows, 2 * low : 2 * high]
        power = np.vecdot(fast, fast)
        return np.sqrt(2 * (np.vecdot(rest, rest) + power)) / n, np.sqrt(2 * power) / n

    def _is_loud(self, rms: Floats, alive: Bools) -> Bools:
        enough = np.count_nonzero(alive, axis=1) >= _MANY
        if not enough.any():
            return np.zeros(rms.shape, np.bool_)
        level = np.log(np.maximum(rms, 1e-9))
        middle = chosen_medians(level, alive)[:, None]
        spread = _MAD_TO_SD * chosen_medians(np.abs(level - middle), alive)[:, None]
        loud = level - middle > self.deviation * np.maximum(spread, 0.2)
        return np.asarray(loud & enough[:, None])

    def _compared(self, spectra: WindowSpectra, good: Bools) -> tuple[Bools, Bools]:
        """Return which channels resemble no other one, and which resemble one too much."""
        shared, n = self._products(spectra), spectra.n
        own = np.arange(shared.shape[1])
        power = shared[:, own, own]
        loud = power > _SAME_RMS**2 * n
        # What is not good resembles nobody: 0 times as much, and infinitely far.
        scale = np.where(good, 1 / np.sqrt(np.where(good, power, 1.0)), 0.0)
        likeness = np.abs(shared)
        likeness *= scale[:, :, None]
        likeness[:, own, own] = 0.0
        highest = likeness.max(axis=1) * scale
        apart = shared
        apart *= -2
        power = np.where(good, power, np.inf)
        apart += power[:, :, None]
        apart[:, own, own] = np.inf
        nearest = apart.min(axis=1) + power
        is_usual = chosen_medians(highest, good) >= _USUAL_CORRELATION
        is_usual &= np.count_nonzero(good, axis=1) >= _MANY
        lonely = good & is_usual[:, None] & (highest < self.correlation)
        return lonely, good & (nearest < self.bridge**2 * n) & loud

    def _products(self, spectra: WindowSpectra) -> Floats:
        """Return the sum of products of any two EEG channels, (k, EEG channels, EEG channels)."""
        with np.errstate(invalid="ignore"):  # windows that lack samples come to nothing here
            sums = spectra.windows.products(self._rows)
        mean = spectra.mean[:, self._rows]
        sums -= (spectra.n * mean)[:, :, None] * mean[:, None]
        if spectra.centred is not None:
            at = np.flatnonzero((spectra.share < 1).any(axis=1))
            centred = spectra.centred[at][:, self._rows]
            sums[at] = np.matmul(centred, centred.transpose(0, 2, 1))
        return sums

    def _named(self) -> str:
        """Return the bad channels in a few words, the worst first."""
        bad = sorted(self.bad.items(), key=lambda pair: FAULTS.index(pair[1]))
        words = [f"{name} {fault}" for name, fault in bad[:_NAMED]]
        more = [f"{len(bad) - _NAMED} more"] if len(bad) > _NAMED else []
        return ", ".join(words + more)
