"""Labelled sequences: validation, collection from joined inputs, the split by subject."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from biosense.core.affect import FusionInput
from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.models.sequences import LabelledSequence, feature_counts, restrict, split_subjects

MakeToy = Callable[..., list[LabelledSequence]]


def item(index: int, **values: float) -> FusionInput:
    data = {Modality(name): np.array([value, 2 * value]) for name, value in values.items()}
    return FusionInput(index, index * 0.25, data, dict.fromkeys(data, 0.7))


def test_missing_indices_and_modalities_become_absent() -> None:
    inputs = [item(8, eda=1.0), item(9, eda=2.0, ecg=5.0), item(12, ecg=6.0)]
    target = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
    sequence = LabelledSequence.from_inputs("p", inputs, target)
    assert sequence.time.tolist() == [2.0, 2.25, 2.5, 2.75, 3.0]
    assert sequence.quality[Modality.EDA].tolist() == [0.7, 0.7, 0, 0, 0]
    assert sequence.quality[Modality.ECG].tolist() == [0, 0.7, 0, 0, 0.7]
    assert sequence.data[Modality.ECG][4].tolist() == [6.0, 12.0]
    assert np.isnan(sequence.data[Modality.EDA][2:]).all()
    assert np.isnan(sequence.target[2:4]).all()
    assert sequence.target[4].tolist() == [0.5, 0.6]


def test_inputs_that_do_not_rise_or_lack_targets_are_refused() -> None:
    with pytest.raises(BadInput, match="rise"):
        LabelledSequence.from_inputs("p", [item(9, eda=1), item(9, eda=1)], np.zeros((2, 2)))
    with pytest.raises(BadInput, match="1 inputs and 2 targets"):
        LabelledSequence.from_inputs("p", [item(9, eda=1)], np.zeros((2, 2)))


def test_shapes_and_ranges_are_checked(make_toy: MakeToy) -> None:
    sequence = make_toy(1, 20)[0]
    with pytest.raises(BadInput, match=r"target of 's00' has shape \(19, 2\)"):
        replace(sequence, target=sequence.target[1:])
    with pytest.raises(BadInput, match="map ratings"):
        replace(sequence, target=sequence.target * 5)
    with pytest.raises(BadInput, match="eda of 's00'"):
        replace(sequence, data={**sequence.data, Modality.EDA: np.zeros((3, 3))})
    with pytest.raises(BadInput, match="0 steps"):
        LabelledSequence("p", np.zeros(0), {}, {}, np.zeros((0, 2)))
    with pytest.raises(BadInput, match="needs both"):
        replace(sequence, quality={})


def test_feature_counts_come_from_the_data_in_one_order(make_toy: MakeToy) -> None:
    first, second = make_toy(2, 20)
    some = replace(
        first,
        data={Modality.FACE: first.data[Modality.FACE]},
        quality={Modality.FACE: first.quality[Modality.FACE]},
    )
    assert feature_counts([some, second]) == feature_counts([second])
    assert [name for name, _ in feature_counts([second])] == ["eeg", "ecg", "eda", "rppg", "face"]
    wider = replace(second, data={**second.data, Modality.EDA: np.zeros((20, 9))})
    with pytest.raises(BadInput, match="eda has 3 features in one sequence and 9"):
        feature_counts([first, wider])
    with pytest.raises(BadInput, match="no features"):
        feature_counts([])


def test_a_subject_is_never_on_both_sides(make_toy: MakeToy) -> None:
    twice = make_toy(5, 20) + make_toy(5, 20, seed=1)
    for seed in range(5):
        fit, held = split_subjects(twice, 0.2, seed)
        assert not {s.subject for s in fit} & {s.subject for s in held}
        assert (len(fit), len(held)) == (8, 2)
    chosen = {split_subjects(twice, 0.2, seed)[1][0].subject for seed in range(20)}
    assert len(chosen) > 2
    assert split_subjects(twice, 0.2, 3)[1] == split_subjects(twice, 0.2, 3)[1]


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0])
def test_impossible_splits_are_refused(share: float, make_toy: MakeToy) -> None:
    with pytest.raises(BadInput, match="between 0 and 1"):
        split_subjects(make_toy(3, 20), share, 0)
    with pytest.raises(BadInput, match="at least 2"):
        split_subjects(make_toy(1, 20), 0.5, 0)


def test_restricting_drops_all_other_modalities(make_toy: MakeToy) -> None:
    sequences = make_toy(2, 20)
    kept = restrict(sequences, [Modality.EDA, Modality.ECG])
    assert [set(one.data) for one in kept] == [{Modality.EDA, Modality.ECG}] * 2
    assert kept[0].data[Modality.EDA] is sequences[0].data[Modality.EDA]
    with pytest.raises(BadInput, match="no sequence has features of temp"):
        restrict(sequences, [Modality.TEMP])
