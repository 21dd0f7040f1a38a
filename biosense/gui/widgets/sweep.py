"""The traces, drawn as a sweep: only the newest pixel columns are painted, over the oldest ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QWidget

from biosense.gui.state.pixel_columns import Columns, column_of, to_columns
from biosense.gui.state.trace import Trace
from biosense.gui.widgets import gutter, theme

AHEAD = 14  # blank columns between the newest and the oldest samples
LATE_S = 1.5  # radios send up to one second at once; a later stream is swept away as time goes
_BETWEEN = 5  # pixels between two streams
_MARKERS = 50
_PEN_PX = 1.2


@dataclass(eq=False)
class _Strip:
    """Hold where a trace is drawn, and how far: `row` is the first sample of its last column."""

    trace: Trace
    top: int
    height: int
    row: int = 0
    total: int = 0
    head: int | None = None

    @property
    def lane_height(self) -> float:
        return self.height / len(self.trace.panel.lanes)


class Sweep(QWidget):
    """Draw traces below each other.

    Parameters
    ----------
    span
        Seconds from the left edge to the right one.
    """

    def __init__(self, span: float) -> None:
        super().__init__()
        self._span = span
        self._strips: list[_Strip] = []
        self._badges: Mapping[str, str] = {}
        self._markers: deque[tuple[float, str]] = deque(maxlen=_MARKERS)
        self._canvas = QPixmap()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(gutter.WIDTH + 200, 160)

    @property
    def columns(self) -> int:
        """Width of the traces, pixels."""
        return max(self.width() - gutter.WIDTH, 1)

    @property
    def per_second(self) -> float:
        """Pixel columns in a second."""
        return self.columns / self._span

    def sizeHint(self) -> QSize:
        """Return the size that looks good."""
        return QSize(820, 470)

    def set_traces(self, traces: Sequence[Trace]) -> None:
        """Draw these traces from now on."""
        if [strip.trace for strip in self._strips] != list(traces):
            self._strips = [_Strip(trace, 0, 0) for trace in traces]
            self._lay_out()

    def set_badges(self, badges: Mapping[str, str]) -> None:
        """Say beside the traces what is wrong, by name of stream."""
        if badges != self._badges:
            self._badges = dict(badges)
            self.update(0, 0, gutter.WIDTH, self.height())

    def mark(self, time: float, text: str) -> None:
        """Draw a marker at its session time."""
        self._markers.append((time, text))
        self._forget()

    def advance(self, now: float) -> None:
        """Paint what is new at session time `now`."""
        for strip in self._strips:
            if strip.trace.follow(now):
                strip.head = None
                self.update(0, strip.top, gutter.WIDTH, strip.height)
            if strip.height > 0:
                self._extend(strip, now)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Begin a canvas of the new size."""
        self._lay_out()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Copy what is painted; write beside it only where that must be written again."""
        painter = QPainter(self)
        area, ratio = event.rect(), self._canvas.devicePixelRatio()
        traces = area.intersected(QRect(gutter.WIDTH, 0, self.columns, self.height()))
        source = QRectF(traces.translated(-gutter.WIDTH, 0))
        scaled = QRectF(source.topLeft() * ratio, source.size() * ratio)
        painter.drawPixmap(QRectF(traces), self._canvas, scaled)
        if area.left() < gutter.WIDTH:
            painter.fillRect(0, 0, gutter.WIDTH, self.height(), theme.colour(theme.PANEL))
            for strip in self._strips:
                box = QRectF(0, strip.top, gutter.WIDTH, strip.height)
                badge = self._badges.get(strip.trace.panel.stream, "")
                gutter.draw_gutter(painter, strip.trace, box, badge)
        painter.end()

    def _lay_out(self) -> None:
        ratio = self.devicePixelRatioF()
        self._canvas = QPixmap(QSize(self.columns, max(self.height(), 1)) * ratio)
        self._canvas.setDevicePixelRatio(ratio)
        self._canvas.fill(theme.colour(theme.PANEL))
        share = sum(strip.trace.panel.height for strip in self._strips)
        room = self.height() - _BETWEEN * (len(self._strips) - 1)
        top = 0.0
        for strip in self._strips:
            height = max(room, 0) * strip.trace.panel.height / share
            strip.top, strip.height = round(top), round(top + height) - round(top)
            top += height + _BETWEEN
        self._forget()

    def _forget(self) -> None:
        """Have everything painted again at the next `advance`."""
        for strip in self._strips:
            strip.head = None
        self.update()

    def _extend(self, strip: _Strip, now: float) -> None:
        passed = column_of(now - LATE_S, self.per_second)
        if strip.head is None:
            self._start_over(strip, passed)
        elif strip.trace.buffer.total > strip.total:
            self._add(strip, passed)
        elif passed > strip.head:
            self._paint(strip, None, strip.head + 1, passed)

    def _start_over(self, strip: _Strip, passed: int) -> None:
        """Paint all that is on display."""
        shot = strip.trace.buffer.since(0)
        if len(shot.times) == 0:
            self._paint(strip, None, passed - self.columns + AHEAD + 1, passed)
            return
        columns = to_columns(shot.times, shot.values, self.per_second, strip.trace.buffer.gap)
        newest = max(int(columns.at[-1]), passed)
        strip.row, strip.total = shot.first + int(columns.starts[-1]), shot.first + len(shot.times)
        self._paint(strip, columns, newest - self.columns + AHEAD + 1, newest)

    def _add(self, strip: _Strip, passed: int) -> None:
        """Paint from the last column on: it was not complete."""
        # One sample more: the last column continues a line that comes from it.
        shot = strip.trace.buffer.since(strip.row - 1)
        columns = to_columns(shot.times, shot.values, self.per_second, strip.trace.buffer.gap)
        at = min(int(strip.row > shot.first), len(columns.at) - 1)
        first, newest = int(columns.at[at]), max(int(columns.at[-1]), passed)
        if newest - first > self.columns - AHEAD:
            self._start_over(strip, passed)
            return
        strip.row, strip.total = shot.first + int(columns.starts[-1]), shot.first + len(shot.times)
        self._paint(strip, columns, first, newest)

    def _paint(self, strip: _Strip, columns: Columns | None, first: int, newest: int) -> None:
        """Paint the columns first..newest, and the blank ahead of them."""
        strip.head = newest
        width, last = self.columns, newest + AHEAD
        painter = QPainter(self._canvas)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for page in range(first // width, last // width + 1):
            start = page * width
            left, right = max(first - start, 0), min(last - start, width - 1)
            area = QRect(left, strip.top, right - left + 1, strip.height)
            painter.setClipRect(area)
            self._draw_ground(painter, strip, area, newest + 1 - start)
            if columns is not None:
                self._draw_lines(painter, strip, columns, start)
            self._draw_markers(painter, strip, start)
            self.update(area.translated(gutter.WIDTH, 0))
        painter.end()

    def _draw_ground(self, painter: QPainter, strip: _Strip, area: QRect, cursor: int) -> None:
        painter.fillRect(area, theme.colour(theme.SUNK))
        grid = theme.colour(theme.GRID)
        for second in range(int(self._span) + 1):
            x = int(second * self.per_second)
            if area.left() <= x <= area.right():
                painter.fillRect(x, area.top(), 1, area.height(), grid)
        for lane in range(len(strip.trace.panel.lanes)):
            y = int(strip.top + (lane + 0.5) * strip.lane_height)
            painter.fillRect(area.left(), y, area.width(), 1, grid)
        painter.fillRect(cursor, area.top(), 2, area.height(), theme.colour(theme.FAINT))

    def _draw_lines(self, painter: QPainter, strip: _Strip, columns: Columns, start: int) -> None:
        lo = max(int(np.searchsorted(columns.at, start)) - 1, 0)
        hi = min(int(np.searchsorted(columns.at, start + self.columns)) + 1, len(columns.at))
        x = (columns.at[lo:hi] - start + 0.5).tolist()
        joined = [False, *columns.joined[lo + 1 : hi].tolist()]
        parts = (columns.low, columns.high, columns.first, columns.last)
        heights = [strip.trace.heights(part[lo:hi]) for part in parts]
        hue = theme.MODALITIES[strip.trace.panel.modality]
        for lane in range(len(strip.trace.panel.lanes)):
            bottom = strip.top + (lane + 1) * strip.lane_height
            low, high, first, last = (
                (bottom - part[:, lane] * strip.lane_height).tolist() for part in heights
            )
            painter.setPen(QPen(theme.colour(hue, 1.0 if lane % 2 == 0 else 0.72), _PEN_PX))
            painter.drawLines(_segments(x, joined, low, high, first, last))

    def _draw_markers(self, painter: QPainter, strip: _Strip, start: int) -> None:
        assert strip.head is not None
        for time, text in self._markers:
            column = column_of(time, self.per_second)
            if not strip.head - self.columns < column <= strip.head:
                continue
            x = column - start
            painter.setPen(QPen(theme.colour(theme.ACCENT, 0.9), 1.0, Qt.PenStyle.DashLine))
            painter.drawLine(x, strip.top, x, strip.top + strip.height)
            if strip is self._strips[0]:
                self._draw_flag(painter, QRectF(x, strip.top, 0, 16), text)

    @staticmethod
    def _draw_flag(painter: QPainter, box: QRectF, text: str) -> None:
        painter.setFont(theme.font(11, bold=True))
        box.setWidth(painter.fontMetrics().horizontalAdvance(text) + 12)
        painter.fillRect(box, theme.colour(theme.ACCENT))
        painter.setPen(theme.colour(theme.GROUND))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def _segments(
    x: Sequence[float],
    joined: Sequence[bool],
    low: Sequence[float],
    high: Sequence[float],
    first: Sequence[float],
    last: Sequence[float],
) -> list[QLineF]:
    """Return one upright line a column, and one from each column to the next that continues it."""
    lines = []
    for n in range(len(x)):
        # NaN equals nothing: where nothing was measured, nothing is drawn.
        reached = joined[n] and last[n - 1] == last[n - 1] and first[n] == first[n]
        if reached:
            lines.append(QLineF(x[n - 1], last[n - 1], x[n], first[n]))
        if low[n] > high[n] or (low[n] == high[n] and not reached):  # pixels count downwards
            lines.append(QLineF(x[n], low[n], x[n], high[n]))
    return lines
