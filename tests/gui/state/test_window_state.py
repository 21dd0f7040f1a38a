"""Everything that the window decides, with a clock that the test moves."""

import math

import numpy as np
import pytest

from biosense.core.affect import ESTIMATE_VALUES, TARGETS
from biosense.core.own_streams import AFFECT
from biosense.core.stream_status import StreamState
from biosense.core.types import TEXT, Chunk, Event, EventKind, StreamInfo
from biosense.gui.connection.control_client import CommandReply, Greeting, PreviewImage
from biosense.gui.connection.lsl_feed import WantedStream
from biosense.gui.state import estimate_paths as affect
from biosense.gui.state import stream_rows as rows
from biosense.gui.state.banners import Level, Phase
from biosense.gui.state.estimate_paths import Path, PathBuffer
from biosense.gui.state.event_log import clock_words
from biosense.gui.state.headline import _DEMO_MODELS
from biosense.gui.state.window_state import WindowState
from biosense.live.output.publisher import MARKERS
from biosense.models.deployment.checkpoint import SHIPPED
from tests.support.gui_fakes import FakeClock, chunk, run_status, stream

AFFECT_INFO = StreamInfo(AFFECT, None, (*ESTIMATE_VALUES, "weight_ecg"), 4.0)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def state(clock: FakeClock) -> WindowState:
    return WindowState(clock, is_alive=lambda pid: pid == 7)


def _texts(state: WindowState) -> list[str]:
    return [banner.text for banner in state.banners()]


def test_the_note_about_the_demonstration_shows_for_every_name_of_that_model() -> None:
    assert set(_DEMO_MODELS) == {name for name, file in SHIPPED.items() if file == "demo"}


def test_run_that_is_heard_of_is_live_and_its_clock_goes_on(
    state: WindowState, clock: FakeClock
) -> None:
    state.take(run_status(participant="p01", model="demo", recording="/data/x_p01"))
    clock.time += 1.5
    headline = state.headline()
    assert state.phase is Phase.LIVE
    assert headline.elapsed == "01:06"
    assert headline.recording == "● recording  x_p01"
    assert headline.recording_level is Level.GOOD
    assert (headline.participant, headline.model, headline.demonstration) == (
        "p01",
        "model demo",
        True,
    )
    assert state.banners() == ()


def test_demonstration_is_not_said_of_another_model(state: WindowState) -> None:
    state.take(run_status(model="/models/mine.safetensors"))
    assert state.headline().model == "model mine"
    assert not state.headline().demonstration


def test_silence_of_a_living_run_is_loud_and_what_is_shown_is_called_old(
    state: WindowState, clock: FakeClock
) -> None:
    state.take(Greeting(7))
    state.take(run_status())
    clock.time += 3.0
    assert state.phase is Phase.SILENT
    assert _texts(state)[0].startswith("no word from the run for 3 s")
    assert state.banners()[0].level is Level.ERROR
    assert state.rows()[0].state == rows.UNKNOWN
    assert state.rows()[0].age == "3.1 s"
    assert state.badges() == {"sim-ecg": rows.UNKNOWN}
    assert state.headline().elapsed == "01:05"  # it does not pretend to know


def test_silence_of_a_dead_process_is_called_the_end(state: WindowState, clock: FakeClock) -> None:
    state.take(Greeting(8))
    state.take(run_status())
    clock.time += 2.5
    assert state.phase is Phase.ENDED
    assert _texts(state)[0].startswith("run ended")


def test_run_that_speaks_again_is_live_again(state: WindowState, clock: FakeClock) -> None:
    state.take(Greeting(7))
    state.take(run_status())
    clock.time += 5.0
    state.take(run_status(time=1005.0))
    assert state.phase is Phase.LIVE
    assert state.banners() == ()


def test_window_without_a_run_says_that_it_waits(state: WindowState, clock: FakeClock) -> None:
    assert state.banners() == ()
    clock.time += 4.0
    assert _texts(state) == ["waiting for the run since 4 s"]


