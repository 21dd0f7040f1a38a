"""Intervals and tests over people: against SciPy, against brute force, and against known truth."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import bootstrap, false_discovery_control, norm, permutation_test

from biosense.core.affect import TARGETS
from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.models.evaluation.metrics import ccc, pearson, rmse
from biosense.studies.base import Prediction
from biosense.studies.scoring.pooled_metrics import METRICS, binary_metric
from biosense.studies.scoring.predictions import Predictions
from biosense.studies.scoring.scores import score
from biosense.studies.scoring.statistics import bootstrap_subjects, compare, holm, seed_spread
from tests.support.made_up_predictions import predictions

SAID = predictions()


def people_of(said: list[Prediction]) -> list[list[Prediction]]:
    names = sorted({one.sequence.subject for one in said})
    return [[one for one in said if one.sequence.subject == name] for name in names]


def joined(some: list[Prediction], column: int = 0) -> tuple[Floats, Floats]:
    p = np.concatenate([one.mean[:, column] for one in some])
    y = np.concatenate([one.sequence.target[:, column] for one in some])
    return p, y


@pytest.mark.parametrize("target", ["valence", "arousal"])
@pytest.mark.parametrize("per_trial", [False, True])
def test_sums_give_the_scores_that_are_printed(target: str, per_trial: bool) -> None:
    said = predictions(per_trial=per_trial)
    scores = score(Predictions.of(said).first, thresholds={"f": (0.1, 0.1)}).target(target)
    wanted = {
        "ccc": scores.sequence.ccc,
        "rmse": scores.sequence.rmse,
        "pooled_ccc": scores.pooled.ccc,
        "pooled_pearson": scores.pooled.pearson,
        "pooled_rmse": scores.pooled.rmse,
        "pooled_mae": scores.pooled.mae,
        "within_ccc": scores.within.ccc,
        "trial_ccc": scores.trial.ccc,
        "trial_within_ccc": scores.trial_within.ccc,
        "nll": scores.uncertainty.nll,
        "macro_f1": scores.binary["5"].macro_f1,
        "balanced_accuracy": scores.binary["5"].balanced_accuracy,
    }
    column = ["valence", "arousal"].index(target)
    found = {name: Predictions.of(said).sums(name, TARGETS[column]).value for name in wanted}
    assert found == pytest.approx(wanted, nan_ok=True)
    train = binary_metric("macro_f1", {"f": (0.1, 0.1)})
    assert Predictions.of(said).sums(train, TARGETS[column]).value == pytest.approx(
        scores.binary["train"].macro_f1
    )


@pytest.mark.parametrize("name", METRICS)
def test_the_same_estimates_as_the_target_are_never_worse(name: str) -> None:
    perfect = [replace(one, mean=one.sequence.target) for one in SAID]
    metric = METRICS[name]
    values = [Predictions.of(said).sums(name, "valence").value for said in (perfect, SAID)]
    assert (values[0] >= values[1]) == metric.higher


def test_constants_keep_the_conventions_in_sums() -> None:
    flat = [
        replace(
            one,
            mean=np.full_like(one.mean, 0.3),
            sequence=replace(one.sequence, target=np.full_like(one.mean, 0.3)),
        )
        for one in SAID
    ]
    assert Predictions.of(flat).sums("pooled_ccc", "valence").value == 1
    off = [replace(one, mean=np.full_like(one.mean, 0.2)) for one in flat]
    assert Predictions.of(off).sums("pooled_ccc", "valence").value == 0
    assert Predictions.of(off).sums("pooled_pearson", "valence").value == 0


def test_the_bca_interval_is_that_of_scipy_for_a_mean_over_people() -> None:
    table = Predictions.of(SAID).sums("rmse", "valence")
    values = table.sums[0, :, 0]
    reference = bootstrap(
        (values,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(1)
    ).confidence_interval
    found = bootstrap_subjects(Predictions.of(SAID), "rmse", n_resamples=20_000, seed=5)
    width = reference.high - reference.low
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(reference.low, abs=0.03 * width)
    assert found.high == pytest.approx(reference.high, abs=0.03 * width)


def test_the_bca_interval_is_that_of_scipy_for_the_pooled_ccc() -> None:
    groups = [joined(own) for own in people_of(SAID)]

    def pooled(chosen: Floats) -> float:
        pairs = [groups[int(k)] for k in chosen]
        return ccc(*(np.concatenate(part) for part in zip(*pairs, strict=True)))

    reference = bootstrap(
        (np.arange(len(groups)),),
        pooled,
        n_resamples=2000,
        vectorized=False,
        method="BCa",
        rng=np.random.default_rng(1),
    ).confidence_interval
    found = bootstrap_subjects(Predictions.of(SAID), "pooled_ccc", seed=5)
    width = reference.high - reference.low
    assert found.value == pytest.approx(ccc(*joined(SAID)))
    assert found.low == pytest.approx(reference.low, abs=0.1 * width)
    assert found.high == pytest.approx(reference.high, abs=0.1 * width)


def test_ninety_five_percent_intervals_hold_the_truth_about_as_often() -> None:
    held = 0
    for seed in range(120):
        values = np.random.default_rng(seed).normal(0.2, 0.1, 24)
        some = [
            replace(
                SAID[0],
                sequence=replace(SAID[0].sequence, subject=f"p{k}", target=np.zeros((40, 2))),
                mean=np.full((40, 2), abs(value)),
            )
            for k, value in enumerate(values)
        ]
        found = bootstrap_subjects(Predictions.of(some), "rmse", n_resamples=600, seed=seed)
        held += found.low <= _folded_mean(0.2, 0.1) <= found.high
    assert 0.90 <= held / 120 <= 0.985


def _folded_mean(mean: float, sd: float) -> float:
    """Mean of |N(mean, sd)|: an RMSE has no sign."""
    tail = mean * (1 - 2 * norm.cdf(-mean / sd))
    return float(sd * math.sqrt(2 / math.pi) * math.exp(-((mean / sd) ** 2) / 2) + tail)


def test_people_are_resampled_and_not_windows() -> None:
    few, many = predictions(n=20), predictions(n=400)
    widths = [
        i.high - i.low
        for i in (bootstrap_subjects(Predictions.of(few)), bootstrap_subjects(Predictions.of(many)))
    ]
    assert widths[1] > 0.5 * widths[0]


def test_fewer_than_three_people_have_no_interval() -> None:
    found = bootstrap_subjects(Predictions.of(predictions(people=2)))
    assert math.isfinite(found.value)
    assert math.isnan(found.low)
    assert found.n_resamples == 0


def test_a_score_over_seeds_is_their_mean_and_their_spread_is_told_apart() -> None:
    seeds = [predictions(fit=k) for k in range(5)]
    everything = [one for own in seeds for one in own]
    values = [ccc(*joined(own)) for own in seeds]
    assert bootstrap_subjects(Predictions.of(everything)).value == pytest.approx(np.mean(values))
    spread = seed_spread(Predictions.of(everything))
    assert (spread.n, spread.low, spread.high) == (5, min(values), max(values))
    assert spread.sd == pytest.approx(np.std(values, ddof=1))
    assert math.isnan(seed_spread(Predictions.of(seeds[0])).sd)


def test_seeds_that_predicted_different_sequences_are_refused() -> None:
    with pytest.raises(BadInput, match="did not all predict the same"):
        bootstrap_subjects(Predictions.of([*SAID, *predictions(fit=1)[1:]]))


def test_a_better_candidate_is_told_from_a_worse_one() -> None:
    worse = predictions(gain=0.1, noise=0.4, fit=1)
    found = compare(Predictions.of(SAID), Predictions.of(worse))
    assert found.better
    assert found.exact
    assert found.p_value == pytest.approx(2 / 2**10)
    assert not compare(Predictions.of(worse), Predictions.of(SAID)).better
    assert compare(Predictions.of(worse), Predictions.of(SAID)).difference.high == pytest.approx(
        -found.difference.low, abs=0.02
    )


def test_lower_is_better_for_errors() -> None:
    worse = predictions(gain=0.1, noise=0.4, fit=1)
    assert compare(Predictions.of(SAID), Predictions.of(worse), "pooled_rmse").better
    assert compare(Predictions.of(SAID), Predictions.of(worse), "nll").difference.value < 0


def test_a_candidate_does_not_beat_itself() -> None:
    found = compare(Predictions.of(SAID), Predictions.of(SAID))
    assert found.p_value == 1
    assert not found.better
    assert (found.difference.value, found.difference.low) == (0, 0)


def test_the_sign_flip_is_that_of_scipy_for_a_mean_over_people() -> None:
    other = predictions(gain=0.45, fit=1)
    a, b = (Predictions.of(said).sums("rmse", "valence").sums[0, :, 0] for said in (SAID, other))
    reference = permutation_test(
        (a - b,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=True
    )
    found = compare(Predictions.of(SAID), Predictions.of(other), "rmse")
    assert found.exact
    assert found.p_value == pytest.approx(reference.pvalue, abs=1e-9)


def test_chance_differences_are_called_significant_no_more_often_than_promised() -> None:
    p_values = [
        compare(
            Predictions.of(predictions(seed=k, n=10)),
            Predictions.of(predictions(seed=k, n=10, fit=1)),
            n_resamples=1024,
        ).p_value
        for k in range(50)
    ]
    assert np.mean(np.array(p_values) < 0.05) <= 0.14
    assert 0.35 < np.mean(p_values) < 0.65


def test_many_people_are_swapped_at_random() -> None:
    first, second = (predictions(people=20, fit=k, n=10) for k in range(2))
    found = compare(Predictions.of(first), Predictions.of(second))
    assert not found.exact
    assert compare(Predictions.of(first), Predictions.of(second)).p_value == found.p_value
    assert compare(Predictions.of(first), Predictions.of(second), seed=1).p_value == pytest.approx(
        found.p_value, abs=0.03
    )


def test_several_seeds_can_be_compared_with_a_control_of_one() -> None:
    several = [one for k in range(3) for one in predictions(fit=k)]
    control = [replace(one, mean=np.zeros_like(one.mean)) for one in SAID]
    found = compare(Predictions.of(several), Predictions.of(control))
    assert found.better
    assert found.difference.value == pytest.approx(seed_spread(Predictions.of(several)).mean)


def test_candidates_on_different_sequences_cannot_be_compared() -> None:
    with pytest.raises(BadInput, match="predicted different sequences: 1 have no pair"):
        compare(Predictions.of(SAID), Predictions.of(SAID[1:]))


def test_holm_is_more_careful_than_the_false_discovery_rate_and_keeps_nan() -> None:
    given = {"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005, "e": math.nan}
    found = holm(given)
    assert found == pytest.approx(
        {"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02, "e": math.nan}, nan_ok=True
    )
    known = [p for p in given.values() if math.isfinite(p)]
    adjusted = [p for p in found.values() if math.isfinite(p)]
    assert (np.array(adjusted) >= false_discovery_control(known)).all()


def test_moments_agree_with_the_plain_formulas() -> None:
    p, y = joined(SAID)
    values = [
        Predictions.of(SAID).sums(name, "valence").value
        for name in ("pooled_ccc", "pooled_pearson")
    ]
    assert values == pytest.approx([ccc(p, y), pearson(p, y)], abs=1e-12)
    assert Predictions.of(SAID).sums("pooled_rmse", "valence").value == pytest.approx(
        rmse(p, y), abs=1e-12
    )


def test_wrong_names_are_answered_with_the_right_ones() -> None:
    with pytest.raises(BadInput, match="no metric 'r2'"):
        bootstrap_subjects(Predictions.of(SAID), "r2")
    with pytest.raises(BadInput, match="target 'joy'"):
        bootstrap_subjects(Predictions.of(SAID), "ccc", "joy")
    with pytest.raises(BadInput, match="no binary metric"):
        binary_metric("kappa", 0.0)
