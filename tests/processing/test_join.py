"""When a point of the session grid is given out, and who is waited for."""

from __future__ import annotations

import numpy as np
import pytest

from biosense.core import Epoch, FusionInput, Modality, StreamInfo
from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.processing.join import Join

ECG, EDA, EEG = Modality.ECG, Modality.EDA, Modality.EEG


def epoch(k: int, quality: float = 1.0) -> Epoch:
    info = StreamInfo("features", None, ("x",), 1 / HOP)
    return Epoch(info, k, k * HOP - 1.0, k * HOP, np.array([float(k)]), quality)


def push(join: Join, *arrivals: tuple[Modality, int]) -> list[FusionInput]:
    return [fused for name, k in arrivals for fused in join.push(name, epoch(k))]


def who(fused: list[FusionInput]) -> list[tuple[int, list[Modality]]]:
    return [(point.index, sorted(point.data)) for point in fused]


def test_a_point_comes_as_soon_as_all_have_it() -> None:
    join = Join((ECG, EDA))
    assert push(join, (ECG, 8)) == []
    (point,) = join.push(EDA, epoch(8, quality=0.5))
    assert (point.index, point.time) == (8, 2.0)
    assert point.data[ECG].tolist() == [8.0]
    assert point.quality == {ECG: 1.0, EDA: 0.5}


def test_a_late_modality_is_waited_for_within_patience() -> None:
    join = Join((ECG, EDA), patience=1.0)
    assert push(join, (ECG, 8), (ECG, 9), (ECG, 10), (ECG, 11)) == []
    assert who(push(join, (EDA, 8), (EDA, 9))) == [(8, [ECG, EDA]), (9, [ECG, EDA])]


def test_a_dead_modality_is_waited_for_once_and_welcome_when_it_is_back() -> None:
    join = Join((ECG, EDA), patience=1.0)
    push(join, (EDA, 8), (ECG, 8))
    # EDA dies: point 9 waits until ECG is 4 steps of 0.25 s ahead, then nothing waits any more
    assert push(join, (ECG, 9), (ECG, 10), (ECG, 11), (ECG, 12)) == []
    assert who(push(join, (ECG, 13))) == [(k, [ECG]) for k in (9, 10, 11, 12, 13)]
    assert join.left_out == {EDA}
    assert who(push(join, (ECG, 14))) == [(14, [ECG])]
    # back with what it kept from long ago: dropped and counted, not waited for
    assert push(join, (EDA, 9), (EDA, 10)) == []
    assert join.late == {EDA: 2}
    assert join.left_out == {EDA}
    # back in the present, as always a little behind the other: waited for again
    assert push(join, (EDA, 14)) == []
    assert join.left_out == frozenset()
    assert push(join, (ECG, 15)) == []
    assert who(push(join, (EDA, 15))) == [(15, [ECG, EDA])]
    assert join.late == {EDA: 3}


def test_an_expected_modality_is_waited_for_before_its_first_epoch() -> None:
    join = Join(())
    join.expect(ECG)
    join.expect(EDA)
    assert push(join, (ECG, 8)) == []
    assert who(push(join, (EDA, 8))) == [(8, [ECG, EDA])]


def test_a_modality_that_starts_later_joins() -> None:
    join = Join((ECG,))
    assert who(push(join, (ECG, 8), (ECG, 9))) == [(8, [ECG]), (9, [ECG])]
    assert push(join, (EEG, 10)) == []
    assert who(push(join, (ECG, 10), (ECG, 11), (EEG, 11))) == [(10, [ECG, EEG]), (11, [ECG, EEG])]


def test_a_modality_that_never_comes_costs_patience_once() -> None:
    join = Join(tuple(Modality), patience=1.0)
    assert push(join, *((ECG, k) for k in (8, 9, 10, 11))) == []
    assert who(push(join, (ECG, 12))) == [(k, [ECG]) for k in (8, 9, 10, 11, 12)]
    assert who(push(join, (ECG, 13))) == [(13, [ECG])]


def test_quality_zero_means_absent_but_not_late() -> None:
    join = Join((ECG, EDA))
    push(join, (ECG, 8))
    assert who(join.push(EDA, epoch(8, quality=0.0))) == [(8, [ECG])]
    push(join, (ECG, 9))
    assert who(push(join, (EDA, 9))) == [(9, [ECG, EDA])]


def test_a_point_at_which_all_are_absent_is_skipped() -> None:
    join = Join((ECG, EDA))
    assert join.push(ECG, epoch(8, quality=0.0)) == []
    assert join.push(EDA, epoch(8, quality=0.0)) == []
    assert who(push(join, (ECG, 9), (EDA, 9))) == [(9, [ECG, EDA])]


def test_a_modality_that_skips_a_point_is_not_waited_for_there() -> None:
    join = Join((ECG, EDA))
    push(join, (ECG, 8), (EDA, 8), (ECG, 9), (ECG, 10))
    assert who(push(join, (EDA, 10))) == [(9, [ECG]), (10, [ECG, EDA])]


def test_points_come_in_order_when_one_modality_runs_ahead() -> None:
    join = Join((ECG, EDA), patience=5.0)
    assert push(join, (ECG, 12), (ECG, 13)) == []
    assert who(push(join, (EDA, 9), (EDA, 12))) == [(9, [EDA]), (12, [ECG, EDA])]


def test_points_in_a_gap_of_all_streams_do_not_exist() -> None:
    join = Join((ECG, EDA))
    fused = push(join, (ECG, 8), (EDA, 8), (ECG, 400), (EDA, 400))
    assert [point.index for point in fused] == [8, 400]


def test_flush_gives_what_is_left_in_order() -> None:
    join = Join((ECG, EDA))
    push(join, (ECG, 9), (ECG, 10), (EDA, 9), (ECG, 11))
    assert who(join.flush()) == [(10, [ECG]), (11, [ECG])]
    assert join.flush() == []


def test_equal_arrivals_give_equal_points() -> None:
    rng = np.random.default_rng(0)
    pairs = [(name, k) for k in range(8, 200) for name in (ECG, EDA, EEG)]
    arrivals = [pair for pair in pairs if rng.random() < 0.9]
    arrivals.sort(key=lambda item: item[1] + 3 * (item[0] == EDA) + 7 * (item[0] == EEG))
    runs = [push(join, *arrivals) + join.flush() for join in (Join((ECG, EDA, EEG)) for _ in "ab")]
    assert who(runs[0]) == who(runs[1])
    indices = [point.index for point in runs[0]]
    assert indices == sorted(set(indices))
    assert {len(point.data) for point in runs[0]} == {1, 2}  # EEG is always too late


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(BadInput, match="patience=-1 s"):
        Join((ECG,), patience=-1)
