"""The processor: what it says of streams, and that equal items give equal results."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from biosense.core.affect import Estimate, FusionInput
from biosense.core.types import Chunk, ClockOffset, Epoch, Event, EventKind, Item, Modality
from biosense.estimation.processor import Outcome, Processor, ProcessorSettings, feature_values
from biosense.models.deployment.checkpoint import Loaded
from biosense.models.deployment.streaming import StreamingEstimator
from tests.support.recorded_runs import sensor
from tests.support.scripted import chunked, info
from tests.support.virtual_clock import START


def run(items: Iterable[Item], processor: Processor) -> list[Outcome]:
    outcomes = [outcome for item in items for outcome in processor.push(item)]
    return outcomes + processor.flush()


def side_by_side(seconds: float = 8.0) -> list[Chunk]:
    parts = [*chunked(sensor(Modality.ECG, seconds)), *chunked(sensor(Modality.EDA, seconds))]
    return sorted(parts, key=lambda chunk: chunk.times[-1])


def processor_of(items: list[Chunk], estimator: StreamingEstimator | None = None) -> Processor:
    processor = Processor(ProcessorSettings(), estimator)
    for described in {item.info.name: item.info for item in items}.values():
        assert processor.add_stream(described) == []
    return processor


def test_it_gives_features_then_the_joined_input_then_the_estimate(loaded: Loaded) -> None:
    items = side_by_side()
    outcomes = run(items, processor_of(items, StreamingEstimator(loaded)))
    kinds = [type(outcome) for outcome in outcomes]
    assert set(kinds) == {Epoch, FusionInput, Estimate}
    for before, after in pairwise(kinds):
        assert (before is FusionInput) == (after is Estimate)
    times = [outcome.time for outcome in outcomes if isinstance(outcome, Estimate)]
    assert times == [outcome.time for outcome in outcomes if isinstance(outcome, FusionInput)]
    assert np.diff(times).tolist() == [0.25] * (len(times) - 1)


def test_without_a_model_it_gives_joined_features(loaded: Loaded) -> None:
    items = side_by_side()
    outcomes = run(items, processor_of(items))
    assert {type(outcome) for outcome in outcomes} == {Epoch, FusionInput}
    last = [outcome for outcome in outcomes if isinstance(outcome, FusionInput)][-2]
    assert set(last.data) == {Modality.ECG, Modality.EDA}


def test_the_cutting_into_chunks_changes_no_feature() -> None:
    whole = sensor(Modality.ECG, 8.0)
    results = []
    for seconds in (0.01, 0.5, 8.0):
        items = list(chunked(whole, seconds))
        epochs = [o for o in run(items, processor_of(items)) if isinstance(o, Epoch)]
        results.append(np.array([epoch.data for epoch in epochs]))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_features_are_given_plain_and_joined_normalised() -> None:
    items = list(chunked(sensor(Modality.ECG, 20.0)))
    outcomes = run(items, processor_of(items))
    plain = [o for o in outcomes if isinstance(o, Epoch)][-1]
    joined = [o for o in outcomes if isinstance(o, FusionInput)][-1]
    assert 40 < feature_values(plain)["heart_rate"] < 120
    assert np.nanmax(np.abs(joined.data[Modality.ECG])) <= 5.0


def test_the_first_sample_used_of_each_stream_is_known() -> None:
    items = side_by_side(2.0)
    processor = processor_of(items)
    assert processor.first_samples == {}
    run(items[3:], processor)
    expected = {}
    for item in items[3:]:
        expected.setdefault(item.info.name, item.times[0])
    assert processor.first_samples == expected


def test_the_arrival_of_the_newest_sample_used_is_known() -> None:
    items = [replace(item, arrived=item.arrived + 0.02) for item in side_by_side(4.0)]
    processor = processor_of(items)
    for item in items:
        fused = [o for o in processor.push(item) if isinstance(o, FusionInput)]
        assert processor.arrivals == [item.arrived] * len(fused)


def test_points_that_waited_for_a_lost_stream_keep_their_own_arrival() -> None:
    """EDA stops; each point of the second that is waited for it used an older ECG sample."""
    items = [i for i in side_by_side(6.0) if i.info.name == "sim-ecg" or i.times[-1] < START + 3]
    processor = processor_of(items)
    at_once: list[float] = []
    for item in items:
        processor.push(item)
        at_once = max(at_once, processor.arrivals, key=len)
    assert len(at_once) > 2
    assert at_once == sorted(set(at_once))


def test_what_the_end_of_a_run_completes_has_waited_for_no_sample() -> None:
    """ECG has stopped, the join still waits for it: only the end gives those points out."""
    items = [i for i in side_by_side(4.0) if i.info.name == "sim-eda" or i.times[-1] < START + 3.5]
    processor = processor_of(items)
    seen = [a for item in items for a in (processor.push(item), processor.arrivals)[1]]
    assert np.isfinite(seen).all()
    assert [type(outcome) for outcome in processor.flush()].count(FusionInput) > 0
    assert np.isnan(processor.arrivals).all()


def test_offsets_events_empty_chunks_and_strangers_change_nothing() -> None:
    processor = processor_of(side_by_side(1.0))
    ecg = sensor(Modality.ECG, 1.0)
    assert processor.push(ClockOffset(ecg.info, 1.0, 2.0)) == []
    assert processor.push(Event(1.0, EventKind.INFO, "sim-ecg", "hello")) == []
    assert processor.push(ecg.slice(0, 0)) == []
    assert processor.push(replace(ecg, info=info("stranger"))) == []
    assert processor.first_samples == {}


def test_the_second_of_a_modality_is_told_apart() -> None:
    processor = Processor(ProcessorSettings())
    assert processor.add_stream(info("chest")) == []
    assert processor.add_stream(info("chest")) == [], "known already"
    (note,) = processor.add_stream(info("wrist"))
    assert (note.kind, note.stream) == (EventKind.ERROR, "wrist")
    assert note.text == "recorded, not processed: 'chest' is already the ecg of this run"


def test_a_stream_that_cannot_be_used_leaves_its_place_to_the_next() -> None:
    processor = Processor(ProcessorSettings())
    (note,) = processor.add_stream(info("chest", sfreq=0.0))
    assert "irregular" in note.text
    assert processor.add_stream(info("wrist")) == []


@pytest.mark.parametrize("mains", [50.0, 60.0])
def test_the_mains_frequency_changes_the_numbers(mains: float) -> None:
    described = info("cap", Modality.EEG, channels=("F3", "F4"), sfreq=256.0, unit="uV")
    times = START + np.arange(2048) / 256
    hum = 20 * np.sin(2 * np.pi * 60 * times)[:, None] * [1, 0.9]
    items = list(chunked(Chunk.of(described, times, hum)))

    def power(mains_hz: float) -> float:
        processor = Processor(ProcessorSettings(mains_hz=mains_hz))
        processor.add_stream(described)
        return float(np.nanmax([o.data for o in run(items, processor) if isinstance(o, Epoch)]))

    assert power(mains) == power(mains)
    assert power(50.0) != power(60.0)


def test_poor_quality_is_an_event_of_its_stream() -> None:
    ecg = sensor(Modality.ECG, 30.0)
    noise = np.random.default_rng(1).normal(0, 5e-3, ecg.data.shape).astype(np.float32)
    items = list(chunked(replace(ecg, data=noise)))
    (event,) = (o for o in run(items, processor_of(items)) if isinstance(o, Event))
    assert (event.kind, event.stream) == (EventKind.LOW_QUALITY, "sim-ecg")
    assert START + 20 <= event.time <= START + 30
