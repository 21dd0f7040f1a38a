"""Suppress large artefacts of many-channel EEG as they come: artefact subspace reconstruction."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from scipy import signal

from biosense.core.errors import BadInput
from biosense.core.grid import contiguous_runs, sample_index, sample_indices
from biosense.core.types import Bools, Chunk, Floats, StreamInfo
from biosense.processing.eeg.asr_calibration import Baseline, CleanWindows, shaping_filter
from biosense.processing.eeg.montage import read_montage

_LEAST_CHANNELS = 4


@dataclass
class Asr:
    """Rebuild what exceeds a clean baseline from the components that do not.

    Artefact subspace reconstruction [1]_ [2]_, for EEG in volts behind a high-pass. The covariance
    of the last `window` seconds is split into components; those that exceed what the person's clean
    baseline has in their direction by `cutoff` standard deviations are dropped, and rebuilt from
    the others by the baseline's mixing matrix.

    What differs from the published method:

    - Updates lie on the session grid (multiples of `step`), so results do not depend on chunks. A
      sample is held until the next update (`latency`). As `step` divides the hop of the epochs, no
      epoch is later for it; each update acts on the samples up to it, not on the half window
      before its own centre. `ahead` seconds of look-ahead can be bought with latency.
    - The baseline is chosen as the stream runs: the first `calibrate` seconds of windows whose
      amplitude is usual for this recording (`CleanWindows`). Before that nothing is changed; after
      that the baseline is frozen.
    - Thresholds come from median and MAD instead of a truncated generalised Gaussian, and the
      spectral weighting is a single dip at 3-13 Hz instead of a Yule-Walker filter.
    - The change of the matrix is blended in over `blend` seconds, not over the whole step.

    After a gap the covariance begins anew; the baseline stays. Channels that are dead, missing or
    no EEG are passed on as they came.

    Parameters
    ----------
    cutoff
        Standard deviations; 20 to 30 keeps brain activity [3]_.
    calibrate
        Seconds of clean data that make the baseline.
    window
        Seconds that the covariance covers, a multiple of `step`; more where that holds fewer than
        1.5 samples for each channel.
    step
        Seconds from one update to the next, on the session grid.
    ahead
        Look-ahead in seconds; a multiple of `step`.
    blend
        Seconds in which one matrix turns into the next.
    most_removed
        Largest share of components that may be dropped.

    Raises
    ------
    BadInput
        In `start`, where the stream is not in volts or has fewer than 4 EEG channels.

    References
    ----------
    .. [1] C. A. E. Kothe and T.-P. Jung, "Artifact removal techniques with signal reconstruction,"
       US patent application 2014/0364721, 2014.
    .. [2] T. R. Mullen et al., "Real-time neuroimaging and cognitive monitoring using wearable dry
       EEG," IEEE Transactions on Biomedical Engineering 62(11), 2553-2567, 2015.
    .. [3] C.-Y. Chang, S.-H. Hsu, L. Pion-Tonachini and T.-P. Jung, "Evaluation of artifact
       subspace reconstruction for automatic artifact components removal in multi-channel EEG
       recordings," IEEE Transactions on Biomedical Engineering 67(4), 1114-1121, 2020.

    Examples
    --------
    >>> info = StreamInfo("cap", None, ("F3", "F4", "P3", "P4"), 128.0, "V")
    >>> stage = Asr()
    >>> stage.start(info).channels, stage.latency
    (('F3', 'F4', 'P3', 'P4'), 0.125)
    """

    cutoff: float = 20.0
    calibrate: float = 30.0
    window: float = 0.5
    step: float = 0.125
    ahead: float = 0.0
    blend: float = 0.015625
    most_removed: float = 0.66
    _info: StreamInfo = field(init=False, repr=False)
    _eeg: Bools = field(init=False, repr=False)
    _sos: Floats = field(init=False, repr=False)
    _clean: CleanWindows = field(init=False, repr=False)
    _covered: int = field(init=False, repr=False)
    _baseline: Baseline | None = field(init=False, repr=False)
    _pending: list[Chunk] = field(init=False, repr=False)
    _expected: int | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        multiples = (self.window / self.step, self.ahead / self.step) if self.step > 0 else (0.5,)
        if not (self.cutoff > 0 and self.window > 0 and self.calibrate >= 10 * self.window):
            raise BadInput(
                f"cutoff={self.cutoff} and window={self.window} s must be above 0, calibrate="
                f"{self.calibrate} s at least 10 windows"
            )
        if any(abs(ratio - round(ratio)) > 1e-9 for ratio in multiples) or self.ahead < 0:
            raise BadInput(
                f"window={self.window} s and ahead={self.ahead} s must be multiples of step="
                f"{self.step} s, which must be above 0"
            )
        if not (0 <= self.blend <= self.step and 0 < self.most_removed < 1):
            raise BadInput(
                f"blend={self.blend} s must be within step={self.step} s, and most_removed="
                f"{self.most_removed} a share between 0 and 1"
            )

    @property
    def latency(self) -> float:
        """Seconds that a sample is held back at most."""
        return self.step + self.ahead

    @property
    def is_calibrated(self) -> bool:
        """Whether a baseline was found."""
        return self._baseline is not None

    def start(self, info: StreamInfo) -> StreamInfo:
        """Forget the baseline; find the EEG channels by name."""
        if info.unit != "V":
            raise BadInput(f"unit={info.unit!r} of {info.name!r} must be 'V': put ToSI() before")
        self._eeg = read_montage(info.channels).eeg
        if np.count_nonzero(self._eeg) < _LEAST_CHANNELS:
            raise BadInput(
                f"ASR needs at least {_LEAST_CHANNELS} EEG channels, {info.name!r} has "
                f"{np.count_nonzero(self._eeg)}: leave it out"
            )
        if not info.sfreq >= 4 / self.step:
            raise BadInput(
                f"sfreq={info.sfreq} Hz of {info.name!r} must be at least {4 / self.step} Hz: "
                "put Regularise() before, or choose a longer step"
            )
        self._info = replace(info, dtype="float64")
        self._sos = shaping_filter(info.sfreq)
        windows, blocks = round(self.calibrate / self.window), round(self.window / self.step)
        self._clean = CleanWindows(windows, blocks, self.cutoff)
        # As in clean_rawdata: a covariance of fewer samples exceeds limits by chance.
        least = 1.5 * np.count_nonzero(self._eeg) / (info.sfreq * self.step)
        self._covered = max(round(self.window / self.step), math.ceil(least))
        self._baseline = None
        self._pending, self._expected = [], None
        self._begin()
        return self._info

    def push(self, item: Chunk) -> Sequence[Chunk]:
        """Return the samples up to the last update that this chunk completed."""
        if item.n == 0:
            return []
        indices = sample_indices(item)
        updates = np.ceil((indices - 1e-6) / (self.step * self._info.sfreq)).astype(np.int64)
        done: list[Chunk] = []
        for start, stop, fresh in contiguous_runs(indices, self._expected):
            if fresh:
                done += self._end_run()
            cuts = np.flatnonzero(np.diff(updates[start:stop])) + start + 1
            for first, until in pairwise([start, *cuts.tolist(), stop]):
                self._pending.append(item.slice(first, until))
                last = sample_index(int(updates[first]) * self.step, self._info.sfreq)
                if indices[until - 1] == last:
                    done += self._update()
        self._expected = int(indices[-1]) + 1
        return self._joined(done)

    def flush(self) -> Sequence[Chunk]:
        """Return the samples that still waited for an update."""
        return self._joined(self._end_run())

    def _begin(self) -> None:
        """Forget the samples before a gap; the baseline stays."""
        self._state: Floats | None = None
        self._recent: deque[Floats] = deque(maxlen=self._covered)
        self._waiting: deque[Chunk] = deque()
        self._matrix: Floats | None = None
        self._clean.interrupt()

    def _end_run(self) -> list[Chunk]:
        """Clean what is left in front of a gap with what is known there."""
        done = self._update() if self._pending else []
        done += [self._cleaned(self._waiting.popleft()) for _ in range(len(self._waiting))]
        self._begin()
        return done

    def _update(self) -> list[Chunk]:
        """Take the samples of one step, and return those whose matrix is known now."""
        block = self._pending[0] if len(self._pending) == 1 else self._joined(self._pending)[0]
        self._pending = []
        shaped = self._shaped(block)
        self._recent.append(shaped)
        if self._baseline is None:
            self._baseline = self._clean.put(shaped, bool(block.ok.all()))
        self._waiting.append(block)
        if len(self._waiting) <= round(self.ahead / self.step):
            return []
        return [self._cleaned(self._waiting.popleft())]

    def _shaped(self, block: Chunk) -> Floats:
        """Return the EEG channels with the spectrum that thresholds are made for; holes are 0."""
        eeg = block.data[:, self._eeg]
        values = np.where(np.isfinite(eeg), eeg, 0.0)
        if self._state is None:
            self._state = np.zeros((len(self._sos), 2, values.shape[1]))
        shaped, self._state = signal.sosfilt(self._sos, values, axis=0, zi=self._state)
        return np.asarray(shaped, np.float64)

    def _cleaned(self, block: Chunk) -> Chunk:
        """Apply the present matrix to a block, blended in from the one before."""
        if self._baseline is None:
            return block
        recent = np.concatenate(self._recent)
        before, after = self._matrix, self._baseline.matrix(recent, self.most_removed)
        self._matrix = after
        if before is None and after is None:
            return block
        data = block.data.astype(np.float64)
        at = np.flatnonzero(self._eeg)[self._baseline.usable]
        values = np.where(np.isfinite(data[:, at]), data[:, at], 0.0)
        old = values if before is None else values @ before.T
        new = values if after is None else values @ after.T
        share = self._share(block.n)[:, None]
        data[:, at] = np.where(np.isfinite(data[:, at]), share * new + (1 - share) * old, np.nan)
        return replace(block, data=data)

    def _share(self, n: int) -> Floats:
        """Return the weight of the new matrix at each sample of a block: half a cosine, then 1."""
        length = max(1.0, self.blend * self._info.sfreq)
        phase = np.minimum(np.arange(1, n + 1) / length, 1.0)
        share: Floats = 0.5 - 0.5 * np.cos(np.pi * phase)
        return share

    def _joined(self, blocks: Sequence[Chunk]) -> list[Chunk]:
        if not blocks:
            return []
        return [
            Chunk(
                self._info,
                np.concatenate([block.times for block in blocks]),
                np.concatenate([block.data for block in blocks]).astype(np.float64),
                np.concatenate([block.ok for block in blocks]),
                arrived=blocks[-1].arrived,
            )
        ]
