"""The palette as Qt wants it, fonts and the style sheet of the window."""

from __future__ import annotations

from collections.abc import Mapping
from string import Template

from PySide6.QtGui import QColor, QFont

from biosense.core.types import Modality
from biosense.gui.state.banners import Level
from biosense.gui.state.stream_rows import UNKNOWN
from biosense.viz import palette
from biosense.viz.palette import WINDOW

GROUND = WINDOW["ground"]
PANEL = WINDOW["panel"]
SUNK = WINDOW["sunk"]  # what signals are drawn on
LINE, GRID = WINDOW["line"], WINDOW["grid"]
TEXT, QUIET, FAINT = WINDOW["text"], WINDOW["quiet"], WINDOW["faint"]
ACCENT, WHITE = WINDOW["accent"], WINDOW["white"]
VALENCE, AROUSAL, TRUTH = WINDOW["valence"], WINDOW["arousal"], WINDOW["truth"]
GOOD, WARN, ERROR = WINDOW["good"], WINDOW["warn"], WINDOW["error"]

MODALITIES: Mapping[str, str] = {modality: WINDOW[modality] for modality in Modality}
LEVELS: Mapping[Level, str] = {level: WINDOW[palette.LEVELS[level]] for level in Level}
LEVEL_GROUNDS: Mapping[Level, str] = {
    level: WINDOW[f"{level}_ground"] for level in (Level.GOOD, Level.WARN, Level.ERROR)
}
STATES: Mapping[str, tuple[str, str]] = {
    **{state: (WINDOW[name], sign) for state, (name, sign) in palette.STATES.items()},
    UNKNOWN: (FAINT, "?"),
}
"""Colour and sign of each state: never the colour alone."""

_FAMILIES = ["Inter", "Segoe UI", "SF Pro Text", "Helvetica Neue", "Noto Sans", "DejaVu Sans"]


def font(pixels: int, *, bold: bool = False) -> QFont:
    """Return the window's font, with digits of one width so that numbers do not dance."""
    chosen = QFont()
    chosen.setFamilies(_FAMILIES)
    chosen.setPixelSize(pixels)
    chosen.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    chosen.setFeature(QFont.Tag("tnum"), 1)
    return chosen


def colour(name: str, alpha: float = 1.0) -> QColor:
    """Return a colour, more or less transparent."""
    result = QColor(name)
    result.setAlphaF(alpha)
    return result


def style_sheet() -> str:
    """Return the style of everything that is not painted by hand."""
    return Template(_STYLE).substitute(WINDOW)


_STYLE = """
QWidget { background: $ground; color: $text; }
QLabel { background: transparent; }
QFrame#panel { background: $panel; border: 1px solid $line; border-radius: 8px; }
QFrame#panel QWidget { background: $panel; }
QFrame#panel QLabel { background: transparent; }
QLabel#heading { color: $text; }
QLabel#quiet, QLabel#footer { color: $quiet; }
QLabel#note { color: $warn; border: 1px solid $note_line; border-radius: 5px;
    padding: 3px 8px; background: $note_ground; }
QLineEdit { background: $panel; border: 1px solid $line; border-radius: 6px;
    padding: 5px 9px; selection-background-color: $selection; }
QLineEdit:focus, QPushButton:focus { border: 1px solid $accent; }
QPushButton { background: $control; border: 1px solid $control_line; border-radius: 6px;
    padding: 5px 14px; }
QPushButton:hover { background: $control_hover; }
QPushButton:pressed { background: $control_pressed; }
QPushButton:disabled, QLabel:disabled { color: $faint; }
QPushButton#stop { color: $error; border: 1px solid $stop_line; }
QListWidget { border: none; outline: none; }
QScrollBar:vertical { background: transparent; width: 8px; margin: 0; }
QScrollBar::handle:vertical { background: $control_line; border-radius: 4px; min-height: 24px; }
QScrollBar::add-line, QScrollBar::sub-line { height: 0; }
QToolTip { background: $panel; color: $text; border: 1px solid $line; }
"""
