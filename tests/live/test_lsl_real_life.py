"""Senders as they are: killed, frozen, renamed, reshaped, of one name, silent; over real LSL."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest
import pyxdf

from biosense.acquisition.lsl import FoundStream, LslClock, LslSource, Poller, resolve
from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.types import Chunk, ClockOffset, Event, EventKind
from biosense.live.config.run_settings import RunSettings
from biosense.live.output.summary import RunSummary
from biosense.live.run import Run
from biosense.recordings.inspect import inspect
from biosense.recordings.inspection import Inspection
from tests.support.lsl.sender import Sender, Sent
from tests.support.recorded_runs import Outcome, recorded

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot stop a process")
CLOCK = LslClock()
LATER = 1_000_000  # what restarted senders count from

SAME = Sent("strap", "strap-1")
RENAMED = Sent("amp", "amp-1")
RESHAPED = Sent("cap", "cap-1")
SLOWER = Sent("glove", "glove-1")
NAMELESS = Sent("shirt", "")
MADE_UP = Sent("ring", "8114932")
TWIN, OTHER_TWIN = Sent("twin", "twin-L"), Sent("twin", "twin-R")
FROZEN = Sent("watch", "watch-1")
QUIET = Sent("keys", "keys-1", content_type="Markers", channels=1, sfreq=0.0, sends=False)

KILLED = (SAME, RENAMED, RESHAPED, SLOWER, NAMELESS, MADE_UP, TWIN)
LIVING = (OTHER_TWIN, FROZEN, QUIET)
RETURN = {
    SAME: SAME,
    RENAMED: replace(RENAMED, name="amplifier"),
    RESHAPED: replace(RESHAPED, channels=3),
    SLOWER: replace(SLOWER, sfreq=50.0),
    NAMELESS: NAMELESS,
    MADE_UP: replace(MADE_UP, source_id="5290711"),
    TWIN: TWIN,
}
BACK = (*(sent.name for sent in KILLED), "watch", "twin (2)")


@dataclass
class Life:
    outcome: Outcome
    markers: FoundStream
    inspection: Inspection

    def said(self, stream: str) -> list[str]:
        return [
            f"{event.kind}: {event.text}"
            for event in self.outcome.events
            if event.stream == stream and event.kind is not EventKind.CONNECTED
        ]


def wanted() -> list[str]:
    """Name each as a person would: by its name, or where that is not enough by its source_id."""
    ids = ("source_id=twin-L", "source_id=twin-R")
    return [*(sent.name for sent in (*KILLED, *LIVING) if "twin" not in sent.name), *ids]


async def live_through(run: Run, back: asyncio.Event) -> tuple[RunSummary, FoundStream]:
    """Kill seven streams with their program, stop another program, and bring all back."""
    with Sender() as first, Sender() as second, Sender() as living:
        first.add(*KILLED)
        living.add(*LIVING)
        running = asyncio.create_task(run.run())
        await asyncio.sleep(2.0)
        first.process.kill()
        living.process.send_signal(signal.SIGSTOP)
        second.add(*(replace(sent, first=LATER) for sent in RETURN.values()))
        await asyncio.sleep(2.0)
        living.process.send_signal(signal.SIGCONT)
        markers = await asyncio.to_thread(resolve, "type=Markers")
        second.drop("cap-1")
        second.add(replace(RESHAPED, first=LATER))
        async with asyncio.timeout(15):
            await back.wait()
        await asyncio.sleep(0.5)
        run.stop()
        return await running, markers


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    events: list[Event] = []
    back = asyncio.Event()

    def note(event: Event) -> None:
        events.append(event)
        recovered = {each.stream for each in events if each.kind is EventKind.RECOVERED}
        if recovered >= set(BACK):
            back.set()

    async def whole() -> Life:
        poller = Poller()
        run = Run(
            [LslSource(name, clock=CLOCK, timeout=10, poller=poller) for name in wanted()],
            settings=RunSettings(record=tmp_path_factory.mktemp("real-life")),
            clock=CLOCK,
            loaded=None,
            on_event=note,
        )
        summary, markers = await live_through(run, back)
        outcome = Outcome(summary, events, [])
        return Life(outcome, markers, inspect(outcome.folder))

    return asyncio.run(whole())


def parts(chunks: list[Chunk]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the numbers and times of the samples before, and behind, the restart."""
    numbers = np.concatenate([chunk.data[:, 0] for chunk in chunks])
    times = np.concatenate([chunk.times for chunk in chunks])
    cut = int(np.argmax(numbers >= LATER))
    return [(numbers[:cut], times[:cut]), (numbers[cut:], times[cut:])]


