"""What stands left of the traces: which stream, which channel, how large, and what is wrong."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from biosense.gui.state.trace import Trace
from biosense.gui.widgets import theme

WIDTH = 124  # pixels
_BAR = 3
_LEFT = 12
_RIGHT = WIDTH - 8
_LINE_PX = 14.0

_LEFT_ALIGNED = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT_ALIGNED = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def draw_gutter(painter: QPainter, trace: Trace, area: QRectF, badge: str) -> None:
    """Draw the words of one stream into `area`; `badge` says what is wrong, or is empty."""
    colour = theme.colour(theme.MODALITIES[trace.panel.modality])
    painter.fillRect(QRectF(area.left(), area.top(), _BAR, area.height()), colour)
    if trace.panel.floats or len(trace.panel.lanes) == 1:
        top = _draw_title(painter, trace, area, badge)
    else:
        top = area.bottom()
    if trace.panel.floats and not (badge and len(trace.panel.lanes) == 1):
        _draw_scale_bar(painter, trace, area, top)
    _draw_lanes(painter, trace, area, badge)


def _draw_title(painter: QPainter, trace: Trace, area: QRectF, badge: str) -> float:
    """Draw title and badge; returns where they end."""
    title, _, rest = trace.panel.title.partition(" ")
    lines = [(title, theme.TEXT, True), (rest, theme.QUIET, False), (badge, theme.ERROR, True)]
    shown = [line for line in lines if line[0]]
    single = len(trace.panel.lanes) == 1
    extra = 2 * _LINE_PX if single and trace.panel.floats else len(shown) * _LINE_PX
    top = area.top() + (max((area.height() - extra) / 2, 0.0) if single else 3.0)
    for text, colour, bold in shown:
        painter.setFont(theme.font(12 if bold else 11, bold=bold))
        painter.setPen(theme.colour(colour))
        painter.drawText(QRectF(_LEFT, top, _RIGHT - _LEFT, _LINE_PX), _LEFT_ALIGNED, text)
        top += _LINE_PX
    return top


def _draw_scale_bar(painter: QPainter, trace: Trace, area: QRectF, top: float) -> None:
    words = trace.scale_words(0)
    if not words:
        return
    single = len(trace.panel.lanes) == 1
    low, high = trace.lane_range(0)
    length = area.height() / len(trace.panel.lanes) * trace.bar(0) / (high - low)
    bar_top = area.center().y() - length / 2 if single else top + 6
    x = _RIGHT if single else _LEFT + 3
    painter.setPen(QPen(theme.colour(theme.QUIET), 1.5))
    painter.drawLine(QPointF(x, bar_top), QPointF(x, bar_top + length))
    painter.setFont(theme.font(11))
    painter.setPen(theme.colour(theme.QUIET))
    if single:
        box = QRectF(_LEFT, top, _RIGHT - _LEFT, _LINE_PX)
    else:
        box = QRectF(x + 6, bar_top + length / 2 - _LINE_PX / 2, 60, _LINE_PX)
    painter.drawText(box, _LEFT_ALIGNED, words[0])


def _draw_lanes(painter: QPainter, trace: Trace, area: QRectF, badge: str) -> None:
    lanes = trace.panel.lanes
    height = area.height() / len(lanes)
    for number, name in enumerate(lanes):
        top = area.top() + number * height
        middle = top + (height - _LINE_PX) / 2
        box = QRectF(_LEFT, middle, _RIGHT - _LEFT, _LINE_PX)
        painter.setFont(theme.font(11))
        painter.setPen(theme.colour(theme.QUIET))
        if not trace.panel.floats:
            _draw_ends(painter, trace.scale_words(number), top, height)
            if len(lanes) > 1:
                wrong = bool(badge) and number == 0
                painter.setPen(theme.colour(theme.ERROR if wrong else theme.TEXT))
                painter.setFont(theme.font(11, bold=True))
                painter.drawText(box, _LEFT_ALIGNED, badge if wrong else name)
        elif len(lanes) > 1:
            painter.drawText(box, _RIGHT_ALIGNED, name)


def _draw_ends(painter: QPainter, words: tuple[str, ...], top: float, height: float) -> None:
    """Write the values at the top and the bottom of a lane, if there is room for both."""
    if height < 2 * _LINE_PX:
        return
    painter.setFont(theme.font(10))
    for text, y in zip(words, (top + 1, top + height - _LINE_PX - 1), strict=False):
        painter.drawText(QRectF(_LEFT, y, _RIGHT - _LEFT, _LINE_PX), _RIGHT_ALIGNED, text)