def test_failed_recording_is_the_loudest(state: WindowState) -> None:
    lost = stream("sim-eda", "eda", state=StreamState.LOST, age=4.0)
    state.take(run_status(stream(), lost, recording="/d/x", recording_failed="disk full"))
    assert state.headline().recording == "✕ RECORDING FAILED"
    assert state.headline().recording_level is Level.ERROR
    first, second = state.banners()
    assert first.text == "RECORDING FAILED, nothing is being saved: disk full"
    assert first.level is Level.ERROR
    assert second.text.startswith("lost: sim-eda (4 s)")
    assert state.badges() == {"sim-eda": "lost 4 s"}
    assert [math.isnan(row.quality) for row in state.rows()] == [False, True]  # of the past


def test_closing_ends_a_demonstration_only(state: WindowState, clock: FakeClock) -> None:
    state.take(run_status(participant="simulated"))
    assert state.stops_on_close
    assert state.closing == "Closing this window ends the demonstration."
    state.take(run_status(participant="p01"))
    assert not state.stops_on_close
    assert "does not stop the run" in state.closing
    clock.time += 60.0
    assert not state.stops_on_close


def test_streams_are_read_by_what_they_are(state: WindowState) -> None:
    state.take(
        run_status(
            stream(),
            stream("sim-truth", "", channels=TARGETS, nominal_hz=4.0),
            stream("stimulus", "", nominal_hz=0.0),
            stream("gaze", "", nominal_hz=60.0),
            model="demo",
        )
    )
    names = {wanted.name for wanted in state.wanted()}
    assert names == {"sim-ecg", "sim-truth", "stimulus", AFFECT}
    assert WantedStream("sim-ecg", "id-sim-ecg") in state.wanted()


def test_estimates_are_not_looked_for_without_a_model(state: WindowState) -> None:
    state.take(run_status())
    assert [wanted.name for wanted in state.wanted()] == ["sim-ecg"]
    assert state.plane(5).message == "no model: signals only"


def test_new_stream_does_not_touch_the_traces_of_the_others(state: WindowState) -> None:
    state.take(run_status())
    (trace,) = state.traces
    state.take(run_status(stream(), stream("sim-eeg", "eeg", unit="uV")))
    assert [each.panel.stream for each in state.traces] == ["sim-eeg", "sim-ecg"]
    assert state.traces[1] is trace


def test_estimates_come_by_lsl_and_before_that_from_the_status(
    state: WindowState, clock: FakeClock
) -> None:
    said = dict.fromkeys(ESTIMATE_VALUES, 0.25) | {"weight_ecg": 0.4}
    state.take(run_status(model="demo", estimates=1, estimate=said))
    state.take(run_status(model="demo", estimates=1, estimate=said))  # the same one again
    assert state.estimates_total == 1
    assert state.weights == {"ecg": 0.4}
    assert state.rows()[0].weight == 0.4
    state.wanted()[WantedStream(AFFECT, AFFECT)](
        chunk(AFFECT_INFO, [999.75, 1000.0], [[0, 0, 0.1, 0.1, 1], [0.5, -0.5, 0.1, 0.2, 1]])
    )
    assert state.estimates_total == 2
    assert state.plane(5).newest == (0.5, -0.5, 0.1, 0.2)
    clock.time += 1.0
    assert state.banners() == ()
    clock.time += 0.9
    state.take(run_status(model="demo"))
    clock.time += 1.9
    assert _texts(state) == ["no new estimate for 4 s"]
    assert math.isnan(state.rows()[0].weight)  # it says nothing about now
    assert not state.plane(5).fresh


def test_trail_fades_by_age_and_breaks_at_a_gap() -> None:
    times = np.concatenate([np.arange(960.0, 980.0, 0.25), np.arange(985.0, 1000.0, 0.25)])
    path = Path(times, np.zeros((len(times), 4)))
    assert (~path.joined).sum() == 2  # before the gap, and at the end
    view = affect.plane_view(path, Path(np.zeros(0), np.zeros((0, 2))), 1000.0, "", 3)
    assert [float(piece.times[0]) for piece in view.trail] == [970.0, 985.0, 990.0]
    assert view.trail[1].times[-1] == view.trail[2].times[0]


