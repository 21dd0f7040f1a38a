"""Name what disturbs a window of EEG: blinks and eye movements, muscle, jumps of an electrode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Bools, Epoch, Floats, StreamInfo
from biosense.processing.eeg_montage import REGIONS, read_montage
from biosense.processing.medians import row_medians
from biosense.processing.together import alike

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
        return self.push_all([item])

    def push_all(self, items: Sequence[Epoch]) -> Sequence[Epoch]:
        """Return each window with what disturbs it; several are looked at together."""
        return [epoch for same in alike(items) for epoch in self._looked_at(same)]

    def flush(self) -> Sequence[Epoch]:
        """Return nothing: every window was answered at once."""
        return []

    def _looked_at(self, items: list[Epoch]) -> list[Epoch]:
        """Return windows of one length with what disturbs them."""
        if len(items[0].data) < 2 * _SMOOTH_S * self._info.sfreq:
            return items
        windows = np.stack([item.data for item in items])
        # A channel with holes is left out: their edges look like jumps.
        finite = np.isfinite(windows)
        live: Bools = np.ones((len(items), windows.shape[2]), np.bool_)
        if not finite.all():
            live = np.asarray(finite.all(axis=1))
            windows = np.where(live[:, None], windows, 0.0)
        values = (windows - windows.mean(axis=1, keepdims=True)).transpose(0, 2, 1)
        heard = live & self._eeg
        jumps: Bools = self._jumps(np.ascontiguousarray(values)) & heard
        loud = self._loudness(values)
        eyes = self._eyes(values, live, np.asarray(~jumps.any(axis=1)))
        there = np.asarray(live.any(axis=1)).tolist()
        return [
            self._judged(item, jump, self._tense(level, one) & ~jump, seen, one) if any_ else item
            for item, jump, level, seen, one, any_ in zip(
                items, jumps, loud, eyes, heard, there, strict=True
            )
        ]

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
        """Return in which channels of windows (k, channels, n) an electrode moved."""
        lag = max(1, round(_SLOPE_S * self._info.sfreq))
        slope = np.abs(values[:, :, lag:] - values[:, :, :-lag])
        steepest = slope.max(axis=2)
        jumps = steepest > self.jump
        if jumps.any():
            jumps[jumps] = steepest[jumps] > _STEEP_OVER_USUAL * row_medians(slope[jumps])
        return np.asarray(jumps)

    def _loudness(self, values: Floats) -> Floats:
        """Return the RMS from 20 to 45 Hz of windows (k, channels, n)."""
        n = values.shape[2]
        taper = np.sqrt(8 / 3) * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n))
        spectrum = np.fft.rfft(values * taper, axis=2)
        low, high = (int(edge * n / self._info.sfreq) for edge in _FAST_HZ)
        part = spectrum[:, :, low:high]
        rms: Floats = np.sqrt(2 * (part.real**2 + part.imag**2).sum(axis=2)) / n
        return rms

    def _tense(self, rms: Floats, live: Bools) -> Bools:
        """Return which channels carry muscle, and learn how loud they usually are."""
        level = np.log(np.maximum(rms, 1e-9))
        if np.isnan(self._usual).any():
            self._usual = np.where(np.isnan(self._usual) & live, level, self._usual)
        above = level - self._usual
        tense = live & ((rms > self.muscle) & (above > np.log(_LOUDER)) | (rms > 3 * self.muscle))
        rate = np.where(tense, _LEARN_FLAGGED, _LEARN) * live
        self._usual = self._usual + rate * np.sign(above)
        return np.asarray(tense)

    def _eyes(self, values: Floats, live: Bools, wanted: Bools) -> list[str]:
        """Name what the eyes did in each of the wanted windows (k, channels, n)."""
        found = [""] * len(values)
        frontal = np.array(self._frontal, np.int64)
        if not len(frontal):
            return found
        slow = self._slow(values[:, frontal])
        slow = np.where(live[:, frontal, None], slow - row_medians(slow)[:, :, None], 0.0)
        large = wanted & (np.abs(slow).max(axis=(1, 2)) >= self.blink)
        for number in np.flatnonzero(large).tolist():
            found[number] = self._movement(slow[number], values[number], live[number])
        return found

    def _movement(self, slow: Floats, values: Floats, live: Bools) -> str:
        """Name the largest deflection of the frontal channels (frontal, n), if it is the eyes'."""
        largest = slow[np.arange(len(slow)), np.abs(slow).argmax(axis=1)]
        lead = int(np.abs(largest).argmax())
        trace = slow[lead] * np.sign(largest[lead])
        peak = int(trace.argmax())
        behind = np.flatnonzero(self._posterior & live)
        if len(behind):
            away = self._slow(values[behind])
            width = max(1, round(_SMOOTH_S * self._info.sfreq))
            near = away[:, max(0, peak - width) : peak + width]
            there = row_medians(np.abs(near - row_medians(away)[:, None]).T)
            if there.max() * _FRONTAL_OVER_POSTERIOR > trace[peak]:
                return ""
        lasted = _width(trace, peak) / self._info.sfreq
        return "blink" if _BLINK_S[0] <= lasted <= _BLINK_S[1] else "eye movement"

    def _slow(self, values: Floats) -> Floats:
        """Return a moving average of 0.1 s along the last axis, n - width + 1 long."""
        width = max(1, round(_SMOOTH_S * self._info.sfreq))
        sums = np.cumsum(values, axis=-1)
        sums = np.concatenate((np.zeros((*sums.shape[:-1], 1)), sums), axis=-1)
        mean: Floats = (sums[..., width:] - sums[..., :-width]) / width
        return mean


def _width(trace: Floats, peak: int) -> int:
    """Return for how many samples about its peak a deflection exceeds half of it."""
    below = np.flatnonzero(trace < trace[peak] / 2)
    at = int(np.searchsorted(below, peak))
    start = int(below[at - 1]) if at > 0 else -1
    stop = int(below[at]) if at < len(below) else len(trace)
    return stop - start - 1
