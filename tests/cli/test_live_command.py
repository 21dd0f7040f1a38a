"""`biosense live`: what cannot be opened, a run from beginning to end, and its window."""

from __future__ import annotations

import errno
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from biosense.acquisition.lsl import LslClock, LslSource
from biosense.acquisition.simulated.source import SimulatedSource
from biosense.acquisition.xdf import append_file
from biosense.acquisition.xdf.reader import XdfReader
from biosense.cli import session as session_module
from biosense.cli.session import WarningView
from biosense.core.types import Chunk, Event, EventKind, Modality, StreamInfo
from biosense.live.output.control_socket import STATUS, ControlClient, ControlRefused
from biosense.live.output.lsl_outlet import LslOutlet
from biosense.live.output.run_control import RunControl
from biosense.live.output.status import RunStatus
from tests.support.recorded_runs import recorded

CLOCK = LslClock()
QUIET = ("--preflight", 0, "--headless", "--json")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for streams for half a second instead of five."""
    monkeypatch.setitem(LslSource.__init__.__kwdefaults__, "timeout", 0.5)


@pytest.fixture
def two_sensors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the simulated participant wear two sensors: what is tested needs no more."""
    wanted = (Modality.ECG, Modality.EDA)
    monkeypatch.setitem(SimulatedSource.__init__.__kwdefaults__, "modalities", wanted)


@pytest.fixture
def sending() -> Iterator[StreamInfo]:
    """A gaze tracker that sends over LSL, a packet of 5 samples each 50 ms."""
    info = StreamInfo("gaze [left]", None, ("x",), 100.0, "px", "eyes-1", content_type="Gaze")
    over = threading.Event()

    def send() -> None:
        with LslOutlet(info) as outlet:
            while not over.wait(0.05):
                times = CLOCK.now() - np.arange(5)[::-1] / 100
                outlet.push(Chunk.of(info, times, np.ones((5, 1))))

    thread = threading.Thread(target=send)
    thread.start()
    yield info
    over.set()
    thread.join()


@pytest.mark.usefixtures("impatient")
def test_a_stream_that_is_not_there_is_named_with_those_that_are(
    biosense, sending: StreamInfo, tmp_path: Path
) -> None:
    arguments = ("live", "--lsl", "nosuch", "--no-model", "--record", tmp_path, *QUIET)
    reason = biosense(*arguments).reason
    assert "no LSL stream 'nosuch'" in reason
    assert "'gaze [left]' (type=Gaze" in reason
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("camera", "words"),
    [
        ("nosuch.mp4", "no video file 'nosuch.mp4'"),
        ("63", "63"),
        ("ftp://somewhere/video", "cannot read a camera at 'ftp://somewhere/video'"),
    ],
)
def test_a_camera_that_is_not_there_is_said(biosense, camera: str, words: str) -> None:
    assert words in biosense("live", "--camera", camera, "--no-model", *QUIET).reason


def test_a_model_that_is_not_there_is_said(biosense) -> None:
    assert "no checkpoint file" in biosense("live", "--simulate", "--model", "best", *QUIET).reason


def test_an_lsl_stream_is_recorded(biosense, sending: StreamInfo, tmp_path: Path) -> None:
    answer = biosense(
        *("live", "--lsl", sending.source_id, "--no-model", "--record", tmp_path),
        *("--seconds", 1.5, "--participant", "P1", *QUIET),
    )
    assert answer.code == 0
    counted = answer.json["streams"][sending.name]
    assert counted["samples"] >= 50
    assert answer.json["estimates"] == 0
    assert answer.json["estimate_hz"] is None
    folder = Path(answer.json["recording"])
    assert folder.parent == tmp_path
    assert folder.name.endswith("_P1")
    assert sum(chunk.n for chunk in recorded(folder)[sending.name]) == counted["samples"]


@pytest.mark.usefixtures("two_sensors")
def test_a_run_is_recorded_and_can_be_estimated_again(biosense, brief, tmp_path: Path) -> None:
    answer = biosense(
        *("live", "--simulate", "--model", brief.checkpoint, "--record", tmp_path),
        *("--features", "--mains", 60, "--seconds", 2.5, *QUIET),
    )
    assert answer.code == 0
    assert len(answer.out.splitlines()) == 1, "standard output is for the JSON"
    assert set(answer.json["streams"]) == {"sim-ecg", "sim-eda"}
    assert answer.json["estimates"] >= 4
    assert answer.json["estimate_hz"] == pytest.approx(4.0)
    assert 0 < answer.json["latency_ms"]["p50"] < 150
    folder = Path(answer.json["recording"])
    assert "biosense-features-eda" in recorded(folder)
    again = biosense("estimate", folder, "--json").json
    assert again["model"] == str(brief.checkpoint)
    assert again["estimates"] == answer.json["estimates"]
    assert again["live"]["largest_difference"] == 0.0


