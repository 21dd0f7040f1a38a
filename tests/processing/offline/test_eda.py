"""The split of whole recordings: what it gives, and what it asks for."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from biosense.core.errors import BadInput, MissingExtra
from biosense.processing.offline.eda import split_eda

EDA = 4 + 0.3 * np.sin(np.arange(60 * 32) / 32 / 10) + 0.1 * (np.arange(60 * 32) % 320 < 60)


@pytest.mark.parametrize("method", ["highpass", "smoothmedian"])
def test_tonic_and_phasic_parts_come_at_the_working_rate(method: str) -> None:
    pytest.importorskip("neurokit2")
    split = split_eda(EDA, 32.0, method=method)  # type: ignore[arg-type]
    assert split.sfreq == 8.0
    assert split.tonic.shape == split.phasic.shape == (480,)
    middle = slice(80, 400)
    np.testing.assert_allclose(split.tonic[middle].mean(), EDA.mean(), atol=0.2)


def test_the_ends_of_a_recording_keep_their_level() -> None:
    pytest.importorskip("neurokit2")
    ramp = 4 + 0.01 * np.arange(60 * 32) / 32
    tonic = split_eda(ramp, 32.0, method="smoothmedian").tonic
    np.testing.assert_allclose(tonic[[0, -1]], [4.0, 4.6], atol=0.03)


@pytest.mark.skipif(find_spec("cvxopt") is not None, reason="cvxopt is installed")
def test_cvxeda_says_what_it_needs() -> None:
    with pytest.raises(MissingExtra, match="pip install cvxopt"):
        split_eda(EDA, 32.0)


def test_what_cannot_be_split_is_refused() -> None:
    with pytest.raises(BadInput, match="20 s is needed"):
        split_eda(EDA[:100], 32.0)
    with pytest.raises(BadInput, match="flat"):
        split_eda(np.full(2000, 3.0), 32.0)
    with pytest.raises(BadInput, match="1 samples of EDA are missing"):
        split_eda(np.where(np.arange(len(EDA)) == 5, np.nan, EDA), 32.0)
    with pytest.raises(BadInput, match="must be one of"):
        split_eda(EDA, 32.0, method="magic")  # type: ignore[arg-type]