@pytest.mark.parametrize("name", [sent.name for sent in KILLED])
def test_a_killed_sender_that_is_started_again_goes_on_at_its_right_times(
    life: Life, name: str
) -> None:
    assert life.said(name)[0].startswith("lost: ")
    assert any(text.startswith("recovered: reconnected after") for text in life.said(name))
    sfreq = 50.0 if name == "glove" else 100.0
    before, after = parts(recorded(life.outcome.folder)[name])
    for (numbers, times), rate in ((before, 100.0), (after, sfreq)):
        assert len(numbers) > 10
        np.testing.assert_array_equal(np.diff(numbers), 1)
        np.testing.assert_allclose(np.diff(times), 1 / rate, atol=1e-4)
    assert 0.3 < after[1][0] - before[1][-1] < 8.0
    assert life.outcome.summary.streams[name].gaps == 1


@pytest.mark.parametrize("name", [sent.name for sent in KILLED])
def test_its_clock_is_measured_anew_before_its_samples_are_taken(life: Life, name: str) -> None:
    items = [
        item
        for item in XdfReader(life.outcome.folder).items()
        if isinstance(item, Chunk | ClockOffset) and item.info.name == name
    ]
    later = next(
        at for at, item in enumerate(items) if isinstance(item, Chunk) and item.data[0, 0] >= LATER
    )
    measured = items[later - 1]
    assert isinstance(measured, ClockOffset)
    assert abs(measured.offset) < 0.02  # 0 but for how busy the machine is


def test_nobody_is_lost_for_longer_than_three_seconds_before_it_is_said(life: Life) -> None:
    chunks = recorded(life.outcome.folder)
    for event in life.outcome.events:
        if event.kind is EventKind.LOST:
            times = np.concatenate([chunk.times for chunk in chunks[event.stream]])
            assert event.time - times[times < event.time][-1] < 3.0


def test_a_new_name_and_a_made_up_source_id_are_told(life: Life) -> None:
    assert "info: its sender calls it 'amplifier' now: it goes on as 'amp'" in life.said("amp")
    told = "info: its source_id is '5290711' now, it was '8114932'"
    assert told in life.said("ring")


def test_another_rate_is_recorded_as_it_comes_and_told_loudly(life: Life) -> None:
    (error,) = [text for text in life.said("glove") if text.startswith("error")]
    assert "a nominal rate of 50 Hz instead of 100 Hz" in error
    assert "start a new run" in error


def test_other_channels_are_refused_once_until_the_right_ones_are_back(life: Life) -> None:
    (error,) = [text for text in life.said("cap") if text.startswith("error")]
    assert "3 channels of int32 instead of 2" in error
    assert {chunk.info.n_channels for chunk in recorded(life.outcome.folder)["cap"]} == {2}


def test_a_frozen_sender_is_said_to_be_lost_and_loses_nothing(life: Life) -> None:
    for name in ("watch", "twin (2)"):
        lost, recovered = life.said(name)
        assert lost == "lost: no sample for 1.0 s"
        assert recovered.startswith("recovered: back after")
        chunks = recorded(life.outcome.folder)[name]
        numbers = np.concatenate([chunk.data[:, 0] for chunk in chunks])
        np.testing.assert_array_equal(np.diff(numbers), 1)
        assert life.outcome.summary.streams[name].gaps == 0


def test_two_of_one_name_stay_apart_also_after_a_restart(life: Life) -> None:
    chunks = recorded(life.outcome.folder)
    assert {chunk.info.source_id for chunk in chunks["twin"]} == {"twin-L"}
    assert {chunk.info.source_id for chunk in chunks["twin (2)"]} == {"twin-R"}
    assert max(chunk.data.max() for chunk in chunks["twin (2)"]) < LATER


def test_a_marker_stream_that_never_sends_is_no_fault(life: Life) -> None:
    assert life.said("keys") == []
    assert life.outcome.summary.streams["keys"].samples == 0
    assert life.inspection.streams["keys"].samples == 0
    assert not [problem for problem in life.inspection.problems if "keys" in problem]


def test_the_markers_of_the_run_itself_are_not_taken_for_those_of_the_experiment(
    life: Life,
) -> None:
    assert life.markers.name == "keys"


def test_other_programs_read_the_recording(life: Life) -> None:
    streams, _ = pyxdf.load_xdf(life.outcome.folder / "recording.xdf")
    found = {stream["info"]["name"][0]: stream for stream in streams}
    for name, chunks in recorded(life.outcome.folder).items():
        assert len(found[name]["time_stamps"]) == sum(chunk.n for chunk in chunks), name
