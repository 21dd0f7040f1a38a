"""Events of signals that turn bad: by quality, and by samples that are no numbers."""

from __future__ import annotations

import numpy as np
import pytest

from biosense.core.types import TEXT, Chunk, Epoch, Event, EventKind, Modality, StreamInfo
from biosense.estimation.signal_quality import (
    HOLD_S,
    START_S,
    NumberWatch,
    QualityWatch,
    usable_rows,
)

ECG = StreamInfo("ecg", Modality.ECG, ("ecg",), 4.0)


def watched(qualities: list[float]) -> list[tuple[float, str]]:
    watch = QualityWatch()
    events: list[Event] = []
    for k, quality in enumerate(qualities):
        events += watch.push(Epoch(ECG, k, k / 4 - 1, k / 4, np.zeros(1), quality))
    return [(event.time, event.kind.value) for event in events]


def test_low_quality_is_said_after_a_while_and_its_end_too() -> None:
    good, bad = [0.9] * 4 * 30, [0.1] * 4 * 10
    assert watched([*good, *bad, *good]) == [
        (30 + HOLD_S, "low-quality"),
        (40 + HOLD_S, "recovered"),
    ]


def test_a_blink_is_no_event() -> None:
    good, blink = [0.9] * 4 * 30, [0.0] * 4 * 4
    assert watched([*good, *blink, *good]) == []


def test_a_quality_between_the_limits_changes_nothing() -> None:
    assert watched([*[0.9] * 120, *[0.45] * 120]) == []
    assert watched([*[0.0] * 120, *[0.45] * 120]) == [(START_S, "low-quality")]


def test_the_first_seconds_are_not_held_against_a_stream() -> None:
    assert watched([0.0] * (4 * 19)) == []
    assert watched([0.0] * (4 * 25)) == [(START_S, "low-quality")]


def ecg(values: list[float]) -> Chunk:
    return Chunk.of(ECG, np.arange(len(values)) / 4, np.reshape(values, (-1, 1)))


@pytest.mark.parametrize("size", [1, 3, 5, 40])
def test_missing_numbers_are_said_alike_however_the_stream_is_cut(size: int) -> None:
    whole = ecg([0.0] * 4 + [np.nan] * 8 + [0.0] * 4 + [np.inf] * 3 + [0.0] * 4 + [np.nan] * 9)
    watch = NumberWatch()
    events = [
        event
        for start in range(0, whole.n, size)
        for event in watch.push(whole.slice(start, min(start + size, whole.n)))
    ]
    assert [(event.time, event.kind) for event in events] == [
        (2.0, EventKind.GAP),
        (3.0, EventKind.RECOVERED),
        (6.75, EventKind.GAP),
    ]
    assert "2.0 s" in events[1].text


def test_an_empty_chunk_says_nothing() -> None:
    watch = NumberWatch()
    assert watch.push(ecg([])) == []
    assert watch.push(ecg([np.nan])) == []
    assert watch.push(ecg([])) == []


def test_a_row_is_usable_with_half_of_its_channels() -> None:
    info = StreamInfo("cap", Modality.EEG, ("a", "b", "c"), 4.0)
    nan = np.nan
    rows = [[1, 2, 3], [1, 2, nan], [1, nan, nan], [nan, np.inf, -np.inf]]
    assert usable_rows(Chunk.of(info, range(4), rows)).tolist() == [True, True, False, False]


def test_a_frame_without_a_face_is_no_gap_and_neither_is_text() -> None:
    frames = StreamInfo("camera", Modality.FACE, ("x", "confidence"), 30.0)
    assert usable_rows(Chunk.of(frames, [0.0], [[np.nan, 0.0]])).tolist() == [True]
    words = StreamInfo("marks", None, ("marker",), 0.0, dtype=TEXT)
    assert usable_rows(Chunk.of(words, [0.0], [["trial"]])).tolist() == [True]


def test_integers_are_always_numbers() -> None:
    info = StreamInfo("cap", Modality.EEG, ("a",), 4.0, dtype="int16")
    assert usable_rows(Chunk.of(info, [0.0, 0.25], [[1], [2]])).all()