@pytest.mark.usefixtures("two_sensors")
def test_without_a_display_the_run_shows_itself_in_the_terminal(biosense, brief) -> None:
    answer = biosense("live", "--simulate", "--model", brief.checkpoint, "--seconds", 1)
    assert answer.code == 0
    assert answer.out == ""
    assert "no display: the run shows itself in the terminal" in answer.err
    assert "not recording" in answer.err
    assert "sim-ecg" in answer.err
    assert "estimates," in answer.err


@pytest.mark.usefixtures("two_sensors")
def test_a_full_disk_is_exit_code_1_behind_the_summary(
    biosense, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, free = os.write, [8000]

    def refuse(file: int, data: bytes) -> int:
        if free[0] <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        free[0] -= len(data)
        return write(file, data)

    monkeypatch.setattr(append_file.os, "write", refuse)
    arguments = ("--no-model", "--record", tmp_path, "--seconds", 1.5, *QUIET)
    answer = biosense("live", "--simulate", *arguments)
    assert "No space left on device" in answer.reason
    assert answer.json["streams"]["sim-ecg"]["samples"] > 256


@pytest.mark.usefixtures("two_sensors")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_in_good_order(
    biosense, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: signal.Signals
) -> None:
    reported, show = [], RunControl.show_status

    def interrupt(self: RunControl, status: RunStatus) -> None:
        show(self, status)
        reported.append(status)
        if len(reported) == 3:
            signal.raise_signal(end)

    before = signal.getsignal(end)
    monkeypatch.setattr(RunControl, "show_status", interrupt)
    answer = biosense("live", "--simulate", "--no-model", "--record", tmp_path, *QUIET)
    assert answer.code == 0
    assert answer.json["seconds"] < 10
    assert XdfReader(Path(answer.json["recording"])).complete
    assert signal.getsignal(end) is before


class Window:
    """What the window does, without one: speaks to the run over its control socket."""

    def __init__(self, act: Callable[[ControlClient], None]) -> None:
        self._act = act
        self._elsewhere = ThreadPoolExecutor(1)

    def open(self, control: RunControl) -> None:
        self._acting = self._elsewhere.submit(self._live, control)

    def closed(self) -> None:
        self._elsewhere.shutdown()
        self._acting.result()

    def _live(self, control: RunControl) -> None:
        with closing(ControlClient(control.address, control.token)) as client:
            self._act(client)


@pytest.mark.usefixtures("two_sensors")
def test_a_window_sets_markers_sees_the_run_and_stops_it(
    biosense, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[RunStatus] = []

    def act(client: ControlClient) -> None:
        assert client.request("hello", timeout=10)["pid"] == os.getpid()
        while not seen or seen[-1].streams[0].samples == 0:
            for topic, payload in client.receive(wait=5):
                if topic == STATUS:
                    seen.append(RunStatus.from_json(json.loads(payload)))
        client.request("marker", text="[/trial 1] \ud800 ✓")
        with pytest.raises(ControlRefused, match="no command 'explode'; there are: hello"):
            client.request("explode")
        client.request("stop")

    window = Window(act)
    monkeypatch.setattr(session_module, "open_window", window.open)
    arguments = ("--no-model", "--record", tmp_path, "--seconds", 30, "--preflight", 0, "--json")
    answer = biosense("live", "--simulate", *arguments)
    window.closed()
    assert answer.code == 0
    assert answer.json["seconds"] < 25, "the window stopped it"
    assert [stream.name for stream in seen[-1].streams[:2]] == ["sim-ecg", "sim-eda"]
    (marker,) = recorded(Path(answer.json["recording"]))["biosense-markers"]
    assert marker.data[0, 0] == "[/trial 1] ? ✓"


def test_events_are_shown_as_they_are_whatever_their_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    view = WarningView()
    view.note(Event(1.0, EventKind.LOST, "eeg [/x]", "no [bold] signal :heart:"))
    view.note(Event(1.0, EventKind.INFO, "eeg", "nobody needs to read this"))
    assert capsys.readouterr().err == "lost eeg [/x]: no [bold] signal :heart:\n"


@pytest.mark.usefixtures("two_sensors")
def test_a_folder_that_cannot_be_made_is_said(biosense, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    where = tmp_path / "file" / "recordings"
    reason = biosense("live", "--simulate", "--no-model", "--record", where, *QUIET).reason
    assert str(where) in reason