def test_old_truth_is_not_shown() -> None:
    buffer = PathBuffer(TARGETS)
    buffer.append(chunk(StreamInfo("t", None, TARGETS, 4.0), [990.0], [[0.1, 0.2]]))
    empty = Path(np.zeros(0), np.zeros((0, 4)))
    assert affect.plane_view(empty, buffer.path(), 991.0, "", 3).truth == (0.1, 0.2)
    assert affect.plane_view(empty, buffer.path(), 995.0, "", 3).truth is None


def test_markers_that_came_back_over_lsl_are_events(state: WindowState) -> None:
    state.take(run_status(stream("stimulus", "", nominal_hz=0.0)))
    (sink,) = state.wanted().values()
    info = StreamInfo("stimulus", None, ("marker",), 0.0, dtype=TEXT)
    sink(Chunk.of(info, [995.0], [["film 1"]]))
    (marker,) = state.events.collect()
    assert (marker.time, marker.text, marker.kind) == (995.0, "stimulus: film 1", "marker")
    assert clock_words(marker.time - state.started) == "01:00"
    assert state.events.collect() == []
    assert list(state.events.lines) == [marker]


def test_events_carry_their_level(state: WindowState) -> None:
    for kind in EventKind:
        state.take(Event(1000.0, kind, "cap", "text"))
    levels = {line.kind: line.level for line in state.events.lines}
    assert levels["lost"] is Level.ERROR
    assert levels["gap"] is Level.WARN
    assert levels["recovered"] is Level.GOOD
    assert len(levels) == len(EventKind)


def test_refused_command_is_said_and_forgotten(state: WindowState, clock: FakeClock) -> None:
    state.take(run_status())
    state.take(CommandReply("marker", "x", "the run did not answer"))
    assert _texts(state) == ["marker failed: the run did not answer"]
    clock.time += 1.9
    state.take(run_status(time=1001.9))
    clock.time += 1.9
    state.take(run_status(time=1003.8))
    clock.time += 1.9
    assert _texts(state) == []


def test_failure_of_the_window_itself_is_not_silent(state: WindowState) -> None:
    state.take(run_status())
    state.fail("link to the run", "")
    assert _texts(state) == []
    state.fail("link to the run", "ValueError: x")
    assert "link to the run failed: ValueError: x" in _texts(state)[0]


def test_preview_is_kept_with_its_number(state: WindowState) -> None:
    state.take(PreviewImage(b"a"))
    state.take(PreviewImage(b"b"))
    assert (state.preview, state.previews) == (b"b", 2)


def test_rows_say_what_is_wrong_in_words_and_numbers(state: WindowState) -> None:
    state.take(
        run_status(
            stream("sim-truth", "", nominal_hz=4.0, quality=math.nan),
            stream("slow", "eda", rate_hz=80.0, gaps=2, lost=31, age=1.7),
            stream(MARKERS.name, "", nominal_hz=0.0),
            stream("new", "ecg", rate_hz=math.nan, samples=0, age=math.nan),
            features={"ecg": {"heart_rate": 61.6}, "eda": {"scl_log": math.log(4.2)}},
        )
    )
    new, slow, truth = state.rows()
    assert slow.rate == "80.0 / 100 Hz"
    assert (slow.rate_ok, slow.whole, slow.age_ok) == (False, False, False)
    assert (slow.gaps, slow.lost, slow.reading) == ("2", "31", "4.2 µS")
    assert (new.rate, new.rate_ok, new.age, new.reading) == ("- / 100 Hz", True, "", "62 bpm")
    assert truth.name == "truth (simulated)"


@pytest.mark.parametrize(
    ("modality", "feature", "value", "reading"),
    [
        ("resp", "resp_rate", 14.6, "15 /min"),
        ("temp", "temp_level", 33.26, "33.3 °C"),
        ("emg", "emg_level", math.log(12.0), "12 µV"),
        ("temp", "temp_level", math.nan, ""),
    ],
)
def test_a_row_shows_the_reading_of_its_modality(
    state: WindowState, modality: str, feature: str, value: float, reading: str
) -> None:
    state.take(run_status(stream("new", modality), features={modality: {feature: value}}))
    (row,) = state.rows()
    assert row.reading == reading
