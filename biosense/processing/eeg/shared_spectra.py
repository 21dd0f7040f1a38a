"""What several stages need to know of the same windows of EEG: worked out once and handed on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from biosense.core.types import Bools, Epoch, Floats
from biosense.processing.signal.overlapping_windows import Stretch

Complexes = NDArray[np.complex128]


@dataclass(eq=False)
class Looks:
    """Hold what is known of k windows of one length, each channel in a row of its own.

    Parameters
    ----------
    n
        Samples of a window.
    present, centred
        Where samples are missing: those that are there, and samples less the mean of their channel,
        0 for missing ones, (k, channels, n) each. None where none is missing, as nearly always.
    share
        Share of the samples of a channel that are there, (k, channels).
    span
        Peak-to-peak amplitude, (k, channels).
    mean
        Mean of the samples that are there, (k, channels).
    spectrum
        Fourier transform of the samples less their mean, (k, channels, bins).
    stretch
        Samples as they came.
    """

    n: int
    present: Bools | None
    centred: Floats | None
    share: Floats
    span: Floats
    mean: Floats
    spectrum: Complexes
    stretch: Stretch
    _tapered: Complexes | None = field(default=None, init=False, repr=False)

    def part(self, start: int, stop: int) -> Looks:
        """Return what is known of the windows start..stop-1, as views."""
        if stop - start == len(self.share):
            return self
        at = slice(start, stop)
        present = None if self.present is None else self.present[at]
        centred = None if self.centred is None else self.centred[at]
        known = self.share[at], self.span[at], self.mean[at], self.spectrum[at]
        return Looks(self.n, present, centred, *known, self.stretch.part(start, stop))

    def tapered(self, stop: int) -> Complexes:
        """Return twice the first `stop` bins of the spectrum under a periodic Hann taper.

        A Hann taper is a convolution of the spectrum with -1/4, 1/2, -1/4: no second transform.
        """
        if self._tapered is None:
            self._tapered = self._convolved()
        return self._tapered[:, :, :stop]

    def _convolved(self) -> Complexes:
        n, bins = self.n, self.spectrum.shape[2]
        if n < 4:  # its transform has too few bins
            return np.fft.rfft(np.fft.irfft(self.spectrum, n, axis=2) * (2 * hann(n)), axis=2)
        # Real and imaginary parts in one row, as real numbers of all channels: a fraction of the
        # work, and what goes across two channels is put right below.
        numbers = self.spectrum.view(np.float64)
        tapered = np.empty_like(numbers)
        known, rest = numbers.reshape(-1), tapered.reshape(-1)[2:-2]
        np.add(known[:-4], known[4:], out=rest)
        rest *= -0.5
        rest += known[2:-2]
        tapered[:, :, 0], tapered[:, :, 1] = -numbers[:, :, 2], 0.0
        # A spectrum goes on symmetrically.
        beside = self.spectrum[:, :, -2] + self.spectrum[:, :, n - bins].conj()
        complexes = tapered.view(np.complex128)
        complexes[:, :, -1] = self.spectrum[:, :, -1] - 0.5 * beside
        return complexes


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Looked(Epoch):
    """Hold a window with what is known of it.

    Parameters
    ----------
    looks, row
        What is known of this window and of those it was looked at with, and which of them it is.
    kept
        Channels that were not replaced by NaN since, (channels,).
    seen
        The data that this holds for: what carries others is looked at again.
    """

    looks: Looks
    row: int
    kept: Bools
    seen: Floats

    def emptied(self, lost: Sequence[int], quality: float, reason: str) -> Looked:
        """Return the window with NaN in some channels."""
        data, kept = self.data, self.kept
        if len(lost):
            data, kept = data.copy(), kept.copy()
            data[:, lost], kept[lost] = np.nan, False
        return self.said(quality, reason, data=data, kept=kept)

    def said(
        self, quality: float, reason: str, data: Floats | None = None, kept: Bools | None = None
    ) -> Looked:
        """Return the window with another quality and reason."""
        data, kept = self.data if data is None else data, self.kept if kept is None else kept
        where = (self.info, self.index, self.start, self.stop)
        known = (*where, data, quality, reason)
        return Looked(*known, looks=self.looks, row=self.row, kept=kept, seen=data)


def hann(n: int) -> Floats:
    """Return a periodic Hann taper, shape (n,)."""
    taper: Floats = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)
    return taper


def look(windows: Floats) -> Looks:
    """Look at windows of EEG, shape (k, channels, n), NaN where a sample is missing.

    >>> looks = look(np.array([[[1.0, np.nan, 3.0, 2.0]]]))
    >>> looks.mean.tolist(), looks.share.tolist(), looks.span.tolist()
    ([[2.0]], [[0.75]], [[2.0]])
    """
    return _look(Stretch(np.ascontiguousarray(windows), None, windows.shape[2]))


def _look(stretch: Stretch) -> Looks:
    n, windows = stretch.n, stretch.windows(stretch.values)
    span = stretch.greatest(stretch.values) + stretch.greatest(-stretch.values)
    spectrum = np.empty((*windows.shape[:2], n // 2 + 1), np.complex128)  # row by row in memory
    np.fft.rfft(windows, axis=2, out=spectrum)
    mean = spectrum[:, :, 0].real / n
    spectrum[:, :, 0] = 0.0
    looks = Looks(n, None, None, np.ones(mean.shape), span, mean, spectrum, stretch)
    return looks if np.isfinite(stretch.values).all() else _with_holes(looks, windows)


def _with_holes(looks: Looks, windows: Floats) -> Looks:
    """Correct what is known of windows that lack samples; whole ones keep their numbers."""
    present = np.isfinite(windows, out=np.empty(windows.shape, np.bool_))
    count = present.sum(axis=2)
    centred = np.zeros(windows.shape)  # the order of a sum depends on the layout
    np.copyto(centred, windows, where=present)
    mean = centred.sum(axis=2) / np.maximum(count, 1)
    np.subtract(centred, mean[:, :, None], out=centred, where=present)
    at = np.flatnonzero((count < looks.n).any(axis=1))
    looks.mean[at], looks.span[at] = mean[at], np.ptp(centred[at], axis=2)
    looks.spectrum[at] = np.fft.rfft(centred[at], axis=2)
    return replace(looks, present=present, centred=centred, share=count / looks.n)


def looked_at(items: Sequence[Epoch]) -> tuple[list[Looked], Looks, Bools]:
    """Return windows of one length with what is known of them, and the channels that are kept.

    What an earlier stage found out is used again; the channels are (k, channels).
    """
    known = [item for item in items if isinstance(item, Looked) and item.data is item.seen]
    first = known[0] if known else None
    if first is not None and _follow(known, items):
        looks = first.looks.part(first.row, first.row + len(items))
        return known, looks, np.array([item.kept for item in known])
    looks = _look(Stretch.of(items))
    every = np.ones(looks.share.shape, np.bool_)
    return [_with(item, looks, row, every[row]) for row, item in enumerate(items)], looks, every


def _with(item: Epoch, looks: Looks, row: int, kept: Bools) -> Looked:
    """Return a window with what is known of it."""
    where = (item.info, item.index, item.start, item.stop, item.data)
    known = (*where, item.quality, item.reason)
    return Looked(*known, looks=looks, row=row, kept=kept, seen=item.data)


def _follow(known: Sequence[Looked], items: Sequence[Epoch]) -> bool:
    """Return whether windows were looked at together, in this order."""
    looks, row = known[0].looks, known[0].row
    return len(known) == len(items) and all(
        item.looks is looks and item.row == row + step for step, item in enumerate(known)
    )
