"""The window: one timer that takes what came, asks the state, and lets the widgets draw it."""

from __future__ import annotations

import math
from collections import deque

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QColor, QImage, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from biosense.gui.connection.control_client import ControlLink
from biosense.gui.connection.lsl_feed import LslFeed
from biosense.gui.state.banners import Phase
from biosense.gui.state.estimate_paths import PlaneView
from biosense.gui.state.event_log import EventLine, clock_words
from biosense.gui.state.window_state import DEMONSTRATION, SPAN_S, WindowState
from biosense.gui.widgets import theme
from biosense.gui.widgets.curves import Curves
from biosense.gui.widgets.plane import STEPS, Plane
from biosense.gui.widgets.stream_table import StreamTable
from biosense.gui.widgets.sweep import Sweep
from biosense.gui.widgets.topbar import BannerBar, TopBar

FRAME_MS = 40
_WORDS_S = 0.25  # between two looks at everything that is not a trace
_PREVIEW_PX = 150
_LINES = 200


class MainWindow(QWidget):
    """Show a run.

    Parameters
    ----------
    state
        Decides what is shown.
    link, feed
        Bring what comes from the run; closed with the window.
    """

    def __init__(self, state: WindowState, link: ControlLink, feed: LslFeed) -> None:
        super().__init__()
        self.state, self._link, self._feed = state, link, feed
        self._drawn_estimates = (-1, -1)
        self._drawn_preview = self._shown_lines = 0
        self._words_due = -math.inf
        self._frames: deque[float] = deque(maxlen=50)
        self.setWindowTitle("biosense")
        self.setStyleSheet(theme.style_sheet())
        self.setFont(theme.font(13))
        self._make_parts()
        self._lay_out()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFocus()
        self.timer = QTimer(self, interval=FRAME_MS, timerType=Qt.TimerType.PreciseTimer)
        self.timer.timeout.connect(self.advance)
        self.timer.start()

    def advance(self) -> None:
        """Take what came and draw what is new: one frame."""
        for message in self._link.take():
            self.state.take(message)
        self._feed.want(self.state.wanted())
        for marker in self.state.events.collect():
            self.sweep.mark(marker.time, marker.text)
        now = self.state.now
        self._frames.append(now)
        if self.isMinimized():
            return
        self.sweep.set_traces(self.state.traces)
        self.sweep.advance(now)
        self._draw_affect(now)
        self._draw_preview()
        if now >= self._words_due:
            self._words_due = now + _WORDS_S
            self._draw_words()

    @property
    def frames_per_second(self) -> float:
        """Rate at which frames were drawn lately; NaN before it is known."""
        if len(self._frames) < 2 or self._frames[-1] <= self._frames[0]:
            return math.nan
        return (len(self._frames) - 1) / (self._frames[-1] - self._frames[0])

    def leave(self) -> None:
        """Close the window without a word to the run."""
        self.release()
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """End the demonstration, if it is one, and this window's threads."""
        if self.timer.isActive() and self.state.stops_on_close:
            self._link.send("stop")
        self.release()
        event.accept()

    def release(self) -> None:
        """Stop drawing and end the threads; the run is not told."""
        if self.timer.isActive():
            self.timer.stop()
            self._link.close()
            self._feed.close()

    def _make_parts(self) -> None:
        self.top, self.banners = TopBar(), BannerBar()
        self.sweep, self.plane = Sweep(SPAN_S), Plane()
        self.curves, self.table = Curves(), StreamTable()
        self.note, self.readout = QLabel(DEMONSTRATION), QLabel()
        self.events, self.preview, self.footer = QListWidget(), QLabel(), QLabel()
        self.legend = QLabel()
        self.legend.setObjectName("quiet")
        self.legend.setFont(theme.font(11))
        self.note.setObjectName("note")
        self.footer.setObjectName("footer")
        for label in (self.note, self.footer):
            label.setFont(theme.font(12))
        self.readout.setFont(theme.font(14, bold=True))
        self.events.setFont(theme.font(12))
        self.events.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.events.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.events.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.events.verticalScrollBar().rangeChanged.connect(self._follow_events)
        self.preview.hide()
        self.top.marked.connect(lambda text: self._link.send("marker", text))
        self.top.stopped.connect(lambda: self._link.send("stop"))

    def _lay_out(self) -> None:
        left, right = QVBoxLayout(), QVBoxLayout()
        left.addWidget(_panel("Signals", f"sweep of {SPAN_S:g} s", self.sweep), 1)
        left.addWidget(_panel("Streams", "", self.table))
        affect = _panel("Estimate", "", self.readout, self.plane, stretch=1, aside=self.note)
        right.addWidget(affect, 58)
        past = _panel("Last two minutes", "", self.curves, stretch=1, aside=self.legend)
        right.addWidget(past, 27)
        events = QWidget()
        row = QHBoxLayout(events)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.preview)
        row.addWidget(self.events, 1)
        right.addWidget(_panel("Events", "", events, stretch=1), 15)
        body = QHBoxLayout()
        body.setContentsMargins(12, 0, 12, 0)
        for column, share in ((left, 66), (right, 34)):
            column.setSpacing(10)
            body.addLayout(column, share)
        body.setSpacing(10)
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 6)
        page.setSpacing(6)
        page.addWidget(self.top)
        page.addWidget(self.banners)
        page.addLayout(body, 1)
        page.addWidget(self.footer)
        self.footer.setContentsMargins(16, 0, 16, 0)

    def _draw_affect(self, now: float) -> None:
        # Without new estimates the picture still moves into the past, once a second.
        version = (self.state.estimates_total, int(now))
        if version == self._drawn_estimates:
            return
        self._drawn_estimates = version
        view = self.state.plane(STEPS)
        self.plane.show_view(view)
        truth = self.state.truth
        self.curves.show_paths(self.state.estimates, truth, now)
        dashed = ", dashed: truth (simulated)" if len(truth.times) else ""
        self.legend.setText(f"line: estimate, band: ±1 sd{dashed}")
        self.readout.setText(_readout(view))
        self.readout.setEnabled(view.fresh)

    def _draw_preview(self) -> None:
        if self.state.previews == self._drawn_preview or self.state.preview is None:
            return
        self._drawn_preview = self.state.previews
        image = QImage.fromData(self.state.preview)
        if not image.isNull():
            mode = Qt.TransformationMode.SmoothTransformation
            self.preview.setPixmap(QPixmap.fromImage(image.scaledToWidth(_PREVIEW_PX, mode)))
            self.preview.show()

    def _draw_words(self) -> None:
        state = self.state
        state.fail("reading of LSL streams", self._feed.failure)
        state.fail("link to the run", self._link.failure)
        headline, live = state.headline(), state.phase is Phase.LIVE
        folder = "" if state.status is None else state.status.recording
        self.top.show_headline(headline, folder=folder, live=live)
        self.note.setVisible(headline.demonstration)
        self.banners.show_banners(state.banners())
        self.table.set_rows(state.rows())
        self.sweep.set_badges(state.badges())
        self._draw_events()
        self.footer.setText(self._footer())

    def _draw_events(self) -> None:
        total = self.state.events.total
        new = min(total - self._shown_lines, len(self.state.events.lines))
        self._shown_lines = total
        if new == 0:
            return
        for line in list(self.state.events.lines)[-new:]:
            self.events.addItem(_event_item(line, self.state.started))
        while self.events.count() > _LINES:
            self.events.takeItem(0)
        self._follow_events()

    def _follow_events(self) -> None:
        if not self.events.underMouse():  # somebody reads what was before
            self.events.scrollToBottom()

    def _footer(self) -> str:
        status = self.state.status
        parts = [self.state.closing]
        if not math.isnan(self.frames_per_second):
            parts.append(f"{self.frames_per_second:.0f} frames/s")
        if status is not None:
            if not math.isnan(status.latency_ms):
                parts.append(f"latency {status.latency_ms:.0f} ms")
            if not math.isnan(status.cpu_cores):
                parts.append(f"run: {status.cpu_cores:.2f} cores, {status.rss_mb:.0f} MB")
            if status.frames_dropped:
                parts.append(f"{status.frames_dropped} camera frames dropped")
        return "   ·   ".join(part for part in parts if part)


