"""How regions of the head hang together: coherence, its imaginary part, phase locking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from biosense.core.errors import BadInput
from biosense.core.types import Bools, Epoch, Floats, StreamInfo
from biosense.processing.eeg.band_powers import BANDS
from biosense.processing.eeg.montage import REGIONS, Montage, read_montage
from biosense.processing.eeg.shared_spectra import hann

Measure = Literal["coherence", "imaginary", "plv"]
"""Magnitude-squared coherence, absolute imaginary part of coherency, phase-locking value."""

_PARTS = tuple(f"{side}_{region}" for region in REGIONS[1:] for side in ("left", "right"))
_PAIRS = tuple(combinations(range(len(_PARTS)), 2))
CONNECTIONS = tuple(f"{_PARTS[a]}-{_PARTS[b]}_{band}" for a, b in _PAIRS for band in BANDS)
"""Features of `Connectivity`: pairs of half regions, each in the bands of `BANDS`."""

_LEAST_PIECES = 5


@dataclass
class Connectivity:
    """Measure how the mean signals of two regions hang together, in windows of EEG in volts.

    Each region's left and right half is averaged over its channels; channels with missing samples
    are left out. Spectra of half-overlapping Hann pieces of `piece` seconds are averaged over the
    window. "coherence" is |Sxy|^2 / (Sxx Syy); "imaginary" is |Im Sxy| / sqrt(Sxx Syy), blind to
    what reaches both regions at once [1]_; "plv" is the mean direction of the phase difference over
    the pieces [2]_. Each is averaged over the bins of a band.

    All three are biased upwards by few pieces (coherence of independent noise is about 1 / pieces,
    more for overlapping ones), so a window of 8 s or more is wanted, and values compare only for
    equal windows. A common reference makes coherence and phase locking of itself: prefer
    "imaginary" then.

    Parameters
    ----------
    measure
        "coherence", "imaginary" or "plv".
    piece
        Seconds.

    References
    ----------
    .. [1] G. Nolte, O. Bai, L. Wheaton, Z. Mari, S. Vorbach and M. Hallett, "Identifying true brain
       interaction from EEG data using the imaginary part of coherency," Clinical Neurophysiology
       115(10), 2292-2307, 2004.
    .. [2] J.-P. Lachaux, E. Rodriguez, J. Martinerie and F. J. Varela, "Measuring phase synchrony
       in brain signals," Human Brain Mapping 8(4), 194-208, 1999.

    Examples
    --------
    >>> info = StreamInfo("cap", None, ("F3", "F4"), 128.0, "V")
    >>> wave = 1e-5 * np.random.default_rng(0).standard_normal(1024)
    >>> stage = Connectivity("coherence")
    >>> out = stage.start(info)
    >>> epoch = Epoch(info, 32, 0.0, 8.0, np.column_stack([wave, wave]), 1.0)
    >>> at = CONNECTIONS.index("left_frontal-right_frontal_alpha")
    >>> round(float(stage.push(epoch)[0].data[at]), 6)
    1.0
    """

    measure: Measure = "imaginary"
    piece: float = 1.0
    _info: StreamInfo = field(init=False, repr=False)
    _members: Bools = field(init=False, repr=False)
    _sfreq: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.measure not in get_args(Measure) or not self.piece > 0:
            raise BadInput(
                f"measure={self.measure!r} must be one of {get_args(Measure)} and piece="
                f"{self.piece} s above 0"
            )

    def start(self, info: StreamInfo) -> StreamInfo:
        """Find the halves of the regions by channel names; the input must be in volts."""
        if info.unit != "V":
            raise BadInput(f"unit={info.unit!r} of {info.name!r} must be 'V': put ToSI() before")
        if info.sfreq < 2 * BANDS["gamma"][1]:
            raise BadInput(
                f"sfreq={info.sfreq} Hz of {info.name!r} must be at least "
                f"{2 * BANDS['gamma'][1]} Hz to hold the gamma band"
            )
        self._members = _halves(read_montage(info.channels), info.n_channels)
        self._sfreq = info.sfreq
        self._info = replace(info, channels=CONNECTIONS, unit="", dtype="float64")
        return self._info

    def push(self, item: Epoch) -> Sequence[Epoch]:
        """Return the connections of a window; NaN where a region has no channel."""
        size = round(self.piece * self._sfreq)
        pieces = 0 if size < 2 else (len(item.data) - size) // (size // 2) + 1
        if pieces < _LEAST_PIECES:
            raise BadInput(
                f"a window of {len(item.data)} samples holds {max(pieces, 0)} half-overlapping "
                f"pieces of {size}, at least {_LEAST_PIECES} are needed: lengthen Window(..)"
            )
        signals, known = self._signals(item.data)
        data = self._bands(self._connections(_spectra(signals, size, pieces)), size)
        pairs = np.array(_PAIRS)
        both = known[pairs[:, 0]] & known[pairs[:, 1]]
        data = np.where(both[:, None], data, np.nan).ravel()
        quality = item.quality if both.any() else 0.0
        where = (self._info, item.index, item.start, item.stop)
        return [Epoch(*where, data, quality, item.reason)]

    def flush(self) -> Sequence[Epoch]:
        """Return nothing: every window was answered at once."""
        return []

    def _signals(self, data: Floats) -> tuple[Floats, Bools]:
        """Return the mean signal of each half region, (halves, n), and whether it has one."""
        complete = np.isfinite(data).all(axis=0)
        chosen = self._members & complete
        count = chosen.sum(axis=1)
        values = np.where(complete, data, 0.0).T
        signals = (chosen[:, :, None] * values).sum(axis=1) / np.maximum(count, 1)[:, None]
        return signals, np.asarray((count > 0) & (np.ptp(signals, axis=1) > 0))

    def _connections(self, spectra: NDArray[np.complex128]) -> Floats:
        """Return the measure of each pair at each frequency, shape (pairs, bins)."""
        a, b = np.array(_PAIRS).T
        if self.measure == "plv":
            size = np.abs(spectra)
            spectra = spectra / np.where(size > 0, size, 1.0)
            return np.asarray(np.abs((spectra[:, a] * spectra[:, b].conj()).mean(axis=0)))
        cross = (spectra[:, a] * spectra[:, b].conj()).mean(axis=0)
        power = np.square(np.abs(spectra)).mean(axis=0)
        product = power[a] * power[b]
        product = np.where(product > 0, product, 1.0)
        if self.measure == "coherence":
            return np.asarray(np.square(np.abs(cross)) / product)
        return np.asarray(np.abs(cross.imag) / np.sqrt(product))

    def _bands(self, values: Floats, size: int) -> Floats:
        """Average over the bins of each band, shape (pairs, bands)."""
        edges = np.ceil(np.array(list(BANDS.values())) * size / self._sfreq - 1e-9).astype(int)
        return np.stack([values[:, low:high].mean(axis=1) for low, high in edges.tolist()], axis=1)


def _spectra(signals: Floats, size: int, pieces: int) -> NDArray[np.complex128]:
    """Return the spectra of half-overlapping pieces, shape (pieces, signals, bins)."""
    starts = np.arange(pieces) * (size // 2)
    cut = signals[:, starts[:, None] + np.arange(size)].transpose(1, 0, 2)
    return np.fft.rfft((cut - cut.mean(axis=2, keepdims=True)) * hann(size), axis=2)


def _halves(montage: Montage, channels: int) -> Bools:
    """Return the members of each half region, shape (halves, channels): those with a partner."""
    sides = []
    for positions in (montage.left, montage.right):
        side = np.zeros(channels, np.bool_)
        side[list(positions)] = True
        sides.append(side)
    return np.array([region & side for region in montage.members[1:] for side in sides], bool)
