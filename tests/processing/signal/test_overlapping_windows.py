"""Windows that overlap have the same numbers as alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from biosense.core.types import Chunk, Epoch, StreamInfo
from biosense.processing.eeg.shared_spectra import shared_spectra
from biosense.processing.signal.overlapping_windows import (
    OverlappingWindows,
    WindowSource,
    moving_sums,
)
from biosense.processing.signal.window import Window


def windows(sfreq: float, missing: slice = slice(0)) -> list[Epoch]:
    stage, rng = Window(1.0, min_ok=0.0), np.random.default_rng(3)
    info = stage.start(StreamInfo("cap", None, ("a", "b", "c"), sfreq))
    n = round(4 * sfreq)
    data = rng.standard_normal((n, 3))
    data[missing, 1] = np.nan
    return [*stage.push(Chunk.of(info, np.arange(n) / sfreq, data))][4:]


@pytest.mark.parametrize("sfreq", [128.0, 125.0])  # of the latter, steps differ in length
def test_overlapping_windows_are_those_that_were_cut(sfreq):
    epochs = windows(sfreq)
    together = OverlappingWindows.of(epochs)
    assert together.begins is not None
    expected = np.array([epoch.data.T for epoch in epochs])
    np.testing.assert_array_equal(together.cut(together.values), expected)
    np.testing.assert_array_equal(together.greatest(together.values), expected.max(axis=2))
    part = together.part(2, 3)
    np.testing.assert_array_equal(part.cut(part.values), expected[2:3])


@pytest.mark.parametrize("sfreq", [128.0, 125.0])
def test_what_is_computed_of_all_samples_is_what_is_computed_of_a_window(sfreq):
    epochs = windows(sfreq)
    together, apart = (
        OverlappingWindows.of(epochs),
        [OverlappingWindows.of([epoch]) for epoch in epochs],
    )
    for width in (1, 2, 13, 16):
        found = together.cut(moving_sums(together.values, width))
        alone = [moving_sums(one.values, width)[0] for one in apart]
        np.testing.assert_array_equal(found, alone)
        np.testing.assert_allclose(found[:, :, 0], [e.data[:width].sum(axis=0) for e in epochs])
    steps = np.diff(together.values, axis=1)
    alone = [np.diff(one.values, axis=2).max(axis=2)[0] for one in apart]
    np.testing.assert_array_equal(together.greatest(steps), alone)


@pytest.mark.parametrize("sfreq", [128.0, 125.0])
@pytest.mark.parametrize("missing", [slice(0), slice(250, 260)])
def test_what_is_looked_at_together_is_what_is_seen_alone(sfreq, missing):
    epochs = windows(sfreq, missing)
    _, together, _ = shared_spectra(epochs)
    products = together.windows.products(slice(None))
    for row, epoch in enumerate(epochs):
        _, alone, _ = shared_spectra([epoch])
        for name in ("mean", "span", "share", "spectrum"):
            np.testing.assert_array_equal(getattr(together, name)[row], getattr(alone, name)[0])
        data = np.nan_to_num(epoch.data - np.nanmean(epoch.data, axis=0))
        np.testing.assert_allclose(together.spectrum[row], np.fft.rfft(data.T), atol=1e-12)
        np.testing.assert_allclose(together.span[row], np.ptp(data, axis=0), atol=1e-12)
        if np.isfinite(epoch.data).all():
            np.testing.assert_array_equal(products[row], alone.windows.products(slice(None))[0])
            np.testing.assert_allclose(products[row], epoch.data.T @ epoch.data, atol=1e-12)


def test_windows_with_other_data_are_not_taken_for_what_they_were_cut_from():
    epochs = windows(128.0)
    changed = replace(epochs[1], data=-epochs[1].data)
    assert isinstance(epochs[1].known(WindowSource), WindowSource)
    assert changed.known(WindowSource) is None
    together = OverlappingWindows.of([epochs[0], changed])
    assert together.begins is None
    np.testing.assert_array_equal(together.values[1], -epochs[1].data.T)
