"""Splits: what is apart stays apart, and what is not is refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from biosense.core.errors import BadInput, LeakFound
from biosense.core.types import Modality
from biosense.models.sequences import LabelledSequence
from biosense.studies.base import Fold, StudyData
from biosense.studies.scoring.series import key_of
from biosense.studies.splits.disjoint import near_duplicates
from biosense.studies.splits.later import part_of
from biosense.studies.splits.protocols import PROTOCOLS, check_disjoint, folds
from biosense.testing.labelled_data import followed_labels, trial_offset_noise
from tests.support.planted_leaks import random_windows, second_name

DATA = trial_offset_noise(8, 6, seed=1)
APART = ("subject", "stimulus", "subject-stimulus")


def people(side: tuple[LabelledSequence, ...]) -> set[str]:
    return {sequence.subject for sequence in side}


def stimuli(side: tuple[LabelledSequence, ...]) -> set[str]:
    return {sequence.stimuli for sequence in side}


def sides(fold: Fold) -> tuple[tuple[LabelledSequence, ...], ...]:
    return fold.train, fold.validation, fold.test


@pytest.mark.parametrize("protocol", APART)
def test_each_sequence_is_tested_exactly_once(protocol: str) -> None:
    tested = Counter(key_of(s) for fold in folds(DATA, protocol) for s in fold.test)
    assert tested == Counter(key_of(s) for s in DATA.sequences)


def test_subjects_are_apart_on_all_three_sides() -> None:
    for fold in folds(DATA, "subject"):
        train, held, test = map(people, sides(fold))
        assert not train & held
        assert not (train | held) & test
        assert len(train) + len(held) + len(test) == 8


def test_stimuli_are_apart_on_all_three_sides_and_people_are_not() -> None:
    for fold in folds(DATA, "stimulus"):
        train, held, test = map(stimuli, sides(fold))
        assert not train & held
        assert not (train | held) & test
        assert people(fold.train) == people(fold.test)


def test_subject_and_stimulus_are_both_unseen_and_the_rest_is_unused() -> None:
    made = folds(DATA, "subject-stimulus", n_folds=3)
    assert len(made) == 9
    for fold in made:
        for key in (people, stimuli):
            train, held, test = map(key, sides(fold))
            assert not (train | held) & test
        assert not people(fold.train) & people(fold.validation)
        assert stimuli(fold.train) == stimuli(fold.validation)
        assert sum(map(len, sides(fold))) < len(DATA.sequences)


@pytest.mark.parametrize("side", ["train", "validation"])
def test_a_stimulus_of_the_test_on_another_side_is_refused(side: str) -> None:
    fold = folds(DATA, "subject-stimulus", n_folds=3)[0]
    own = getattr(fold, side)
    same = next(
        s
        for s in DATA.sequences
        if key_of(s)[0] == own[0].subject and s.stimuli in stimuli(fold.test)
    )
    with pytest.raises(LeakFound, match="stimuli are on"):
        check_disjoint(replace(fold, **{side: (*own, same)}), "subject-stimulus")


def test_stimuli_of_one_group_stay_together() -> None:
    grouped = [replace(s, group=f"g{int(s.stimulus[4:]) // 2}") for s in DATA.sequences]
    for fold in folds(replace(DATA, sequences=tuple(grouped)), "stimulus"):
        assert not {s.group for s in fold.train} & {s.group for s in fold.test}


def test_people_recorded_together_stay_together() -> None:
    pairs = {name: f"pair{k // 2}" for k, name in enumerate(DATA.subjects)}
    for fold in folds(replace(DATA, subject_groups=pairs), "subject", n_folds=3):
        train, held, test = ({pairs[name] for name in people(side)} for side in sides(fold))
        assert not train & held
        assert not (train | held) & test


def test_stated_folds_are_used_as_they_are() -> None:
    stated = {name: k % 4 for k, name in enumerate(DATA.subjects)}
    made = folds(replace(DATA, stated_folds=stated), "subject", n_folds=2)
    found = [{stated[name] for name in people(fold.test)} for fold in made]
    assert found == [{0}, {1}, {2}, {3}]


def test_stated_folds_that_tear_a_group_apart_are_refused() -> None:
    stated = {name: k % 4 for k, name in enumerate(DATA.subjects)}
    torn = replace(DATA, stated_folds=stated, subject_groups=dict.fromkeys(DATA.subjects[:2], "a"))
    with pytest.raises(BadInput, match="tear these groups apart"):
        folds(torn, "subject")


def test_stated_folds_must_name_everybody() -> None:
    with pytest.raises(BadInput, match="lack the subjects"):
        folds(replace(DATA, stated_folds={"p01": 0}), "subject")


def test_more_folds_than_people_leave_one_out() -> None:
    made = folds(DATA, "subject", n_folds=100)
    assert [len(people(fold.test)) for fold in made] == [1] * 8


def test_equal_seeds_give_equal_folds_and_others_do_not() -> None:
    def tested(seed: int) -> list[set[str]]:
        return [people(fold.test) for fold in folds(DATA, "subject", seed=seed)]

    assert tested(3) == tested(3)
    assert tested(3) != tested(4)


def test_later_trials_are_tested_after_a_gap() -> None:
    (fold,) = folds(DATA, "time", gap_s=25.0)
    for name in DATA.subjects:
        train, held, test = ([s for s in side if s.subject == name] for side in sides(fold))
        assert train[-1].time[-1] + 25 < held[0].time[0]
        assert held[-1].time[-1] + 25 < test[0].time[0]


def test_a_long_sequence_is_cut_within_with_a_gap() -> None:
    long = followed_labels(2, 1, n_steps=2400)
    (fold,) = folds(long, "time", gap_s=60.0)
    for train, held, test in zip(*sides(fold), strict=True):
        assert held.time[0] - train.time[-1] > 60
        assert test.time[0] - held.time[-1] > 60
        assert test.time[-1] == long.sequences[0].time[-1]
        assert test.n == 480


def test_a_rated_trial_is_never_cut() -> None:
    with pytest.raises(BadInput, match="cannot be cut"):
        folds(trial_offset_noise(3, 2, n_steps=2400), "time")


def test_a_session_too_short_for_the_gap_says_what_is_needed() -> None:
    with pytest.raises(BadInput, match=r"need about \d+ s"):
        folds(followed_labels(2, 1, n_steps=400), "time")
    with pytest.raises(BadInput, match="shorten the gap or record more"):
        folds(trial_offset_noise(3, 4), "time", gap_s=1e4)


def test_trials_whose_times_do_not_rise_cannot_be_split_by_time() -> None:
    same = [replace(s, time=s.time - s.time[0]) for s in DATA.sequences]
    with pytest.raises(BadInput, match="rise from trial to trial"):
        folds(replace(DATA, sequences=tuple(same)), "time")


@pytest.mark.parametrize(
    ("protocol", "data", "said"),
    [
        ("subject", trial_offset_noise(2, 4), "at least 3 of them"),
        ("stimulus", trial_offset_noise(4, 2), "at least 3 of them"),
        ("subject-stimulus", trial_offset_noise(4, 2), "holding out stimuli needs at least 3"),
    ],
)
def test_too_little_data_says_what_is_needed(protocol: str, data: StudyData, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        folds(data, protocol)


def test_stimuli_without_a_name_cannot_be_held_out() -> None:
    nameless = tuple(replace(s, stimulus="") for s in DATA.sequences)
    with pytest.raises(BadInput, match="name no stimulus"):
        folds(replace(DATA, sequences=nameless), "stimulus")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_random_windows_are_refused(protocol: str) -> None:
    with pytest.raises(LeakFound):
        check_disjoint(random_windows(DATA)[0], protocol)


@pytest.mark.parametrize("protocol", APART)
def test_a_test_sequence_smuggled_into_training_is_refused(protocol: str) -> None:
    fold = folds(DATA, protocol)[0]
    with pytest.raises(LeakFound):
        check_disjoint(replace(fold, train=(*fold.train, fold.test[0])), protocol)


def test_a_side_without_anything_is_refused() -> None:
    fold = folds(DATA, "subject")[0]
    with pytest.raises(BadInput, match="nothing on its validation side"):
        check_disjoint(replace(fold, validation=()), "subject")


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.1])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_person_under_two_names_is_caught(protocol: str, noise: float) -> None:
    with pytest.raises(LeakFound, match="twin of p01"):
        folds(second_name(DATA, noise=noise), protocol, gap_s=5.0)


def test_looking_for_duplicates_can_be_left_to_an_earlier_split() -> None:
    assert folds(second_name(DATA), "subject", known_distinct=True)


@pytest.mark.parametrize("gain", [1e6, -1e-6])
def test_a_copy_with_another_unit_sign_and_offset_is_caught(gain: float) -> None:
    other = [
        replace(s, subject="x", data={m: gain * x + 3 for m, x in s.data.items()})
        for s in DATA.sequences[:6]
    ]
    assert len(near_duplicates([*DATA.sequences, *other])) == 6


def test_a_copied_piece_is_caught_where_it_was_moved_to() -> None:
    piece = replace(part_of(DATA.sequences[0], 10, 25), subject="x")
    (found,) = near_duplicates([*DATA.sequences, piece])
    assert found.likeness == 1


def test_people_with_one_stimulus_and_flat_signals_are_no_duplicates() -> None:
    time = np.arange(200) * 0.25
    rng = np.random.default_rng(0)
    slow = 5 + 0.01 * time  # the same drift in everybody
    made = [
        LabelledSequence(
            f"p{k}",
            time,
            {
                Modality.EDA: (slow + 0.02 * rng.normal(size=200))[:, None],
                Modality.TEMP: np.full((200, 1), 32.0),
            },
            {Modality.EDA: np.ones(200), Modality.TEMP: np.ones(200)},
            np.zeros((200, 2)),
        )
        for k in range(12)
    ]
    assert near_duplicates(made) == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"n_folds": 1}, "n_folds=1"),
        ({"validation": 1.0}, "validation=1.0"),
        ({"gap_s": -1.0}, "gap_s=-1.0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        folds(DATA, "subject", **settings)  # type: ignore[arg-type]
