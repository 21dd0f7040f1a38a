"""What a run publishes over LSL."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from biosense.acquisition.lsl import find_streams
from biosense.core.types import Chunk, ClockOffset, Epoch, Modality
from biosense.live.output.publisher import (
    MARKERS,
    Publisher,
    feature_chunk,
    publish_source,
    text_chunk,
)
from tests.support.scripted import Scripted, info
from tests.support.virtual_clock import START, VirtualClock


def names() -> set[str]:
    return {found.name for found in find_streams(0.5)}


def test_streams_are_there_from_opening_to_closing() -> None:
    publisher = Publisher()
    publisher.open([MARKERS])
    publisher.push(Chunk.of(info("late"), [START], [[1.0]]))
    assert {"biosense-markers", "late"} <= names()
    publisher.close()
    publisher.push(text_chunk(MARKERS, START, "too late"))
    assert not {"biosense-markers", "late"} & names()


def test_features_become_a_sample_stamped_at_the_end_of_their_window() -> None:
    described = info("chest", Modality.ECG, channels=("heart_rate", "rmssd"), sfreq=4.0)
    epoch = Epoch(described, 8, 0.0, 2.0, np.array([61.0, np.nan]), 0.8)
    chunk = feature_chunk(epoch)
    assert chunk.info.name == "biosense-features-ecg"
    assert chunk.info.channels == ("heart_rate", "rmssd", "quality")
    assert chunk.times.tolist() == [2.0]
    np.testing.assert_array_equal(chunk.data, [[61.0, np.nan, 0.8]])


@pytest.mark.parametrize("label", ["", "me"])
def test_a_source_is_published_to_its_end(label: str) -> None:
    described = info("chest", source_id="strap-77")
    seen: set[str] = set()

    def look() -> None:
        seen.update(found.source_id for found in find_streams(0.3))

    script = [
        ClockOffset(described, START, 0.0),
        Chunk.of(described, [START + 0.1, START + 0.2], [[1.0], [2.0]]),
        look,
    ]
    source = Scripted(VirtualClock(), [described], script)
    assert asyncio.run(publish_source(source, label=label)) == 2
    assert ("me-77" if label else "strap-77") in seen
    assert source.closed
