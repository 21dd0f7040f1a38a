"""Name what disturbs a window of EEG: blinks and eye movements, muscle, jumps of an electrode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Bools, Epoch, Floats, StreamInfo
from biosense.processing.eeg_montage import REGIONS, read_montage

_FAST_HZ = (20.0, 45.0)
_BLINK_S = (0.05, 0.5)
_SMOOTH_S = 0.1
_FRONTAL_OVER_POSTERIOR = 2.0
_SLOPE_S = 0.016  # behind a 45 Hz low-pass a step takes that long
_STEEP_OVER_USUAL = 10.0
_MUSCLE_SHARE = 0.1
_LOUDER = 2.0  # than the person's usual, from which on muscle shows
_LEARN, _LEARN_FLAGGED = 0.02, 0.002  # of ln(RMS) per window


@dataclass
class EegArtefacts:
    """Write into `reason` of each window of EEG in volts what disturbs it; lower its quality.

    - *jump*: a step of more than `jump` within 16 ms, 10 times steeper than the channel usually is
      in this window (an electrode that moves).
    - *blink*, *eye movement*: the channels next to the eyes (or EOG) leave their median by more
      than `blink` below about 8 Hz, twice as far as the posterior ones; for 50-500 ms, or longer.
    - *muscle*: 20-45 Hz twice as loud as is usual for the person in a tenth of the channels (a
      median that follows slowly) and above `muscle` RMS, or above three times that at once.

    Quality is multiplied by 1 minus the share of disturbed channels for a jump, half of it for
    muscle, and 0.75 for the eyes. Samples stay as they are.

    Parameters
    ----------
    blink, jump, muscle
        Amplitudes, volts.

    Examples
    --------
    >>> info = StreamInfo("band", None, ("AF7", "AF8"), 128.0, "V")
    >>> t = np.arange(256) / 128.0
    >>> lid = 1.5e-4 * np.exp(-(((t - 1.0) / 0.1) ** 2)) + 5e-6 * np.sin(60 * t)
    >>> stage = EegArtefacts()
    >>> out = stage.start(info)
    >>> stage.push(Epoch(info, 8, 0.0, 2.0, np.column_stack([lid, lid]), 1.0))[0].reason
    'blink'
    """

    blink: float = 50e-6
    jump: float = 80e-6
    muscle: float = 5e-6
    _info: StreamInfo = field(init=False, repr=False)
    _eeg: Bools = field(init=False, repr=False)
    _frontal: tuple[int, ...] = field(init=False, repr=False)
    _posterior: Bools = field(init=False, repr=False)
    _usual: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not (self.blink > 0 and self.jump > 0 and self.muscle > 0):
            raise BadInput(
                f"blink={self.blink}, jump={self.jump} and muscle={self.muscle} V must be above 0"
            )

    def start(self, info: StreamInfo) -> StreamInfo:
        """Find the channels next to the eyes by name; forget what is usual."""
        if info.unit != "V":
            raise BadInput(f"unit={info.unit!r} of {info.name!r} must be 'V': put ToSI() before")
        montage = read_montage(info.channels)
        self._info, self._eeg = info, montage.eeg
        self._frontal = montage.eyes
        self._posterior = montage.members[REGIONS.index("posterior")]
        self._usual = np.full(info.n_channels, np.nan)
        return info

    def push(self, item: Epoch) -> Sequence[Epoch]:
        """Return the window with what disturbs it."""
        if len(item.data) < 2 * _SMOOTH_S * self._info.sfreq:
            return [item]
        present = np.isfinite(item.data)
        # A channel with holes is left out: their edges look like jumps.
        live = np.asarray(present.all(axis=0))
        if not live.any():
            return [item]
        values = np.where(live, item.data - np.where(live, item.data, 0.0).mean(axis=0), 0.0).T
        jumps = self._jumps(values) & live & self._eeg
        tense = self._tense(values, live & self._eeg) & ~jumps
        eyes = "" if jumps.any() else self._eyes(values, live)
        return [self._judged(item, jumps, tense, eyes, live & self._eeg)]

    def flush(self) -> Sequence[Epoch]:
        """Return nothing: every window was answered at once."""
        return []

    def _judged(self, item: Epoch, jumps: Bools, tense: Bools, eyes: str, live: Bools) -> Epoch:
        count = max(int(np.count_nonzero(live)), 1)
        moved, tight = int(np.count_nonzero(jumps)) / count, int(np.count_nonzero(tense)) / count
        found = [
            ("jump", 1 - moved, moved > 0),
            (eyes, 0.75, bool(eyes)),
            ("muscle", 1 - 0.5 * tight, tight >= _MUSCLE_SHARE),
        ]
        reasons = [name for name, _, there in found if there]
        if not reasons:
            return item
        share = float(np.prod([factor for _, factor, there in found if there]))
        reason = "; ".join(filter(None, (", ".join(reasons), item.reason)))
        return replace(item, quality=item.quality * share, reason=reason)

    def _jumps(self, values: Floats) -> Bools:
        lag = max(1, round(_SLOPE_S * self._info.sfreq))
        slope = np.abs(values[:, lag:] - values[:, :-lag])
        steepest, usual = slope.max(axis=1), np.median(slope, axis=1)
        return np.asarray((steepest > self.jump) & (steepest > _STEEP_OVER_USUAL * usual))

    def _tense(self, values: Floats, live: Bools) -> Bools:
        """Return which channels carry muscle, and learn how loud they usually are."""
        n = values.shape[1]
        taper = np.sqrt(8 / 3) * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n))
        spectrum = np.fft.rfft(values * taper, axis=1)
        low, high = (int(edge * n / self._info.sfreq) for edge in _FAST_HZ)
        part = spectrum[:, low:high]
        rms = np.sqrt(2 * (part.real**2 + part.imag**2).sum(axis=1)) / n
        level = np.log(np.maximum(rms, 1e-9))
        self._usual = np.where(np.isnan(self._usual) & live, level, self._usual)
        tense = live & (rms > self.muscle) & (level - self._usual > np.log(_LOUDER))
        tense |= live & (rms > 3 * self.muscle)
        rate = np.where(tense, _LEARN_FLAGGED, _LEARN) * live
        self._usual = self._usual + rate * np.sign(level - self._usual)
        return np.asarray(tense)

    def _eyes(self, values: Floats, live: Bools) -> str:
        frontal = [at for at in self._frontal if live[at]]
        if not frontal:
            return ""
        slow = self._slow(values[frontal])
        slow = slow - np.median(slow, axis=1, keepdims=True)
        largest = slow[np.arange(len(slow)), np.abs(slow).argmax(axis=1)]
        lead = int(np.abs(largest).argmax())
        trace = slow[lead] * np.sign(largest[lead])
        if trace.max() < self.blink:
            return ""
        peak = int(trace.argmax())
        behind = np.flatnonzero(self._posterior & live)
        if len(behind):
            away = self._slow(values[behind])
            there = np.median(np.abs(away - np.median(away, axis=1, keepdims=True)), axis=0)
            width = max(1, round(_SMOOTH_S * self._info.sfreq))
            near = there[max(0, peak - width) : peak + width]
            if near.max() * _FRONTAL_OVER_POSTERIOR > trace[peak]:
                return ""
        lasted = _width(trace, peak) / self._info.sfreq
        return "blink" if _BLINK_S[0] <= lasted <= _BLINK_S[1] else "eye movement"

    def _slow(self, values: Floats) -> Floats:
        """Return a moving average of 0.1 s, shape (channels, n - width + 1)."""
        width = max(1, round(_SMOOTH_S * self._info.sfreq))
        sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
        mean: Floats = (sums[:, width:] - sums[:, :-width]) / width
        return mean


def _width(trace: Floats, peak: int) -> int:
    """Return for how many samples about its peak a deflection exceeds half of it."""
    below = np.flatnonzero(trace < trace[peak] / 2)
    at = int(np.searchsorted(below, peak))
    start = int(below[at - 1]) if at > 0 else -1
    stop = int(below[at]) if at < len(below) else len(trace)
    return stop - start - 1
