"""`estimate` over a recording gives the numbers of the live run, to the bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.affect import Estimate
from biosense.core.types import Item, Modality
from biosense.estimation.compare import compare_with_live
from biosense.estimation.offline import estimate_recording
from biosense.estimation.recorded_run import recorded_header
from biosense.models.deployment.checkpoint import Loaded
from tests.support.recorded_runs import WholeRun, carry_out, compare, recorded, sensor
from tests.support.scripted import Scripted, chunked, foreign_clock
from tests.support.virtual_clock import VirtualClock


@pytest.fixture(scope="module")
def estimates(whole: WholeRun) -> list[Estimate]:
    reader = XdfReader(whole.outcome.folder)
    header = recorded_header(reader)
    assert header is not None
    return estimate_recording(reader, whole.loaded, header.settings, header)


def test_offline_estimates_equal_the_live_ones(whole: WholeRun, estimates: list[Estimate]) -> None:
    found = compare_with_live(XdfReader(whole.outcome.folder), estimates)
    assert found is not None
    assert found.recorded == found.offline == found.same_times > 140
    assert found.largest_difference == 0.0


def test_the_comparison_notices_a_difference(whole: WholeRun, estimates: list[Estimate]) -> None:
    other = list(estimates[:-1])
    other[3] = replace(other[3], valence=other[3].valence + 0.01)
    found = compare_with_live(XdfReader(whole.outcome.folder), other)
    assert found is not None
    assert found.largest_difference == pytest.approx(0.01)
    assert found.same_times == found.recorded - 1
    assert str(found.same_times) in str(found)


def test_an_unplugged_sensor_weighs_nothing_until_it_is_back(whole: WholeRun) -> None:
    lost, back, _ = (event.time for event in whole.outcome.events if event.stream == "sim-eda")
    estimates = recorded(whole.outcome.folder)["biosense-affect"]
    column = estimates[0].info.channels.index("weight_eda")
    times = np.array([chunk.times[0] for chunk in estimates])
    weights = np.array([chunk.data[0, column] for chunk in estimates])
    assert back - lost > 3
    assert (weights[(times > lost + 1) & (times < back)] == 0).all()
    assert (weights[(times > lost - 5) & (times < lost - 1)] > 0).all()
    assert (weights[times > back + 10] > 0).all()


def test_a_stream_that_arrives_late_gives_the_same_estimates(
    clock: VirtualClock, loaded: Loaded, tmp_path: Path
) -> None:
    """Half of the EDA comes three seconds late: longer than the join waits."""
    ecg, eda = sensor(Modality.ECG, 16.0), list(chunked(sensor(Modality.EDA, 16.0), 0.3))
    half = len(eda) // 2
    eda[half:] = [replace(chunk, arrived=chunk.arrived + 3.0) for chunk in eda[half:]]
    outcome = carry_out(
        [
            Scripted(clock, [ecg.info], chunked(ecg)),
            Scripted(clock, [eda[0].info], eda),
        ],
        clock,
        loaded=loaded,
        record=tmp_path,
    )
    assert outcome.summary.estimate_hz == pytest.approx(4.0)
    found = compare(outcome.folder, loaded)
    assert (found.recorded, found.largest_difference) == (found.same_times, 0.0)


def test_a_drifting_clock_that_is_reset_gives_the_same_estimates(
    clock: VirtualClock, loaded: Loaded, tmp_path: Path
) -> None:
    ecg = sensor(Modality.ECG, 24.0, seed=4)
    pieces = list(chunked(ecg))
    half = len(pieces) // 2
    items: list[Item] = [
        *foreign_clock(pieces[:half], 9000.0, 200e-6),
        *foreign_clock(pieces[half:], 3.0, 200e-6),
    ]
    outcome = carry_out([Scripted(clock, [ecg.info], items)], clock, loaded=loaded, record=tmp_path)
    found = compare(outcome.folder, loaded)
    assert found.recorded == found.same_times > 60
    assert found.largest_difference == 0.0


def test_estimates_begin_at_the_samples_that_the_header_names(
    whole: WholeRun, estimates: list[Estimate]
) -> None:
    """A recording that began before its estimator: what came before is not used offline."""
    reader = XdfReader(whole.outcome.folder)
    header = recorded_header(reader)
    assert header is not None
    later = {name: first + 10.1 for name, first in header.first_samples.items()}
    some = estimate_recording(
        reader, whole.loaded, header.settings, replace(header, first_samples=later)
    )
    begin = min(later.values())
    assert begin < some[0].time < begin + 2.5
    assert estimates[0].time < begin
    assert some[-1].time == estimates[-1].time
