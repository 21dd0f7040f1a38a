"""What is done to a modality in the test: removed, delayed, replaced by noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.studies.candidates.corruptions import Delayed, Noise, corruptions, masks, scale_of
from tests.support.study_toys import toy_study

BOTH = (Modality.ECG, Modality.EDA)
SEQUENCE = toy_study(1, 1, 60).sequences[0]


def test_delay_shifts_and_hides_what_is_not_yet_known():
    late = Delayed(Modality.EDA).apply(SEQUENCE, {})
    original = SEQUENCE.data[Modality.EDA]
    np.testing.assert_array_equal(late.data[Modality.EDA][20:], original[:-20])
    assert np.isnan(late.data[Modality.EDA][:20]).all()
    assert (late.quality[Modality.EDA][:20] == 0).all()
    np.testing.assert_array_equal(late.data[Modality.ECG], SEQUENCE.data[Modality.ECG])
    whole = Delayed(Modality.EDA, 1e3).apply(SEQUENCE, {})
    assert np.isnan(whole.data[Modality.EDA]).all()


def test_noise_has_the_spread_of_the_training_side_and_is_the_same_again():
    many = toy_study(2, 2, 2000)
    scale = scale_of(many.sequences)
    sequence = many.sequences[0]
    one, again = (Noise(Modality.ECG).apply(sequence, scale) for _ in range(2))
    drawn = one.data[Modality.ECG]
    np.testing.assert_array_equal(drawn, again.data[Modality.ECG])
    np.testing.assert_allclose(drawn.std(0), scale[Modality.ECG][1], rtol=0.1)
    assert abs(np.corrcoef(drawn[:, 0], sequence.data[Modality.ECG][:, 0])[0, 1]) < 0.1
    other = Noise(Modality.ECG).apply(many.sequences[1], scale)
    assert not np.array_equal(other.data[Modality.ECG], drawn)


def test_scale_ignores_what_is_not_trusted():
    values = SEQUENCE.data[Modality.EDA].copy()
    values[:5] = 1e9
    trust = np.ones(60)
    trust[:5] = 0
    wild = replace(
        SEQUENCE,
        data={Modality.EDA: values},
        quality={Modality.EDA: trust},
    )
    assert np.abs(scale_of([wild])[Modality.EDA][0]).max() < 10


def test_nothing_is_written_to():
    before = {m: values.copy() for m, values in SEQUENCE.data.items()}
    scale = scale_of([SEQUENCE])
    for variant in (*corruptions(BOTH), *masks(BOTH)):
        variant.apply(SEQUENCE, scale)
    for modality, values in before.items():
        np.testing.assert_array_equal(values, SEQUENCE.data[modality])


def test_a_modality_that_is_not_there_cannot_fail():
    for variant in (Delayed(Modality.EEG), Noise(Modality.EEG)):
        assert variant.apply(SEQUENCE, {}) is SEQUENCE
    with pytest.raises(BadInput, match="wanted more than 0"):
        Delayed(Modality.EEG, 0.0)
