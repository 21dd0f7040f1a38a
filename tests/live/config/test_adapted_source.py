"""What a preset changes of a stream, and that the recording holds it changed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import pyxdf

from biosense.acquisition.header_xml import header_xml
from biosense.acquisition.stream_xml import MIXED, parse_info
from biosense.acquisition.xdf.reader import XdfReader
from biosense.acquisition.xdf.recording_folder import XDF_NAME
from biosense.core.device_state import DeviceState
from biosense.core.errors import BadInput
from biosense.core.types import Chunk, ClockOffset, Event, EventKind, Item, Modality, StreamInfo
from biosense.live.config.adapted_source import CHANGED, AdaptedSource, StreamChange
from biosense.models.deployment.checkpoint import Loaded
from tests.support.recorded_runs import carry_out, compare, sensor
from tests.support.scripted import Scripted, Step, chunked, foreign_clock, info
from tests.support.virtual_clock import START, VirtualClock

DESCRIBED = """<desc><channels>
<channel><label>Fz</label><unit>uV</unit><type>EEG</type></channel>
<channel><label>Cz</label><unit>uV</unit><type>EEG</type></channel>
<channel><label>gsr</label><unit>uS</unit><type>GSR</type></channel>
</channels><amplifier><gain>24</gain></amplifier></desc>"""
AMPLIFIER = StreamInfo(
    "amp", None, ("Fz", "Cz", "gsr"), 250.0, MIXED, "amp-1", "float32", description=DESCRIBED
)


def adapted(
    clock: VirtualClock, described: StreamInfo, change: StreamChange, steps: Iterable[Step] = ()
) -> tuple[StreamInfo, list[Item]]:
    async def whole() -> tuple[StreamInfo, list[Item]]:
        async with AdaptedSource(Scripted(clock, [described], steps), change) as source:
            return source.infos[0], [item async for item in source]

    return asyncio.run(whole())


def said(described: StreamInfo) -> dict[str, object]:
    text = ElementTree.fromstring(described.description).findtext(CHANGED)
    assert text is not None
    values = json.loads(text)
    assert isinstance(values, dict)
    return values


def test_channels_are_chosen_and_renamed(clock: VirtualClock) -> None:
    change = StreamChange(Modality.EEG, channels=("Cz", "Fz"), rename={"Cz": "vertex"})
    sent = Chunk.of(AMPLIFIER, [START + 1.0], [[1.0, 2.0, 3.0]])
    described, (item,) = adapted(clock, AMPLIFIER, change, [sent])
    assert described.channels == ("vertex", "Fz")
    assert (described.modality, described.unit, described.source_id) == ("eeg", "uV", "amp-1")
    assert isinstance(item, Chunk)
    assert item.info == described
    assert item.data.tolist() == [[2.0, 1.0]]
    assert item.data.dtype == np.float32
    assert said(described) == {
        "modality_sent": None,
        "channels_sent": ["Fz", "Cz", "gsr"],
        "renamed": {"Cz": "vertex"},
    }


def test_other_programs_find_the_chosen_channels_only(clock: VirtualClock) -> None:
    change = StreamChange(channels=("gsr",), rename={"gsr": "eda"}, unit="uS", delay=0.05)
    described, _ = adapted(clock, AMPLIFIER, change)
    xml = header_xml(described)
    root = ElementTree.fromstring(xml.partition("?>")[2])
    (channel,) = root.findall("desc/channels/channel")
    assert [channel.findtext(tag) for tag in ("label", "unit", "type")] == ["eda", "uS", "GSR"]
    assert root.findtext("desc/amplifier/gain") == "24", "what the sender says else is kept"
    again = parse_info(xml)
    assert (again.channels, again.unit) == (("eda",), "uS")
    assert said(again)["delay_subtracted_s"] == 0.05


def test_nothing_is_changed_by_no_change(clock: VirtualClock) -> None:
    sent = Chunk.of(AMPLIFIER, [START], [[1.0, 2.0, 3.0]])
    described, (item,) = adapted(clock, AMPLIFIER, StreamChange(), [sent])
    assert described == AMPLIFIER
    assert isinstance(item, Chunk)
    assert item.times is sent.times
    assert item.data is sent.data


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (StreamChange(channels=("Pz",)), "stream 'amp' has no channel 'Pz'; it has: Fz, Cz, gsr"),
        (StreamChange(rename={"Pz": "x"}), "has no channel 'Pz'"),
        (StreamChange(rename={"Fz": "Cz"}), "channels of 'amp' would share a name: Cz, Cz, gsr"),
    ],
)
def test_a_change_that_does_not_fit_is_refused_and_the_source_closed(
    clock: VirtualClock, change: StreamChange, words: str
) -> None:
    inner = Scripted(clock, [AMPLIFIER], [])

    async def enter() -> None:
        async with AdaptedSource(inner, change):
            raise AssertionError("it was opened")

    with pytest.raises(BadInput, match=words):
        asyncio.run(enter())
    assert inner.closed


def test_delays_go_by_signal(clock: VirtualClock) -> None:
    ecg, acc = info("H10 ecg"), info("H10 acc", None)
    steps = [Chunk.of(each, [START + 1.0], [[0.0]]) for each in (ecg, acc)]
    event = Event(START, EventKind.INFO, "H10 ecg", "hello")
    steps.append(event)

    async def whole() -> list[Item]:
        source = Scripted(clock, [ecg, acc], steps)
        async with AdaptedSource(source, StreamChange(), {"ecg": 0.25}) as changed:
            return [item async for item in changed]

    first, second, third = asyncio.run(whole())
    assert isinstance(first, Chunk)
    assert isinstance(second, Chunk)
    assert (first.times[0], second.times[0]) == (START + 0.75, START + 1.0)
    assert third is event
    with pytest.raises(BadInput, match="delay_ms names 'ppg', but no stream ends so; there are"):
        asyncio.run(
            AdaptedSource(Scripted(clock, [ecg], []), StreamChange(), {"ppg": 1.0}).__aenter__()
        )


@pytest.mark.parametrize("foreign", [True, False])
def test_a_delay_is_in_the_recording_and_estimates_are_the_same_again(
    clock: VirtualClock, loaded: Loaded, tmp_path: Path, foreign: bool
) -> None:
    """Of a stream with a clock of its own, and of one in session time."""
    ecg = sensor(Modality.ECG, 16.0)
    items = list(foreign_clock(chunked(ecg), 50.0, 80e-6) if foreign else chunked(ecg))
    source = AdaptedSource(Scripted(clock, [ecg.info], items), StreamChange(delay=0.1))
    outcome = carry_out([source], clock, loaded=loaded, record=tmp_path)
    found = compare(outcome.folder, loaded)
    assert found.recorded == found.same_times > 40
    assert found.largest_difference == 0.0
    chunks = [each for each in XdfReader(outcome.folder).items() if isinstance(each, Chunk)]
    kept = np.concatenate([each.times for each in chunks if each.info.modality is Modality.ECG])
    np.testing.assert_allclose(kept, ecg.times - 0.1, atol=2e-3)
    (heart,) = (each for each in XdfReader(outcome.folder).infos if each.modality is Modality.ECG)
    assert said(heart) == {"delay_subtracted_s": 0.1}


def test_other_readers_take_the_delay_off_as_well(
    clock: VirtualClock, loaded: Loaded, tmp_path: Path
) -> None:
    """The stamps stay as they were sent; the recorded clock offsets carry the delay."""
    ecg = sensor(Modality.ECG, 30.0)
    sent = list(foreign_clock(chunked(ecg), 50.0))
    source = AdaptedSource(Scripted(clock, [ecg.info], sent), StreamChange(delay=0.1))
    outcome = carry_out([source], clock, record=tmp_path)
    (raw,) = streams_of(outcome.folder, synchronize_clocks=False)
    stamps = [each.stamps for each in sent if isinstance(each, Chunk)]
    np.testing.assert_array_equal(raw, np.concatenate(stamps))
    (mapped,) = streams_of(outcome.folder, synchronize_clocks=True)
    np.testing.assert_allclose(mapped, ecg.times - 0.1, atol=1e-6)


def streams_of(folder: Path, *, synchronize_clocks: bool) -> list[np.ndarray]:
    streams, _ = pyxdf.load_xdf(
        folder / XDF_NAME, synchronize_clocks=synchronize_clocks, dejitter_timestamps=False
    )
    return [each["time_stamps"] for each in streams if each["info"]["name"][0] == "sim-ecg"]


def test_clock_and_device_pass(clock: VirtualClock) -> None:
    measured = ClockOffset(AMPLIFIER, 5.0, 2.0)
    sent = replace(Chunk.of(AMPLIFIER, [START], [[0.0] * 3]), stamps=np.array([6.0]))
    steps: list[Step] = [measured, sent]
    _, (offset, chunk) = adapted(clock, AMPLIFIER, StreamChange(delay=0.5), steps)
    assert isinstance(offset, ClockOffset)
    assert (offset.time, offset.offset) == (5.0, 1.5)
    assert isinstance(chunk, Chunk)
    assert chunk.times.tolist() == [7.5]
    assert chunk.stamps is sent.stamps

    class Talking(Scripted):
        async def __aiter__(self):
            yield DeviceState(START, "amp", battery=0.5)

    async def first() -> Item:
        async with AdaptedSource(
            Talking(clock, [AMPLIFIER], []), StreamChange(delay=0.5)
        ) as source:
            return await anext(aiter(source))

    assert asyncio.run(first()) == DeviceState(START, "amp", battery=0.5)