def _panel(
    title: str, about: str, *widgets: QWidget, stretch: int = 0, aside: QWidget | None = None
) -> QFrame:
    """Put widgets into a frame, with a heading and something `aside` of it; the last one grows."""
    frame = QFrame()
    frame.setObjectName("panel")
    box = QVBoxLayout(frame)
    box.setContentsMargins(12, 8, 12, 10)
    box.setSpacing(6)
    row = QHBoxLayout()
    heading, words = QLabel(title), QLabel(about)
    heading.setObjectName("heading")
    heading.setFont(theme.font(13, bold=True))
    words.setObjectName("quiet")
    words.setFont(theme.font(11))
    row.addWidget(heading)
    row.addStretch(1)
    row.addWidget(aside or words)
    box.addLayout(row)
    for widget in widgets:
        box.addWidget(widget, stretch if widget is widgets[-1] else 0)
    return frame


def _event_item(line: EventLine, started: float) -> QListWidgetItem:
    clock = clock_words(line.time - started)
    item = QListWidgetItem(f"{clock}  {line.kind}  {line.text}")
    item.setForeground(QColor(theme.LEVELS[line.level]))
    item.setToolTip(line.text)
    return item


def _readout(view: PlaneView) -> str:
    if view.newest is None:
        return ""
    valence, arousal, sd_valence, sd_arousal = view.newest
    said = (
        f"valence {valence:+.2f} ± {sd_valence:.2f}      arousal {arousal:+.2f} ± {sd_arousal:.2f}"
    )
    return said if view.fresh else f"{said}   (old)"
