"""Values reject what cannot be, and say what was wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from biosense.core import Chunk, Epoch, Modality, Recording, StreamInfo
from biosense.core.errors import BadInput, BiosenseError, MissingExtra
from biosense.core.types import Floats

INFO = StreamInfo("cap", Modality.EEG, ("Fz", "Cz"), 256.0, "uV", dtype="float32")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "a stream needs a name"),
        ({"channels": ()}, "stream 'cap' has 0 channels"),
        ({"sfreq": -1.0}, "sfreq=-1.0 Hz of 'cap'"),
        ({"sfreq": float("nan")}, "sfreq=nan Hz of 'cap'"),
        ({"dtype": "complex"}, "dtype='complex' of 'cap' must be one of"),
    ],
)
def test_a_stream_that_cannot_be_is_refused(change: dict[str, object], message: str) -> None:
    fields: dict[str, object] = {
        "name": "cap",
        "modality": None,
        "channels": ("Fz",),
        "sfreq": 256.0,
    }
    with pytest.raises(BadInput, match=message):
        StreamInfo(**{**fields, **change})  # type: ignore[arg-type]


def test_chunks_keep_the_type_of_the_sender() -> None:
    chunk = Chunk.of(INFO, [1.0, 2.0], [[1, 2], [3, 4]])
    assert chunk.data.dtype == np.float32
    assert chunk.ok.tolist() == [True, True]
    assert (chunk.n, chunk.stamps) == (2, None)
    assert np.isnan(chunk.arrived)


def test_text_is_kept_as_it_is() -> None:
    info = StreamInfo("markers", None, ("text",), 0.0, dtype="str")
    assert info.is_text
    assert Chunk.of(info, [1.0], [["start"]]).data[0, 0] == "start"


def test_an_empty_chunk_has_its_channels() -> None:
    chunk = Chunk.of(INFO, [], [])
    assert chunk.data.shape == (0, 2)
    assert chunk.n == 0


@pytest.mark.parametrize(
    ("times", "data", "ok", "message"),
    [
        (3, (2, 2), 3, r"shape \(2, 2\), wanted \(3, 2\): \(samples, channels\)"),
        (2, (2, 3), 2, r"shape \(2, 3\), wanted \(2, 2\)"),
        (2, (2, 2), 1, r"times \(2,\) and ok \(1,\) of 'cap' must be \(2,\)"),
    ],
)
def test_shapes_must_agree(times: int, data: tuple[int, int], ok: int, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Chunk(INFO, np.zeros(times), np.zeros(data), np.ones(ok, bool))


def test_a_slice_is_a_view_with_everything() -> None:
    chunk = Chunk(
        INFO, np.arange(4.0), np.zeros((4, 2)), np.ones(4, bool), np.arange(4.0) + 9, arrived=5.0
    )
    part = chunk.slice(1, 3)
    assert part.times.tolist() == [1.0, 2.0]
    assert part.stamps is not None
    assert part.stamps.tolist() == [10.0, 11.0]
    assert part.arrived == 5.0
    assert np.shares_memory(part.data, chunk.data)


def test_a_recording_names_its_streams_when_one_is_missing() -> None:
    recording = Recording((Chunk.of(INFO, [], []),))
    assert recording.stream("cap").info is INFO
    with pytest.raises(BadInput, match="no stream 'ecg' in the recording; there are: cap"):
        recording.stream("ecg")
    with pytest.raises(BadInput, match="there are: none"):
        Recording(()).stream("ecg")


def test_errors_can_be_caught_as_ours_and_as_python_s() -> None:
    assert issubclass(BadInput, BiosenseError)
    assert issubclass(BadInput, ValueError)
    assert issubclass(MissingExtra, ImportError)


@dataclass(frozen=True)
class Mean:
    samples: Floats
    value: float


@dataclass(frozen=True)
class Unrelated:
    samples: Floats


def test_what_was_derived_from_an_epoch_is_known_until_its_data_is_replaced() -> None:
    data = np.ones((4, 1))
    epoch = Epoch(INFO, 4, 0.0, 1.0, data, 1.0, derived=Mean(data, 1.0))
    mean = epoch.known(Mean)
    assert mean is not None
    assert mean.value == 1.0
    assert replace(epoch, quality=0.5).known(Mean) is mean
    assert replace(epoch, data=2 * data).known(Mean) is None
    assert epoch.known(Unrelated) is None
