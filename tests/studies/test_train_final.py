"""The model that is kept: from whom it learns, and a pulse that stands in for an ECG."""

from __future__ import annotations

import numpy as np
import pytest

from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.models.sequences import LabelledSequence
from biosense.studies.train_final import with_pulse


def sequence(*modalities: Modality) -> LabelledSequence:
    rng = np.random.default_rng(0)
    return LabelledSequence(
        "p",
        np.arange(8) / 4,
        {modality: rng.standard_normal((8, 2)) for modality in modalities},
        {modality: rng.random(8) for modality in modalities},
        np.zeros((8, 2)),
        "7",
    )


def test_a_sequence_is_shown_with_its_heart_in_either_place_and_in_both() -> None:
    whole = sequence(Modality.ECG, Modality.EDA)
    one, two, three = with_pulse(whole)
    assert one is whole
    assert set(two.data) == {Modality.PPG, Modality.EDA}
    assert set(three.data) == {Modality.ECG, Modality.PPG, Modality.EDA}
    for shown in (two, three):
        assert shown.data[Modality.PPG] is whole.data[Modality.ECG]
        assert shown.quality[Modality.PPG] is whole.quality[Modality.ECG]
        assert shown.stimulus == "7"


@pytest.mark.parametrize("modalities", [(Modality.EDA,), (Modality.ECG, Modality.PPG)])
def test_a_pulse_of_its_own_is_not_overwritten(modalities: tuple[Modality, ...]) -> None:
    with pytest.raises(BadInput, match="without PPG"):
        with_pulse(sequence(*modalities))
