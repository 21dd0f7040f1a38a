"""The table of streams: state in colour and word, rate, gaps, losses, quality, weight."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from biosense.estimation.signal_quality import HIGH, LOW
from biosense.gui.state.panels import WORDS
from biosense.gui.state.stream_rows import StreamRow
from biosense.gui.widgets import theme

_ROW = 25.0
_HEAD = 22.0
_BAR = 8.0
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_MODALITY = {word: modality for modality, word in WORDS.items()}


@dataclass(frozen=True)
class _Column:
    """Hold one column: `share` of the width, and how a cell is drawn."""

    heading: str
    share: float
    right: bool
    draw: Callable[[QPainter, QRectF, StreamRow], None]


class StreamTable(QWidget):
    """Draw rows of health."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[StreamRow, ...] = ()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    @property
    def rows(self) -> tuple[StreamRow, ...]:
        """What is shown."""
        return self._rows

    def set_rows(self, rows: Sequence[StreamRow]) -> None:
        """Show these rows; costs nothing where they are the same."""
        if repr(rows) == repr(self._rows):  # NaN is not equal to itself
            return
        self._rows = tuple(rows)
        self.setAccessibleDescription("; ".join(f"{row.name}: {row.state}" for row in rows))
        self.setFixedHeight(self.sizeHint().height())
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size of the rows that there are."""
        return QSize(780, int(_HEAD + _ROW * max(len(self._rows), 1)) + 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw everything."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), theme.colour(theme.PANEL))
        columns = _columns(self._rows)
        whole = sum(column.share for column in columns)
        x = 0.0
        for column in columns:
            width = self.width() * column.share / whole
            self._draw_column(painter, column, x, width - 14)
            x += width
        painter.end()

    def _draw_column(self, painter: QPainter, column: _Column, x: float, width: float) -> None:
        painter.setFont(theme.font(11))
        painter.setPen(theme.colour(theme.QUIET))
        side = _RIGHT if column.right else _LEFT
        painter.drawText(QRectF(x, 0, width, _HEAD), side, column.heading)
        for number, row in enumerate(self._rows):
            column.draw(painter, QRectF(x, _HEAD + number * _ROW, width, _ROW), row)


def _text(
    painter: QPainter, box: QRectF, text: str, colour: str = theme.TEXT, *, left: bool = False
) -> None:
    painter.setFont(theme.font(12))
    painter.setPen(theme.colour(colour))
    painter.drawText(box, _LEFT if left else _RIGHT, text)


def _name(painter: QPainter, box: QRectF, row: StreamRow) -> None:
    hue = theme.MODALITIES.get(_MODALITY.get(row.modality, ""), theme.FAINT)
    mark = QRectF(box.left(), box.center().y() - 7, 3, 14)
    painter.fillRect(mark, theme.colour(hue))
    painter.setFont(theme.font(12, bold=True))
    painter.setPen(theme.colour(theme.TEXT if row.modality else theme.QUIET))
    words = painter.fontMetrics().elidedText(
        row.name, Qt.TextElideMode.ElideMiddle, int(box.width() - 10)
    )
    painter.drawText(box.adjusted(10, 0, 0, 0), _LEFT, words)


def _state(painter: QPainter, box: QRectF, row: StreamRow) -> None:
    hue, sign = theme.STATES[row.state]
    _text(painter, box, sign, hue, left=True)
    _text(painter, box.adjusted(18, 0, 0, 0), row.state, hue, left=True)


def _rate(painter: QPainter, box: QRectF, row: StreamRow) -> None:
    _text(painter, box, row.rate, theme.TEXT if row.rate_ok else theme.WARN)


def _gaps(painter: QPainter, box: QRectF, row: StreamRow) -> None:
    _text(painter, box, row.gaps, theme.TEXT if row.whole else theme.WARN)


def _lost(painter: QPainter, box: QRectF, row: StreamRow) -> None:
    _text(painter, box, row.lost, theme.TEXT if row.whole else theme.WARN)


def _age(painter: QPainter, box: QRectF, row: StreamRow) -> None:
    _text(painter, box, row.age, theme.TEXT if row.age_ok else theme.ERROR)


def _quality(painter: QPainter, box: QRectF, row: StreamRow) -> None:
    hue = theme.GOOD if row.quality >= HIGH else theme.WARN if row.quality >= LOW else theme.ERROR
    _draw_bar(painter, box, row.quality, hue)


def _weight(painter: QPainter, box: QRectF, row: StreamRow) -> None:
    _draw_bar(painter, box, row.weight, theme.ACCENT)


def _reading(painter: QPainter, box: QRectF, row: StreamRow) -> None:
    painter.setFont(theme.font(13, bold=True))
    painter.setPen(theme.colour(theme.TEXT))
    painter.drawText(box, _RIGHT, row.reading)


def _device(painter: QPainter, box: QRectF, row: StreamRow) -> None:
    _text(painter, box, row.device, theme.TEXT if row.device_ok else theme.WARN)


def _columns(rows: Sequence[StreamRow]) -> Sequence[_Column]:
    """Return the columns that have something to show: only some devices say how they are."""
    return [each for each in _COLUMNS if each is not _DEVICE or any(row.device for row in rows)]


def _draw_bar(painter: QPainter, box: QRectF, value: float, hue: str) -> None:
    """Draw 0 to 1 as a bar, with the number beside it; nothing for NaN."""
    if math.isnan(value):
        return
    groove = QRectF(box.left(), box.center().y() - _BAR / 2, box.width() - 36, _BAR)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour(theme.LINE))
    painter.drawRoundedRect(groove, 3, 3)
    filled = QRectF(groove)
    filled.setWidth(groove.width() * min(max(value, 0.0), 1.0))
    painter.setBrush(theme.colour(hue))
    painter.drawRoundedRect(filled, 3, 3)
    _text(painter, box, f"{value:.2f}")


_DEVICE = _Column("device", 118, True, _device)
_COLUMNS = (
    _Column("stream", 150, False, _name),
    _Column("state", 84, False, _state),
    _Column("rate / nominal", 128, True, _rate),
    _Column("gaps", 46, True, _gaps),
    _Column("lost", 50, True, _lost),
    _Column("age", 52, True, _age),
    _DEVICE,
    _Column("quality", 112, False, _quality),
    _Column("weight in estimate", 118, False, _weight),
    _Column("now", 74, True, _reading),
)
