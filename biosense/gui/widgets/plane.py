"""The valence-arousal plane: where the estimate is, how sure it is, where it came from."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QPen
from PySide6.QtWidgets import QGraphicsEllipseItem, QVBoxLayout, QWidget

from biosense.core.types import Floats
from biosense.gui.state.estimate_paths import Path, PlaneView
from biosense.gui.widgets import theme

STEPS = 10  # of fading
_EDGE = 1.12
_WORDS = {
    (-0.95, 1.0, (0.5, 0)): ("tense", theme.FAINT),
    (0.95, 1.0, (0.5, 0)): ("excited", theme.FAINT),
    (0.95, -1.0, (0.5, 1)): ("content", theme.FAINT),
    (-0.95, -1.0, (0.5, 1)): ("sad", theme.FAINT),
    (_EDGE, 0.0, (1, 1)): ("valence", theme.VALENCE),
    (0.0, _EDGE, (0, 0)): ("arousal", theme.AROUSAL),
}
"""Words of the quadrants (Russell 1980) and of the axes, with the anchor of the text."""


class Plane(QWidget):
    """Draw a `PlaneView`."""

    def __init__(self) -> None:
        super().__init__()
        self.plot = make_plot()
        self.plot.setAspectLocked(True)
        self.plot.setRange(QRectF(-_EDGE, -_EDGE, 2 * _EDGE, 2 * _EDGE), padding=0.0)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.plot)
        _add_axes(self.plot)
        self.trail = [_curve(self.plot, (step + 1) / STEPS) for step in range(STEPS)]
        self.ellipse = _ellipse(self.plot)
        self.truth = _dot(self.plot, 15, None, theme.TRUTH)
        self.dot = _dot(self.plot, 15, theme.ACCENT, theme.WHITE)
        self.words = pg.TextItem(
            "truth (simulated)",
            color=theme.QUIET,
            anchor=(0.5, 1.6),
            fill=theme.colour(theme.PANEL, 0.7),
        )
        self.words.setFont(theme.font(11))
        self.message = pg.TextItem("", color=theme.QUIET, anchor=(0.5, 0.5))
        self.message.setFont(theme.font(14))
        for item in (self.words, self.message):
            self.plot.addItem(item)

    def show_view(self, view: PlaneView) -> None:
        """Draw the plane anew."""
        for curve, piece in zip(self.trail, view.trail, strict=True):
            draw_path(curve, piece.values[:, 0], piece.values[:, 1], piece)
        self._show_newest(view)
        self.truth.setVisible(view.truth is not None)
        self.words.setVisible(view.truth is not None)
        if view.truth is not None:
            self.truth.setData([view.truth[0]], [view.truth[1]])
            self.words.setPos(*view.truth)
            below = view.newest is not None and view.truth[1] < view.newest[1]
            self.words.setAnchor((0.5, -0.5 if below else 1.5))
        self.message.setText(view.message)

    def _show_newest(self, view: PlaneView) -> None:
        self.dot.setVisible(view.newest is not None)
        self.ellipse.setVisible(view.newest is not None and view.fresh)
        if view.newest is None:
            return
        valence, arousal, sd_valence, sd_arousal = view.newest
        self.dot.setBrush(theme.colour(theme.ACCENT if view.fresh else theme.FAINT))
        self.dot.setData([valence], [arousal])
        self.ellipse.setRect(
            QRectF(valence - sd_valence, arousal - sd_arousal, 2 * sd_valence, 2 * sd_arousal)
        )


def make_plot() -> pg.PlotWidget:
    """Make a plot that nothing but us moves: no mouse, no menu, no automatic range."""
    plot = pg.PlotWidget(background=theme.PANEL)
    plot.setMenuEnabled(False)
    plot.setMouseEnabled(False, False)
    plot.hideButtons()
    plot.disableAutoRange()
    plot.setFrameShape(pg.QtWidgets.QFrame.Shape.NoFrame)
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    # Wheel and drag belong to the window around it.
    plot.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    for side in ("left", "bottom"):
        axis = plot.getAxis(side)
        axis.setPen(theme.colour(theme.LINE))
        axis.setTextPen(theme.colour(theme.QUIET))
        axis.setTickFont(theme.font(10))
        axis.setStyle(tickLength=0, tickTextOffset=4)
    return plot


def draw_path(curve: pg.PlotCurveItem, x: Floats, y: Floats, path: Path) -> None:
    """Draw a path with its gaps as breaks."""
    joined = path.joined.astype(np.int32)
    curve.setData(
        np.ascontiguousarray(x),
        np.ascontiguousarray(np.nan_to_num(y)),
        connect=joined,
        skipFiniteCheck=True,
    )


def _add_axes(plot: pg.PlotWidget) -> None:
    for side in ("left", "bottom"):
        plot.getAxis(side).setTicks([[(v, f"{v:+g}" if v else "0") for v in (-1, -0.5, 0, 0.5, 1)]])
    for angle in (0, 90):
        plot.addItem(pg.InfiniteLine(0.0, angle, pen=pg.mkPen(theme.LINE, width=1)))
    frame = QGraphicsEllipseItem(-1, -1, 2, 2)
    frame.setPen(_pen(theme.GRID, 1.0))
    plot.addItem(frame)
    for (x, y, anchor), (word, hue) in _WORDS.items():
        text = pg.TextItem(word, color=hue, anchor=anchor)
        text.setFont(theme.font(12))
        text.setPos(x, y)
        plot.addItem(text)


def _curve(plot: pg.PlotWidget, strength: float) -> pg.PlotCurveItem:
    pen = _pen(theme.ACCENT, 0.85 * strength**1.5, 2.0)
    curve = pg.PlotCurveItem(pen=pen, antialias=True)
    plot.addItem(curve)
    return curve


def _ellipse(plot: pg.PlotWidget) -> QGraphicsEllipseItem:
    ellipse = QGraphicsEllipseItem()
    ellipse.setPen(_pen(theme.ACCENT, 0.75))
    ellipse.setBrush(QBrush(theme.colour(theme.ACCENT, 0.13)))
    ellipse.setVisible(False)
    plot.addItem(ellipse)
    return ellipse


def _dot(plot: pg.PlotWidget, size: int, fill: str | None, edge: str) -> pg.ScatterPlotItem:
    brush = QBrush(Qt.BrushStyle.NoBrush) if fill is None else QBrush(theme.colour(fill))
    dot = pg.ScatterPlotItem(size=size, pen=_pen(edge, 0.95, 1.5), brush=brush, antialias=True)
    dot.setVisible(False)
    plot.addItem(dot)
    return dot


def _pen(name: str, alpha: float, width: float = 1.0) -> QPen:
    pen = QPen(theme.colour(name, alpha), width)
    pen.setCosmetic(True)
    return pen
