"""Recordings through the processor: cutting, features with labels, and the header of estimates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from biosense.acquisition.header_xml import header_xml
from biosense.acquisition.simulated import simulate
from biosense.acquisition.stream_xml import parse_info
from biosense.core.affect import Estimate
from biosense.core.errors import BadInput
from biosense.core.recording import Recording
from biosense.core.types import Chunk, Modality
from biosense.estimation.estimate_stream import (
    EstimateHeader,
    estimate_chunk,
    estimate_header,
    estimate_info,
)
from biosense.estimation.interleave import interleave
from biosense.estimation.processor import ProcessorSettings
from biosense.estimation.run_processor import extract
from tests.support.scripted import info

SENSORS = [Modality.ECG, Modality.EDA]


@pytest.mark.parametrize("seconds", [0.05, 0.5, 100.0])
def test_interleaved_pieces_are_the_streams_side_by_side(seconds: float) -> None:
    streams = simulate(1, 4.0, modalities=SENSORS).streams
    pieces = interleave(streams, seconds)
    ends = [piece.times[-1] for piece in pieces]
    assert ends == sorted(ends)
    assert max(piece.times[-1] - piece.times[0] for piece in pieces) <= seconds
    for stream in streams:
        parts = [piece for piece in pieces if piece.info is stream.info]
        np.testing.assert_array_equal(np.concatenate([p.data for p in parts]), stream.data)
        np.testing.assert_array_equal(np.concatenate([p.times for p in parts]), stream.times)


def test_streams_of_one_sample_or_none_or_with_a_long_gap_are_interleaved() -> None:
    one = Chunk.of(info("one"), [3.0], [[1.0]])
    none = Chunk.of(info("none"), [], [])
    gap = Chunk.of(info("gap"), [0.0, 0.1, 500.0], [[1.0], [2.0], [3.0]])
    pieces = interleave([one, none, gap])
    assert [(p.info.name, p.times.tolist()) for p in pieces] == [
        ("gap", [0.0, 0.1]),
        ("one", [3.0]),
        ("gap", [500.0]),
    ]


def test_features_of_an_annotated_recording_are_labelled_on_the_grid() -> None:
    recording = simulate(5, 20.0, modalities=SENSORS)
    sequence = extract(recording, ProcessorSettings())
    assert sequence.subject == "sim-5"
    assert set(sequence.data) == set(SENSORS)
    np.testing.assert_array_equal(np.diff(sequence.time), 0.25)
    truth = recording.annotations[0]
    for axis in (0, 1):
        expected = np.interp(sequence.time, truth.times, truth.data[:, axis])
        np.testing.assert_allclose(sequence.target[:, axis], expected, atol=1e-12)


def test_a_recording_without_labels_or_streams_teaches_nothing() -> None:
    recording = simulate(5, 4.0, modalities=[Modality.EDA])
    with pytest.raises(BadInput, match="'sim-5' has no annotation"):
        extract(replace(recording, annotations=()), ProcessorSettings())
    irregular = Chunk.of(info("ecg", sfreq=0.0), [1.0, 2.0], [[1.0], [2.0]])
    unusable = Recording((irregular,), annotations=recording.annotations, subject="p1")
    with pytest.raises(BadInput, match="'p1' gave no features: no usable stream"):
        extract(unusable, ProcessorSettings())


HEADER = EstimateHeader(
    ProcessorSettings(mains_hz=60.0, patience=0.5),
    "my <models> & more/best.json",
    "ab12",
    {"sim-ecg": 1000.123456789012, "Gerät (2)": 0.1 + 0.2},
)


def test_the_header_survives_the_stream_description() -> None:
    described = estimate_info(SENSORS, HEADER)
    assert estimate_header(described) == HEADER
    assert estimate_header(parse_info(header_xml(described))) == HEADER


def test_a_stream_without_a_header_has_none() -> None:
    assert estimate_header(estimate_info(SENSORS)) is None
    assert estimate_header(replace(estimate_info([]), description="<desc><other/></desc>")) is None


@pytest.mark.parametrize("text", ["not json", "{}", '{"settings": {"mains": 3}, "model": 1}'])
def test_a_header_of_another_version_says_what_to_do(text: str) -> None:
    described = replace(
        estimate_info(SENSORS), description=f"<desc><estimator>{text}</estimator></desc>"
    )
    with pytest.raises(BadInput, match="pass --model"):
        estimate_header(described)


def test_an_estimate_becomes_a_sample_with_weight_0_for_what_was_absent() -> None:
    described = estimate_info(SENSORS)
    estimate = Estimate(12.25, 0.1, -0.2, 0.3, 0.4, {Modality.EDA: 0.7})
    chunk = estimate_chunk(described, estimate)
    assert described.channels[4:] == ("weight_ecg", "weight_eda")
    assert chunk.times.tolist() == [12.25]
    assert chunk.data.tolist() == [[0.1, -0.2, 0.3, 0.4, 0.0, 0.7]]
