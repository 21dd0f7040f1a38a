"""Name what disturbs a window of EEG: blinks and eye movements, muscle, jumps of an electrode."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Bools, Epoch, Floats, Ints, StreamInfo
from biosense.processing.eeg.montage import REGIONS, read_montage
from biosense.processing.eeg.shared_spectra import WindowSpectra, shared_spectra
from biosense.processing.signal.batches import equally_long
from biosense.processing.signal.overlapping_windows import OverlappingWindows, moving_sums
from biosense.processing.signal.row_statistics import chosen_medians, row_medians

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
    _is_new: bool = field(init=False, repr=False)

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
        self._usual = np.where(self._eeg, np.nan, 0.0)
        self._is_new = True
        return info

    def push(self, item: Epoch) -> Sequence[Epoch]:
        """Return the window with what disturbs it."""
        return self.push_all([item])

    def push_all(self, items: Sequence[Epoch]) -> Sequence[Epoch]:
        """Return each window with what disturbs it; several are looked at together."""
        return [epoch for same in equally_long(items) for epoch in self._judged_together(same)]

    def flush(self) -> Sequence[Epoch]:
        """Return nothing: every window was answered at once."""
        return []

    def _judged_together(self, items: list[Epoch]) -> list[Epoch]:
        """Return windows of one length with what disturbs them."""
        if len(items[0].data) < 2 * _SMOOTH_S * self._info.sfreq:
            return items
        seen, spectra, kept = shared_spectra(items)
        # A channel with holes is left out: their edges look like jumps.
        live: Bools = kept & (spectra.share == 1)
        heard = live & self._eeg
        jumps = self._jumps(spectra, heard)
        tense = self._tense(self._loudness(spectra), heard) & ~jumps
        eyes = self._eyes(spectra, live, np.asarray(~jumps.any(axis=1)))
        count = np.maximum(np.count_nonzero(heard, axis=1), 1)
        moved = (np.count_nonzero(jumps, axis=1) / count).tolist()
        tight = (np.count_nonzero(tense, axis=1) / count).tolist()
        return [_judged(*found) for found in zip(seen, moved, eyes, tight, strict=True)]

    def _jumps(self, spectra: WindowSpectra, heard: Bools) -> Bools:
        """Return in which channels of windows, (k, channels), an electrode moved."""
        jumps = heard & (spectra.span > self.jump)  # no step is larger than what a channel spans
        channels = np.flatnonzero(jumps.any(axis=0))
        if not len(channels):
            return jumps
        lag = max(1, round(_SLOPE_S * self._info.sfreq))
        values = spectra.windows.values[..., channels, :]
        slope = values[..., lag:] - values[..., :-lag]
        np.abs(slope, out=slope)
        steepest = spectra.windows.greatest(slope)
        found = jumps[:, channels] & (steepest > self.jump)
        if found.any():
            usual = row_medians(spectra.windows.cut(slope)[found])
            found[found] = steepest[found] > _STEEP_OVER_USUAL * usual
        jumps[:, channels] = found
        return jumps

    def _loudness(self, spectra: WindowSpectra) -> Floats:
        """Return the RMS from 20 to 45 Hz of each channel, (k, channels)."""
        n = spectra.n
        low, high = (int(edge * n / self._info.sfreq) for edge in _FAST_HZ)
        part = spectra.tapered(high + 1)[:, :, low:high].view(np.float64)
        rms: Floats = np.sqrt(8 / 3) * np.sqrt(0.5 * np.vecdot(part, part)) / n
        return rms

    def _tense(self, rms: Floats, live: Bools) -> Bools:
        """Return which channels carry muscle, (k, channels), and learn how loud they usually are.

        Each window is judged by those before it.
        """
        level = np.log(np.maximum(rms, 1e-9))
        over, far = live & (rms > self.muscle), live & (rms > 3 * self.muscle)
        tense = far.copy()
        plain = (~over.any(axis=1) & (live == self._eeg).all(axis=1)).tolist()
        for row, (now, there) in enumerate(zip(level, live, strict=True)):
            if plain[row] and not self._is_new:  # nearly always
                self._usual = self._usual + _LEARN * np.sign(now - self._usual)
                continue
            if self._is_new:
                self._usual = np.where(np.isnan(self._usual) & there, now, self._usual)
                self._is_new = bool(np.isnan(self._usual).any())
            above = now - self._usual
            tense[row] |= over[row] & (above > np.log(_LOUDER))
            rate = np.where(tense[row], _LEARN_FLAGGED, _LEARN) * there
            self._usual = self._usual + rate * np.sign(above)
        return tense

    def _eyes(self, spectra: WindowSpectra, live: Bools, wanted: Bools) -> list[str]:
        """Name what the eyes did in each of the wanted windows."""
        found = [""] * len(live)
        frontal = np.array(self._frontal, np.int64)
        if not len(frontal):
            return found
        slow = spectra.windows.cut(self._slow(spectra.windows, frontal))
        slow = np.where(live[:, frontal, None], slow - row_medians(slow)[:, :, None], 0.0)
        large = np.flatnonzero(wanted & (np.abs(slow).max(axis=(1, 2)) >= self.blink))
        if not len(large):
            return found
        rows, slow = np.arange(len(large)), slow[large]
        lead, peak = np.divmod(np.abs(slow).reshape(len(slow), -1).argmax(axis=1), slow.shape[2])
        trace = slow[rows, lead] * np.sign(slow[rows, lead, peak])[:, None]
        is_eyes = self._is_frontal(trace[rows, peak], peak, large, spectra, live)
        lasted = _widths(trace, peak) / self._info.sfreq
        is_blink = (lasted >= _BLINK_S[0]) & (lasted <= _BLINK_S[1])
        names = np.where(is_eyes, np.where(is_blink, "blink", "eye movement"), "")
        for number, name in zip(large.tolist(), names.tolist(), strict=True):
            found[number] = name
        return found

    def _is_frontal(
        self, height: Floats, peak: Ints, rows: Ints, spectra: WindowSpectra, live: Bools
    ) -> Bools:
        """Return whether deflections are the eyes': twice those of the posterior channels there.

        They lie at some peaks, in some rows of the windows.
        """
        posterior = np.flatnonzero(self._posterior)
        if not len(posterior):
            return np.ones(len(rows), np.bool_)
        live = live[rows[:, None], posterior]
        # No channel leaves its median by more than it spans: most often that tells enough.
        most = chosen_medians(spectra.span[rows[:, None], posterior], live)
        found = np.asarray(height >= _FRONTAL_OVER_POSTERIOR * most)
        left = np.flatnonzero(~found)
        if len(left):
            away = spectra.windows.cut(self._slow(spectra.windows, posterior))[rows[left]]
            least = _FRONTAL_OVER_POSTERIOR * self._posterior_at(peak[left], away, live[left])
            found[left] = height[left] >= least
        return found

    def _posterior_at(self, peak: Ints, away: Floats, live: Bools) -> Floats:
        """Return how far the posterior channels leave their median about a peak; 0 without any.

        Takes the posterior channels of windows, (k, posterior, n), and which of them can be used.
        """
        width = max(1, round(_SMOOTH_S * self._info.sfreq))
        places = peak[:, None] + np.arange(-width, width)
        inside = (places >= 0) & (places < away.shape[2])
        places = np.clip(places, 0, away.shape[2] - 1)[:, None]
        near = np.take_along_axis(away, places, axis=2) - row_medians(away)[:, :, None]
        distance = np.abs(near).transpose(0, 2, 1).reshape(-1, near.shape[1])
        medians = chosen_medians(distance, np.repeat(live, near.shape[2], axis=0))
        there = np.where(inside, np.nan_to_num(medians.reshape(inside.shape)), 0.0)
        return np.asarray(there.max(axis=1))

    def _slow(self, windows: OverlappingWindows, channels: Ints) -> Floats:
        """Return a moving average of 0.1 s over all samples of some channels."""
        width = max(1, round(_SMOOTH_S * self._info.sfreq))
        return moving_sums(windows.values[..., channels, :], width) / width


def _judged(item: Epoch, moved: float, eyes: str, tight: float) -> Epoch:
    """Write into a window what disturbs it: shares of moved and of tense channels, eyes."""
    if not moved and not eyes and tight < _MUSCLE_SHARE:
        return item
    found = [
        ("jump", 1 - moved, moved > 0),
        (eyes, 0.75, bool(eyes)),
        ("muscle", 1 - 0.5 * tight, tight >= _MUSCLE_SHARE),
    ]
    share = math.prod(factor for _, factor, there in found if there)
    reasons = ", ".join(name for name, _, there in found if there)
    reason = "; ".join(filter(None, (reasons, item.reason)))
    return replace(item, quality=item.quality * share, reason=reason)


def _widths(traces: Floats, peaks: Ints) -> Ints:
    """Return for how many samples about its peak each deflection, (k, n), exceeds half of it."""
    n = traces.shape[1]
    places, peaks = np.arange(n), peaks[:, None]
    below = traces < np.take_along_axis(traces, peaks, axis=1) / 2
    start = np.where(below & (places < peaks), places, -1).max(axis=1)
    stop = np.where(below & (places >= peaks), places, n).min(axis=1)
    return np.asarray(stop - start - 1)
