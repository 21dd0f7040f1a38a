"""The whole window off screen, on a real control socket and real LSL streams."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QBuffer, QIODevice, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from biosense.acquisition.lsl import LslClock
from biosense.core.affect import ESTIMATE_VALUES
from biosense.core.own_streams import AFFECT
from biosense.core.stream_status import StreamState
from biosense.core.types import Chunk, Modality, StreamInfo
from biosense.gui.app import show
from biosense.gui.connection.control_client import ControlLink
from biosense.gui.connection.lsl_feed import LslFeed
from biosense.gui.state.banners import Level, Phase
from biosense.gui.state.estimate_paths import Path as AffectPath
from biosense.gui.state.window_state import WindowState
from biosense.gui.widgets.curves import band_path
from biosense.gui.widgets.plane import STEPS
from biosense.gui.widgets.window import MainWindow
from biosense.live.output.control_socket import EVENT, PREVIEW, STATUS, ControlServer
from biosense.live.output.lsl_outlet import LslOutlet
from biosense.live.output.publisher import MARKERS, text_chunk
from tests.support.gui_fakes import run_status, stream

pytestmark = pytest.mark.gui

CLOCK = LslClock()
ECG = StreamInfo("chest", Modality.ECG, ("ecg",), 100.0, "mV", "id-window-chest", "float32")
MARKS = StreamInfo(MARKERS.name, None, ("marker",), 0.0, "", MARKERS.source_id, "str")
AFFECT_INFO = StreamInfo(AFFECT, None, (*ESTIMATE_VALUES, "weight_ecg"), 4.0, source_id=AFFECT)


class FakeRun:
    """Publish as a run does: status and events by its socket, samples and estimates by LSL."""

    def __init__(self, participant: str = "simulated") -> None:
        self.commands: list[Mapping[str, Any]] = []
        self.server = ControlServer(self._command)
        self.outlets = {info.name: LslOutlet(info) for info in (ECG, MARKS, AFFECT_INFO)}
        self.participant = participant
        self.started = self.sent = CLOCK.now()
        self.state = StreamState.GOOD

    def speak(self) -> None:
        """Publish a status, and the samples and estimates up to now."""
        now = CLOCK.now()
        times = np.arange(self.sent, now, 0.01)
        if len(times):
            self.sent = float(times[-1]) + 0.01
            self._push(ECG, times, np.sin(6.0 * times)[:, None])
            self._push(AFFECT_INFO, [now], [[0.4, -0.2, 0.1, 0.2, 1.0]])
        markers = stream(MARKERS.name, "", nominal_hz=0.0, source_id=MARKERS.source_id)
        ecg = stream("chest", "ecg", state=self.state, age=3.0, source_id=ECG.source_id)
        status = run_status(
            ecg,
            markers,
            time=now,
            elapsed=now - self.started,
            participant=self.participant,
            model="demo",
        )
        self.server.publish_json(STATUS, status.to_json())

    def _push(self, info: StreamInfo, times: Any, data: Any) -> None:
        self.outlets[info.name].push(Chunk.of(info, times, data))

    def _command(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self.commands.append(request)
        if request["command"] == "marker":
            self.outlets[MARKS.name].push(text_chunk(MARKS, CLOCK.now(), request["text"]))
        return {"pid": 4711}

    def names(self) -> list[str]:
        return [request["command"] for request in self.commands]

    def close(self) -> None:
        self.server.close()
        for outlet in self.outlets.values():
            outlet.close()


@pytest.fixture
def run() -> Iterator[FakeRun]:
    run = FakeRun()
    yield run
    run.close()


@pytest.fixture
def window(qtbot: QtBot, run: FakeRun) -> Iterator[MainWindow]:
    state = WindowState(CLOCK, is_alive=lambda _: True)
    window = MainWindow(state, ControlLink(run.server.address, run.server.token), LslFeed(CLOCK))
    window.resize(1280, 800)
    window.show()
    yield window
    window.leave()
    window.deleteLater()


def until(qtbot: QtBot, run: FakeRun | None, enough: Callable[[], bool]) -> None:
    def is_asked() -> bool:
        if run is not None:
            run.speak()
        return enough()

    qtbot.waitUntil(is_asked, timeout=20_000)


def test_window_shows_what_the_run_sends(qtbot: QtBot, run: FakeRun, window: MainWindow) -> None:
    state = window.state
    until(qtbot, run, lambda: state.estimates_total > 0 and state.weights == {"ecg": 1.0})
    until(qtbot, run, lambda: bool(state.traces) and state.traces[0].buffer.total > 100)
    until(qtbot, run, lambda: "valence +0.40" in window.readout.text())
    assert [row.name for row in window.table.rows] == ["chest"]
    assert window.note.isVisible()
    assert window.plane.dot.isVisible()
    assert window.banners.isHidden()
    assert window.footer.text().startswith("Closing this window ends the demonstration.")
    assert window.frames_per_second > 5


def test_marker_goes_to_the_run_and_comes_back_on_the_traces(
    qtbot: QtBot, run: FakeRun, window: MainWindow
) -> None:
    until(qtbot, run, lambda: run.outlets[MARKS.name].has_readers)
    until(qtbot, run, window.top.mark.isEnabled)
    window.top.text.setFocus()
    qtbot.keyClicks(window.top.text, "mmm")
    assert "marker" not in run.names()  # the shortcut is a letter like any other there
    qtbot.keyClick(window.top.text, Qt.Key.Key_Return)
    until(qtbot, run, lambda: window.events.count() > 0)
    assert run.commands[-1]["text"] == "mmm"
    assert "marker  mmm" in window.events.item(0).text()
    assert [text for _, text in window.sweep._markers] == ["mmm"]


def test_key_marks_at_once(qtbot: QtBot, run: FakeRun, window: MainWindow) -> None:
    until(qtbot, run, window.top.mark.isEnabled)
    window.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_M)
    until(qtbot, run, lambda: "marker" in run.names())
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.isVisible()


@pytest.mark.parametrize(
    ("answer", "stops"),
    [(QMessageBox.ButtonRole.RejectRole, False), (QMessageBox.ButtonRole.AcceptRole, True)],
)
def test_stop_asks_first(
    qtbot: QtBot, run: FakeRun, window: MainWindow, answer: QMessageBox.ButtonRole, stops: bool
) -> None:
    until(qtbot, run, window.top.stop.isEnabled)
    window.top.stop.click()
    (box,) = window.findChildren(QMessageBox)
    (button,) = (each for each in box.buttons() if box.buttonRole(each) is answer)
    button.click()
    until(qtbot, run, lambda: not window.findChildren(QMessageBox))
    until(qtbot, run, lambda: not stops or "stop" in run.names())
    assert run.names().count("stop") == int(stops)


def test_silence_is_loud_and_the_window_lives_on(
    qtbot: QtBot, run: FakeRun, window: MainWindow
) -> None:
    until(qtbot, run, lambda: window.state.phase is Phase.LIVE)
    until(qtbot, None, lambda: window.state.phase is Phase.SILENT)
    until(qtbot, None, lambda: not window.banners.isHidden())
    assert "no word from the run" in window.banners.labels[0].text()
    assert not window.top.mark.isEnabled()
    assert window.timer.isActive()
    until(qtbot, run, lambda: window.state.phase is Phase.LIVE)
    until(qtbot, run, window.top.mark.isEnabled)


def test_lost_stream_is_loud(qtbot: QtBot, run: FakeRun, window: MainWindow) -> None:
    run.state = StreamState.LOST
    until(qtbot, run, lambda: not window.banners.isHidden())
    assert "lost: chest (3 s)" in window.banners.labels[0].text()


def test_event_and_camera_picture_are_shown(qtbot: QtBot, run: FakeRun, window: MainWindow) -> None:
    until(qtbot, run, lambda: window.state.phase is Phase.LIVE)
    assert window.preview.isHidden()
    event = {"time": CLOCK.now(), "kind": "gap", "stream": "chest", "text": "0.5 s"}
    run.server.publish(EVENT, json.dumps(event).encode())
    run.server.publish(PREVIEW, _jpeg())
    until(qtbot, run, lambda: window.preview.isVisible() and window.events.count() == 1)
    assert "gap  chest: 0.5 s" in window.events.item(0).text()
    assert window.preview.pixmap().width() == 150


@pytest.mark.parametrize(("participant", "stops"), [("simulated", True), ("p01", False)])
def test_closing_stops_a_demonstration_and_nothing_else(
    qtbot: QtBot, participant: str, stops: bool
) -> None:
    before = set(threading.enumerate())
    run = FakeRun(participant)
    state = WindowState(CLOCK, is_alive=lambda _: True)
    window = MainWindow(state, ControlLink(run.server.address, run.server.token), LslFeed(CLOCK))
    window.show()
    until(qtbot, run, lambda: state.phase is Phase.LIVE)
    window.close()
    assert ("stop" in run.names()) is stops
    assert not window.timer.isActive()
    run.close()
    assert set(threading.enumerate()) <= before
    window.deleteLater()


def test_show_runs_to_its_end_and_leaves_a_picture(
    qapp: QApplication, run: FakeRun, tmp_path: Path
) -> None:
    picture = tmp_path / "window.png"
    stop = threading.Event()

    def talk() -> None:
        while not stop.wait(0.1):
            run.speak()

    talking = threading.Thread(target=talk)
    talking.start()
    try:
        status = show(run.server.address, run.server.token, screenshot=picture, after=3.0)
    finally:
        stop.set()
        talking.join()
    assert status == 0
    assert QImage(str(picture)).width() == 1280
    assert "stop" not in run.names()


def test_plane_draws_old_estimates_dimly(qtbot: QtBot, window: MainWindow) -> None:
    state = window.state
    state._said_estimates.put(CLOCK.now() - 10.0, dict.fromkeys(ESTIMATE_VALUES, 0.3))
    view = state.plane(STEPS)
    window.plane.show_view(view)
    assert not view.fresh
    assert window.plane.dot.isVisible()
    assert not window.plane.ellipse.isVisible()
    assert not window.plane.truth.isVisible()


def test_band_is_broken_at_a_gap() -> None:
    times = np.array([0.0, 0.25, 0.5, 5.0, 5.25, 9.0])
    path = AffectPath(times, np.zeros((6, 4)))
    area = band_path(times, np.full(6, -0.1), np.full(6, 0.1), path)
    assert len(area.toSubpathPolygons()) == 2
    assert not area.contains(area.boundingRect().center())  # at 2.6 s


def test_recording_that_failed_is_very_loud(qtbot: QtBot, window: MainWindow) -> None:
    window.state.take(
        run_status(time=CLOCK.now(), recording="/d/x_p01", recording_failed="no space left")
    )
    window._draw_words()
    assert window.top.recording.text() == "✕ RECORDING FAILED"
    assert window.top.recording.toolTip() == "/d/x_p01"
    assert window.state.banners()[0].level is Level.ERROR
    assert "no space left" in window.banners.labels[0].text()


def _jpeg() -> bytes:
    image = QImage(320, 240, QImage.Format.Format_RGB888)
    image.fill(Qt.GlobalColor.darkCyan)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    assert image.save(buffer, "JPG")
    return bytes(buffer.data().data())
