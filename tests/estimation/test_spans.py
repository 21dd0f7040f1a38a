"""Whole streams in spans: cut where one begins, pauses or ends; the features of small pieces."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from biosense.acquisition.simulated import simulate
from biosense.core.affect import FusionInput
from biosense.core.grid import HOP
from biosense.core.types import Chunk, Modality, StreamInfo
from biosense.estimation.interleave import interleave
from biosense.estimation.processor import Outcome, Processor, ProcessorSettings
from biosense.estimation.run_processor import process, process_whole
from biosense.estimation.spans import BREAK_S, LONGEST_S, MOST_VALUES, spans
from biosense.processing.cardiac.pulse_transit import TRANSIT_CHANNELS
from tests.support.scripted import info

SIMULATED = {m for m in Modality if m not in (Modality.EMG, Modality.RESP, Modality.TEMP)}


def sensor(modality: Modality, seconds: float) -> Chunk:
    return simulate(1, seconds, modalities=[modality]).stream(f"sim-{modality}")


def without(stream: Chunk, start: float, stop: float) -> Chunk:
    kept = (stream.times < start) | (stream.times >= stop)
    return Chunk(stream.info, stream.times[kept], stream.data[kept], stream.ok[kept])


def silenced(stream: Chunk, start: float, stop: float) -> Chunk:
    data = stream.data.copy()
    data[(stream.times >= start) & (stream.times < stop)] = np.nan
    return Chunk(stream.info, stream.times, data, stream.ok)


def joined(outcomes: Iterable[Outcome]) -> dict[int, FusionInput]:
    return {each.index: each for each in outcomes if isinstance(each, FusionInput)}


def in_pieces(streams: list[Chunk]) -> dict[int, FusionInput]:
    infos = [stream.info for stream in streams]
    return joined(process(interleave(streams), infos, Processor(ProcessorSettings())))


def in_spans(streams: list[Chunk]) -> dict[int, FusionInput]:
    return joined(process_whole(streams, Processor(ProcessorSettings())))


def assert_same(one: FusionInput, other: FusionInput) -> None:
    assert one.quality == pytest.approx(dict(other.quality), abs=1e-9)
    assert one.data.keys() == other.data.keys()
    for modality, values in one.data.items():
        # In pieces the pulse hears of R peaks up to a piece late.
        compared = slice(-len(TRANSIT_CHANNELS) if modality is Modality.PPG else None)
        other_values = other.data[modality]
        np.testing.assert_allclose(
            values[compared], other_values[compared], rtol=1e-7, atol=1e-8, err_msg=modality
        )


def heart(seconds: float) -> Chunk:
    described = StreamInfo("strap rr", None, ("rr",), 0.0, "s")
    beats = np.arange(int(seconds / 0.8))
    times = 0.3 + 0.8 * beats + 0.05 * np.sin(beats)
    return Chunk.of(described, times[1:], np.diff(times)[:, None])


def test_every_modality_has_the_features_of_small_pieces() -> None:
    streams = [*simulate(3, 40.0).streams]
    pieces, whole = in_pieces(streams), in_spans(streams)
    assert {m for each in whole.values() for m in each.data} == SIMULATED
    assert len(whole) > 140
    assert pieces.keys() <= whole.keys()
    for index, each in pieces.items():
        assert_same(each, whole[index])


def test_a_stream_that_pauses_or_sends_no_numbers_is_absent_as_it_would_be_live() -> None:
    ecg, eda, ppg = (sensor(m, 90.0) for m in (Modality.ECG, Modality.EDA, Modality.PPG))
    streams = [silenced(ecg, 30.3, 36.1), without(eda, 40.2, 46.9), without(ppg, 70.0, 99.0)]
    pieces, whole = in_pieces(streams), in_spans(streams)
    edges = np.array([30.3, 36.1, 40.2, 46.9, 70.0, 90.0])
    far = [k for k in pieces if np.abs(edges - k * HOP).min() > 2 * HOP]
    assert len(far) > 250
    for index in far:
        assert_same(pieces[index], whole[index])
    gone = [k for k in far if Modality.EDA not in whole[k].data]
    assert len(gone) > 20


def test_intervals_between_beats_stand_in_for_the_heart() -> None:
    streams = [heart(60.0), sensor(Modality.EDA, 60.0)]
    pieces, whole = in_pieces(streams), in_spans(streams)
    assert sum(Modality.ECG in each.data for each in whole.values()) > 150
    for index in pieces.keys() & whole.keys():
        if 1 < index * HOP < 58:
            assert_same(pieces[index], whole[index])


def test_spans_hold_every_sample_once_and_no_gap() -> None:
    eda = without(sensor(Modality.EDA, 200.0), 20.0, 26.0)
    ecg = silenced(sensor(Modality.ECG, 150.0), 40.0, 41.0)
    late = Chunk.of(heart(30.0).info, heart(30.0).times + 60.0, heart(30.0).data)
    cut = spans([ecg, eda, late])
    for stream in (ecg, eda, late):
        parts = [part for span in cut for part in span if part.info is stream.info]
        np.testing.assert_array_equal(np.concatenate([p.times for p in parts]), stream.times)
        np.testing.assert_array_equal(np.concatenate([p.data for p in parts]), stream.data)
    ends = [-np.inf]
    for span in cut:
        assert min(part.times[0] for part in span) > ends[-1]
        ends.append(max(part.times[-1] for part in span))
        assert ends[-1] - min(part.times[0] for part in span) <= LONGEST_S
        for part in span:
            if part.info.sfreq > 0:
                assert not (np.diff(part.times) > BREAK_S).any()
    assert any(abs(end - 40.0) < 0.02 for end in ends)  # where ECG stops to be numbers


def test_wide_streams_are_cut_more_finely() -> None:
    rate, channels = 4000.0, 256
    wide = StreamInfo("wide", Modality.EEG, tuple(map(str, range(channels))), rate)
    n = int(8 * rate)
    stream = Chunk(wide, np.arange(n) / rate, np.zeros((n, channels)), np.ones(n, np.bool_))
    sizes = [part.data.size for span in spans([stream]) for part in span]
    assert max(sizes) <= MOST_VALUES + channels
    assert sum(sizes) == n * channels


def test_nothing_and_a_single_sample_are_cut() -> None:
    none, one = Chunk.of(info("none"), [], []), Chunk.of(info("one"), [3.0], [[1.0]])
    assert spans([]) == spans([none]) == []
    assert [[(part.info.name, part.n) for part in span] for span in spans([none, one])] == [
        [("one", 1)]
    ]
