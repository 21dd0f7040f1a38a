"""EEG channels that cannot be used for a while: found as they fail, named, and left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.core.types import Bools, Epoch, Floats, Ints, StreamInfo
from biosense.processing.eeg_montage import read_montage

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
    other channels'),
    *uncorrelated* (its largest correlation with another channel below `correlation`, while the
    others' is usual; Bigdely-Shamlo et al. 2015, PREP) or *bridged* (it differs from another one by
    less than `bridge` RMS; Tenke & Kayser 2001). Comparisons between channels need 8 of them.

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
    _failing: Floats = field(init=False, repr=False)
    _fine: Floats = field(init=False, repr=False)
    _bad: Ints = field(init=False, repr=False)
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
        self._failing = np.zeros(len(self._eeg))
        self._fine = np.zeros(len(self._eeg))
        self._bad = np.full(len(self._eeg), -1, np.int64)
        self._last = None
        return info

    def push(self, item: Epoch) -> Sequence[Epoch]:
        """Return the window without its bad channels."""
        if item.quality >= _LEAST_TRUSTED and len(item.data) and len(self._eeg):
            since = HOP if self._last is None else min(item.stop - self._last, _MOST_SINCE_S)
            self._learn(self._faults(item.data[:, self._eeg].T), since)
            self._last = item.stop
        out = self._bad >= 0
        if not out.any():
            return [item]
        lost = self._eeg[out & (self._bad != _BRIDGED)]
        data = item.data.copy()
        data[:, lost] = np.nan
        bridged = np.count_nonzero(self._bad == _BRIDGED) / len(self._eeg)
        quality = item.quality * (1 - 0.5 * bridged)
        reason = "; ".join(filter(None, (item.reason, self._named())))
        return [replace(item, data=data, quality=quality, reason=reason)]

    def flush(self) -> Sequence[Epoch]:
        """Return nothing: every window was answered at once."""
        return []

    def _learn(self, faults: Ints, seconds: float) -> None:
        """Move each channel's state by one window that stands for some seconds."""
        failed = faults >= 0
        self._failing = np.where(failed, self._failing + seconds, 0.0)
        self._fine = np.where(failed, 0.0, self._fine + seconds)
        enters = failed & (self._failing >= self.enter - 1e-9)
        self._bad = np.where(enters, faults, self._bad)
        self._bad = np.where(self._fine >= self.leave - 1e-9, -1, self._bad)

    def _faults(self, windows: Floats) -> Ints:
        """Return the number of the worst fault of each channel (channels, n), -1 for none."""
        present = np.isfinite(windows)
        count = np.maximum(present.sum(axis=1, keepdims=True), 1)
        filled = np.where(present, windows, 0.0)
        centred = np.where(present, filled - filled.sum(axis=1, keepdims=True) / count, 0.0)
        span = np.ptp(centred, axis=1)
        rms = np.sqrt(np.square(centred).mean(axis=1))
        flat, large = span < self.flat, span > self.off_scale
        alive = ~(flat | large)
        without_eyes = self._above(_EYES_HZ, centred)
        is_loud = self._is_loud(without_eyes, alive)
        noisy = alive & (is_loud | (self._above(_FAST_HZ, centred) > self.noise))
        uncorrelated, bridged = self._compared(centred, rms, alive & ~noisy)
        faults = np.full(len(span), -1, np.int64)
        for number, found in reversed(list(enumerate((flat, large, noisy, uncorrelated, bridged)))):
            faults[found] = number
        return faults

    def _above(self, frequency: float, centred: Floats) -> Floats:
        """Return the RMS of each channel from a frequency up."""
        n = centred.shape[1]
        spectrum = np.fft.rfft(centred, axis=1)[:, int(frequency * n / self._info.sfreq) :]
        rms: Floats = np.sqrt(2 * (spectrum.real**2 + spectrum.imag**2).sum(axis=1)) / n
        return rms

    def _is_loud(self, rms: Floats, alive: Bools) -> Bools:
        if np.count_nonzero(alive) < _MANY:
            return np.zeros(len(rms), np.bool_)
        level = np.log(np.maximum(rms, 1e-9))
        middle = np.median(level[alive])
        spread = max(_MAD_TO_SD * float(np.median(np.abs(level[alive] - middle))), 0.2)
        return np.asarray(level - middle > self.deviation * spread)

    def _compared(self, centred: Floats, rms: Floats, good: Bools) -> tuple[Bools, Bools]:
        """Return which channels resemble no other one, and which resemble one too much."""
        nothing = np.zeros(len(rms), np.bool_)
        at = np.flatnonzero(good)
        if len(at) < 2:
            return nothing, nothing
        products = np.einsum("in,jn->ij", centred[at], centred[at], optimize=True)
        power = np.diag(products) / centred.shape[1]
        np.fill_diagonal(products, 0.0)
        shared = products / centred.shape[1]
        highest = (np.abs(shared) / np.sqrt(np.outer(power, power))).max(axis=1)
        apart = power[:, None] + power - 2 * shared
        np.fill_diagonal(apart, np.inf)
        lonely, bridged = nothing.copy(), nothing.copy()
        is_usual = len(at) >= _MANY and np.median(highest) >= _USUAL_CORRELATION
        lonely[at] = is_usual & (highest < self.correlation)
        bridged[at] = (apart.min(axis=1) < self.bridge**2) & (rms[at] > _SAME_RMS)
        return lonely, bridged

    def _named(self) -> str:
        """Return the bad channels in a few words, the worst first."""
        bad = sorted(self.bad.items(), key=lambda pair: FAULTS.index(pair[1]))
        words = [f"{name} {fault}" for name, fault in bad[:_NAMED]]
        more = [f"{len(bad) - _NAMED} more"] if len(bad) > _NAMED else []
        return ", ".join(words + more)
