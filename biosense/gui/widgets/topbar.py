"""The top of the window: how long, whether it records, whose, and what a person can do."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from biosense.gui.state.banners import Banner, Level
from biosense.gui.state.headline import Headline
from biosense.gui.widgets import theme


class TopBar(QWidget):
    """Show a `Headline`; tell when a marker or a stop is wanted."""

    marked = Signal(str)
    stopped = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.name = _label("biosense", 18, bold=True)
        self.elapsed = _label("--:--", 22, bold=True)
        self.recording = _label("", 13, bold=True)
        self.about = _label("", 13)
        self.about.setObjectName("quiet")
        self.text = QLineEdit()
        self.text.setPlaceholderText("marker text")
        self.text.setAccessibleName("marker text")
        self.text.setMaximumWidth(220)
        self.mark = QPushButton("Mark  (M)")
        self.mark.setToolTip("Put a marker with this text into the recording, now")
        self.stop = QPushButton("Stop")
        self.stop.setObjectName("stop")
        self._lay_out()
        self.mark.clicked.connect(self._mark)
        self.text.returnPressed.connect(self._mark)
        self.stop.clicked.connect(self.ask_to_stop)
        # While the field has the focus, the letter goes there.
        QShortcut(QKeySequence("M"), self, self._mark)
        QShortcut(QKeySequence("Escape"), self.text, self.text.clearFocus)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 8, 12, 8)
        row.setSpacing(16)
        for label in (self.name, self.elapsed, self.recording, self.about):
            row.addWidget(label)
        row.addStretch(1)
        for widget in (self.text, self.mark, self.stop):
            widget.setFont(theme.font(13))
            row.addWidget(widget)
        for button in (self.mark, self.stop):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.text.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    def show_headline(self, headline: Headline, *, folder: str, live: bool) -> None:
        """Show the words; `folder` is the whole path of the recording."""
        _set(self.elapsed, headline.elapsed)
        colour = theme.FAINT if not live else theme.TEXT
        _style(self.elapsed, f"color: {colour};")
        _set(self.recording, headline.recording)
        _style(self.recording, _recording_style(headline.recording_level))
        self.recording.setToolTip(folder)
        about = [f"participant {headline.participant}" if headline.participant else ""]
        _set(self.about, "   ·   ".join(part for part in (*about, headline.model) if part))
        for widget in (self.mark, self.stop, self.text):
            widget.setEnabled(live)

    def ask_to_stop(self) -> None:
        """Ask before the run is stopped."""
        question = QMessageBox(self.window())
        question.setWindowTitle("biosense")
        question.setText("Stop the run?")
        question.setInformativeText("The recording, if there is one, is closed in good order.")
        stop = question.addButton("Stop the run", QMessageBox.ButtonRole.AcceptRole)
        question.setDefaultButton(question.addButton(QMessageBox.StandardButton.Cancel))
        question.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        stop.clicked.connect(self.stopped)
        question.open()  # the window goes on drawing behind it

    def _mark(self) -> None:
        if self.mark.isEnabled():
            self.marked.emit(self.text.text().strip() or "marker")
            self.text.clear()


class BannerBar(QWidget):
    """Show banners below each other; takes no room without any."""

    def __init__(self) -> None:
        super().__init__()
        self.labels: list[QLabel] = []
        self._banners: tuple[Banner, ...] = ()
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(12, 0, 12, 0)
        self._box.setSpacing(4)
        self.hide()

    def show_banners(self, banners: Sequence[Banner]) -> None:
        """Show these banners and no others."""
        if tuple(banners) == self._banners:
            return
        self._banners = tuple(banners)
        while len(self.labels) < len(banners):
            label = _label("", 14, bold=True)
            label.setWordWrap(True)
            self._box.addWidget(label)
            self.labels.append(label)
        for number, label in enumerate(self.labels):
            label.setVisible(number < len(banners))
            if number < len(banners):
                _set(label, banners[number].text)
                _style(label, _banner_style(banners[number].level))
        self.setVisible(bool(banners))


def _label(text: str, pixels: int, *, bold: bool = False) -> QLabel:
    label = QLabel(text)
    label.setFont(theme.font(pixels, bold=bold))
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def _set(label: QLabel, text: str) -> None:
    if label.text() != text:
        label.setText(text)


def _style(widget: QWidget, style: str) -> None:
    if widget.styleSheet() != style:  # a style sheet is parsed anew each time
        widget.setStyleSheet(style)


def _recording_style(level: Level) -> str:
    if level is Level.ERROR:
        ground = theme.LEVEL_GROUNDS[level]
        return f"color: white; background: {ground}; border-radius: 5px; padding: 4px 10px"
    return f"color: {theme.ERROR if level is Level.GOOD else theme.QUIET};"


def _banner_style(level: Level) -> str:
    ground = theme.LEVEL_GROUNDS.get(level, theme.PANEL)
    return (
        f"color: white; background: {ground}; padding: 7px 12px;"
        f"border-left: 5px solid {theme.LEVELS[level]};"
    )
