"""Valence and arousal over the last two minutes, with one standard deviation on each side."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsPathItem, QVBoxLayout, QWidget

from biosense.core.types import Floats
from biosense.gui.state.estimate_paths import HISTORY_S, Path
from biosense.gui.widgets import theme
from biosense.gui.widgets.plane import draw_path, make_plot

_EDGE = 1.25


class _Curve:
    """Draw one dimension on a plot of its own."""

    def __init__(self, word: str, hue: str) -> None:
        self.plot = make_plot()
        self.plot.setRange(QRectF(-HISTORY_S, -_EDGE, HISTORY_S, 2 * _EDGE), padding=0.0)
        left = self.plot.getAxis("left")
        left.setTicks([[(-1, "-1"), (0, "0"), (1, "+1")]])
        left.setWidth(26)
        left.setStyle(hideOverlappingLabels=False)
        self.plot.addItem(pg.InfiniteLine(0.0, 0, pen=pg.mkPen(theme.LINE, width=1)))
        self.band = QGraphicsPathItem()
        self.band.setPen(QPen(Qt.PenStyle.NoPen))
        self.band.setBrush(QBrush(theme.colour(hue, 0.22)))
        self.truth = pg.PlotCurveItem(
            pen=pg.mkPen(theme.colour(theme.TRUTH, 0.8), width=1, style=Qt.PenStyle.DashLine)
        )
        self.line = pg.PlotCurveItem(pen=pg.mkPen(hue, width=1), antialias=True)
        for item in (self.band, self.truth, self.line):
            self.plot.addItem(item)
        label = pg.TextItem(word, hue, anchor=(0, 0), fill=theme.colour(theme.PANEL, 0.75))
        label.setFont(theme.font(11, bold=True))
        label.setPos(-HISTORY_S, _EDGE)
        self.plot.addItem(label)

    def draw(self, estimates: Path, truth: Path, now: float, column: int) -> None:
        ago = estimates.times - now
        value, sd = estimates.values[:, column], estimates.values[:, column + 2]
        draw_path(self.line, ago, value, estimates)
        self.band.setPath(band_path(ago, value - sd, value + sd, estimates))
        draw_path(self.truth, truth.times - now, truth.values[:, column], truth)


class Curves(QWidget):
    """Draw estimates, and the truth where there is one, as they were in the last two minutes."""

    def __init__(self) -> None:
        super().__init__()
        self.curves = (_Curve("valence", theme.VALENCE), _Curve("arousal", theme.AROUSAL))
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(6)
        for curve in self.curves:
            box.addWidget(curve.plot)
        self.curves[0].plot.getAxis("bottom").setStyle(showValues=False)
        self.curves[0].plot.getAxis("bottom").setHeight(2)
        bottom = self.curves[1].plot.getAxis("bottom")
        bottom.setStyle(hideOverlappingLabels=False)
        bottom.setTicks([[(-110, "2 min ago"), (-60, "1 min ago"), (-4, "now")]])

    def show_paths(self, estimates: Path, truth: Path, now: float) -> None:
        """Draw the paths as of session time `now`."""
        estimates, truth = estimates.since(now - HISTORY_S), truth.since(now - HISTORY_S)
        for column, curve in enumerate(self.curves):
            curve.draw(estimates, truth, now, column)


def band_path(x: Floats, low: Floats, high: Floats, path: Path) -> QPainterPath:
    """Return the area between two curves, one piece for each run without a gap."""
    area = QPainterPath()
    edges = [0, *(np.flatnonzero(~path.joined) + 1).tolist()]
    for start, stop in pairwise(edges):
        if stop - start < 2:
            continue
        there = [QPointF(*point) for point in zip(x[start:stop], high[start:stop], strict=True)]
        back = [QPointF(*point) for point in zip(x[start:stop], low[start:stop], strict=True)]
        area.addPolygon(QPolygonF([*there, *reversed(back)]))
        area.closeSubpath()
    return area
