"""A run that cannot be opened leaves nothing open behind it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.errors import BadInput
from biosense.core.types import Modality, StreamInfo
from biosense.live.output import publisher as publish
from biosense.live.output.lsl_outlet import LslOutlet
from biosense.models.deployment.checkpoint import Loaded
from tests.support.recorded_runs import carry_out, sensor
from tests.support.scripted import Scripted, chunked
from tests.support.virtual_clock import VirtualClock


def eda(clock: VirtualClock) -> Scripted:
    stream = sensor(Modality.EDA, 2.0)
    return Scripted(clock, [stream.info], chunked(stream))


@pytest.mark.parametrize("stream", ["biosense-events", "biosense-affect"])
def test_an_outlet_that_cannot_be_opened_closes_the_others_and_the_recorder(
    clock: VirtualClock,
    loaded: Loaded,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stream: str,
) -> None:
    made: list[LslOutlet] = []

    def outlet(info: StreamInfo) -> LslOutlet:
        if info.name == stream:
            raise BadInput("LSL refuses the stream")
        made.append(LslOutlet(info))
        return made[-1]

    monkeypatch.setattr(publish, "LslOutlet", outlet)
    source = eda(clock)
    with pytest.raises(BadInput, match="LSL refuses"):
        carry_out([source], clock, loaded=loaded, record=tmp_path)
    assert source.closed
    assert "recorder" not in {thread.name for thread in threading.enumerate()}
    for each in made:
        with pytest.raises(BadInput, match="is closed"):
            each.wait_for_readers(0.0)
    folders = list(tmp_path.iterdir())
    assert all(XdfReader(folder).complete for folder in folders)
    assert len(folders) == (1 if stream == "biosense-affect" else 0)
