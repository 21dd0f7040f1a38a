"""What several stages need to know of the same windows of EEG: worked out once and handed on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from biosense.core.types import Bools, Epoch, Floats
from biosense.processing.signal.overlapping_windows import OverlappingWindows

Complexes = NDArray[np.complex128]


@dataclass(eq=False)
class WindowSpectra:
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
    windows
        Samples as they came.
    """

    n: int
    present: Bools | None
    centred: Floats | None
    share: Floats
    span: Floats
    mean: Floats
    spectrum: Complexes
    windows: OverlappingWindows
    _tapered: Complexes | None = field(default=None, init=False, repr=False)

    def part(self, start: int, stop: int) -> WindowSpectra:
        """Return what is known of the windows start..stop-1, as views."""
        if stop - start == len(self.share):
            return self
        at = slice(start, stop)
        present = None if self.present is None else self.present[at]
        centred = None if self.centred is None else self.centred[at]
        known = self.share[at], self.span[at], self.mean[at], self.spectrum[at]
        return WindowSpectra(self.n, present, centred, *known, self.windows.part(start, stop))

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


@dataclass(frozen=True, eq=False, slots=True)
class SpectraRow:
    """Say of a window where its spectra are.

    Parameters
    ----------
    samples
        The window, (n, channels).
    spectra, row
        Those of this window and of others, and which of them is this one.
    kept
        Channels that were not replaced by NaN since, (channels,).
    """

    samples: Floats
    spectra: WindowSpectra
    row: int
    kept: Bools


def hann(n: int) -> Floats:
    """Return a periodic Hann taper.

    Parameters
    ----------
    n
        Samples.

    Returns
    -------
    Floats
        Shape (n,).
    """
    taper: Floats = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)
    return taper


def window_spectra(windows: Floats) -> WindowSpectra:
    """Return what stages need to know of windows of EEG.

    Parameters
    ----------
    windows
        Volts, shape (k, channels, n); NaN where a sample is missing.

    Returns
    -------
    WindowSpectra

    Examples
    --------
    >>> spectra = window_spectra(np.array([[[1.0, np.nan, 3.0, 2.0]]]))
    >>> spectra.mean.tolist(), spectra.share.tolist(), spectra.span.tolist()
    ([[2.0]], [[0.75]], [[2.0]])
    """
    return _spectra(OverlappingWindows(np.ascontiguousarray(windows), None, windows.shape[2]))


def _spectra(overlapping: OverlappingWindows) -> WindowSpectra:
    n, windows = overlapping.n, overlapping.cut(overlapping.values)
    span = overlapping.greatest(overlapping.values) + overlapping.greatest(-overlapping.values)
    spectrum = np.empty((*windows.shape[:2], n // 2 + 1), np.complex128)  # row by row in memory
    np.fft.rfft(windows, axis=2, out=spectrum)
    mean = spectrum[:, :, 0].real / n
    spectrum[:, :, 0] = 0.0
    spectra = WindowSpectra(n, None, None, np.ones(mean.shape), span, mean, spectrum, overlapping)
    return spectra if np.isfinite(overlapping.values).all() else _with_holes(spectra, windows)


def _with_holes(spectra: WindowSpectra, windows: Floats) -> WindowSpectra:
    """Correct what is known of windows that lack samples; whole ones keep their numbers."""
    present = np.isfinite(windows, out=np.empty(windows.shape, np.bool_))
    count = present.sum(axis=2)
    centred = np.zeros(windows.shape)  # the order of a sum depends on the layout
    np.copyto(centred, windows, where=present)
    mean = centred.sum(axis=2) / np.maximum(count, 1)
    np.subtract(centred, mean[:, :, None], out=centred, where=present)
    at = np.flatnonzero((count < spectra.n).any(axis=1))
    spectra.mean[at], spectra.span[at] = mean[at], np.ptp(centred[at], axis=2)
    spectra.spectrum[at] = np.fft.rfft(centred[at], axis=2)
    return replace(spectra, present=present, centred=centred, share=count / spectra.n)


def shared_spectra(items: Sequence[Epoch]) -> tuple[list[Epoch], WindowSpectra, Bools]:
    """Return what stages need to know of windows, from the stage before where it knows.

    Parameters
    ----------
    items
        Windows of one length.

    Returns
    -------
    windows : list of Epoch
        The same; they know their spectra.
    spectra : WindowSpectra
        Of these windows.
    kept : Bools
        Channels that no stage replaced by NaN, shape (k, channels).
    """
    rows = [row for item in items if (row := item.known(SpectraRow)) is not None]
    if len(rows) == len(items) and _follow(rows):
        spectra = rows[0].spectra.part(rows[0].row, rows[0].row + len(items))
        return [*items], spectra, np.array([row.kept for row in rows])
    spectra = _spectra(OverlappingWindows.of(items))
    kept = np.ones(spectra.share.shape, np.bool_)
    known = [
        replace(item, derived=SpectraRow(item.data, spectra, row, kept[row]))
        for row, item in enumerate(items)
    ]
    return known, spectra, kept


def _follow(rows: Sequence[SpectraRow]) -> bool:
    """Return whether the spectra of windows were computed together, in this order."""
    first = rows[0]
    return all(
        row.spectra is first.spectra and row.row == first.row + step
        for step, row in enumerate(rows)
    )


def without_channels(item: Epoch, lost: Sequence[int], quality: float, reason: str) -> Epoch:
    """Return a window with NaN in some channels, and the spectra of the others.

    Parameters
    ----------
    item
        The window.
    lost
        Positions of channels.
    quality, reason
        Of the new window.

    Returns
    -------
    Epoch
    """
    if not len(lost):
        return replace(item, quality=quality, reason=reason)
    data, row, derived = item.data.copy(), item.known(SpectraRow), None
    data[:, lost] = np.nan
    if row is not None:
        kept = row.kept.copy()
        kept[lost] = False
        derived = SpectraRow(data, row.spectra, row.row, kept)
    return replace(item, data=data, quality=quality, reason=reason, derived=derived)
