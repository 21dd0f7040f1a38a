"""Features in the context of a person: views, summaries, passages; the past only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from biosense.core.errors import BadInput
from biosense.core.types import Epoch, Floats, Modality, StreamInfo
from biosense.processing.conditioning import (
    CONDITIONINGS,
    conditioned_fingerprints,
    conditioned_schema,
)
from biosense.processing.context import SUMMARIES, VIEWS, PersonContext
from biosense.processing.pipelines import fingerprints, schema

INFO = StreamInfo("heart", Modality.ECG, ("rate", "phasic"), 4.0)
RNG = np.random.default_rng(0)


def epochs(values: Floats, first: int = 0, quality: float = 1.0) -> list[Epoch]:
    return [
        Epoch(INFO, first + k, (first + k) / 4 - 1, (first + k) / 4, row, quality)
        for k, row in enumerate(values)
    ]


def walk(n: int) -> Floats:
    rates = 70 + np.cumsum(RNG.standard_normal(n))
    return np.column_stack([rates, RNG.exponential(0.2, n)])


def column(given: Sequence[Epoch], name: str) -> Floats:
    return np.array([epoch.data[given[0].info.channels.index(name)] for epoch in given])


def from_start(values: Floats) -> Floats:
    """Return values less the mean of those of the first ten seconds that were known by then."""
    begun = [values[: min(k + 1, 40)].mean() for k in range(len(values))]
    return values - np.array(begun)


def test_start_is_the_difference_from_the_first_ten_seconds() -> None:
    values = walk(200)
    stage = PersonContext()
    stage.start(INFO)
    given = stage.push_all(epochs(values))
    begun = values[:40, 0].mean()
    assert column(given, "rate.start.3")[-1] == pytest.approx(values[-12:, 0].mean() - begun)
    assert column(given, "rate.start.slope")[-1] == pytest.approx(
        values[-12:, 0].mean() - values[-60:, 0].mean()
    )
    assert column(given, "rate.start.max_15")[-1] == pytest.approx(values[-60:, 0].max() - begun)


def test_a_pause_begins_a_new_passage_and_the_one_before_is_remembered() -> None:
    one, two = walk(80), walk(60)
    stage = PersonContext()
    stage.start(INFO)
    first = stage.push_all(epochs(one))
    assert np.isnan(column(first, "rate.before.3")).all()
    second = stage.push_all(epochs(two, first=80 + 40))
    expected = two[-12:, 0].mean() - one[:, 0].mean()
    assert column(second, "rate.before.3")[-1] == pytest.approx(expected)
    # the summaries of a passage begin with it
    assert column(second, "rate.before.30")[3] == pytest.approx(
        two[:4, 0].mean() - one[:, 0].mean()
    )


def test_a_short_gap_is_no_pause() -> None:
    values = walk(60)
    stage = PersonContext(pause=5.0)
    stage.start(INFO)
    stage.push_all(epochs(values[:30]))
    after = stage.push_all(epochs(values[30:], first=30 + 16))
    assert np.isnan(column(after, "rate.before.3")).all()
    assert column(after, "rate.start.30")[-1] == pytest.approx(from_start(values[:, 0]).mean())


def test_long_tails_are_seen_as_logarithms_and_bad_epochs_not_at_all() -> None:
    values = walk(100)
    stage = PersonContext(("phasic",))
    stage.start(INFO)
    stage.push_all(epochs(values[:50]))
    bad = stage.push_all(epochs(np.full((10, 2), 1e9), first=50, quality=0.1))
    assert np.isfinite(column(bad, "phasic.start.3")[:11]).all()
    logs = np.log(0.1 + values[:50, 1])
    assert column(bad, "phasic.start.10")[-1] == pytest.approx(from_start(logs)[20:].mean())


def test_typical_values_hold_until_the_persons_own_do() -> None:
    values = np.column_stack([np.full(400, 90.0), np.ones(400)])
    values[:, 0] += 0.1 * RNG.standard_normal(400)
    stage = PersonContext(("rate",), ((70.0, 10.0),))
    stage.start(INFO)
    z = column(stage.push_all(epochs(values)), "rate.z.3")
    assert z[4] > 1.5  # against people, 90 is much
    assert abs(z[-1]) < 0.8  # against oneself it is not


def test_a_feature_that_is_not_there_is_named() -> None:
    with pytest.raises(BadInput, match="nothing_such"):
        PersonContext(("nothing_such",)).start(INFO)


def test_names_follow_the_values() -> None:
    names = PersonContext().start(INFO).channels
    assert len(names) == len(set(names)) == 2 * len(VIEWS) * len(SUMMARIES)


@pytest.mark.parametrize("name", sorted(CONDITIONINGS))
def test_every_conditioning_knows_every_modality(name: str) -> None:
    names = conditioned_schema(name)
    assert set(names) == set(schema())
    assert all(len(set(each)) == len(each) > 0 for each in names.values())


def test_conditionings_have_fingerprints_of_their_own() -> None:
    assert conditioned_fingerprints("person") == fingerprints()
    for modality, mark in conditioned_fingerprints("context").items():
        assert mark != fingerprints()[modality]
