"""Colours, fonts and the style sheet: dark, calm, and to be told apart by colour-blind people."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtGui import QColor, QFont

from biosense.core.stream_status import StreamState
from biosense.core.types import Modality
from biosense.gui.state.banners import Level
from biosense.gui.state.stream_rows import UNKNOWN

GROUND = "#0f1318"  # the window
PANEL = "#171c23"
SUNK = "#11161c"  # what signals are drawn on
LINE = "#29313b"
GRID = "#202832"
TEXT = "#e8ecf1"
QUIET = "#929daa"  # 6:1 on PANEL
FAINT = "#5f6b79"
ACCENT = "#6fd3e8"
VALENCE, AROUSAL = "#7fb2ff", "#ffb45c"
TRUTH = "#c9d1da"

GOOD, WARN, ERROR = "#35c79a", "#f4c152", "#ff7a66"
ERROR_GROUND, WARN_GROUND = "#7d1d16", "#4a3a10"

# After Okabe & Ito 2008, lightened for a dark ground.
MODALITIES: Mapping[str, str] = {
    Modality.EEG: "#7cc4f2",
    Modality.ECG: "#f2b34c",
    Modality.PPG: "#f0e36a",
    Modality.RPPG: "#e59bc6",
    Modality.EDA: "#4fd1a5",
    Modality.RESP: "#9cd7da",
    Modality.EMG: "#f08a5d",
    Modality.TEMP: "#d7c3a5",
    Modality.FACE: "#b9adf5",
}
LEVELS: Mapping[Level, str] = {
    Level.QUIET: QUIET,
    Level.GOOD: GOOD,
    Level.INFO: ACCENT,
    Level.WARN: WARN,
    Level.ERROR: ERROR,
}
STATES: Mapping[str, tuple[str, str]] = {
    StreamState.GOOD: (GOOD, "●"),
    StreamState.POOR: (WARN, "▲"),
    StreamState.LOST: (ERROR, "✕"),
    StreamState.WAITING: (QUIET, "○"),
    StreamState.ENDED: (QUIET, "■"),
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
    return f"""
    QWidget {{ background: {GROUND}; color: {TEXT}; }}
    QLabel {{ background: transparent; }}
    QFrame#panel {{ background: {PANEL}; border: 1px solid {LINE}; border-radius: 8px; }}
    QFrame#panel QWidget {{ background: {PANEL}; }}
    QFrame#panel QLabel {{ background: transparent; }}
    QLabel#heading {{ color: {TEXT}; }}
    QLabel#quiet, QLabel#footer {{ color: {QUIET}; }}
    QLabel#note {{ color: {WARN}; border: 1px solid #6b5a24; border-radius: 5px;
        padding: 3px 8px; background: #2a2412; }}
    QLineEdit {{ background: {PANEL}; border: 1px solid {LINE}; border-radius: 6px;
        padding: 5px 9px; selection-background-color: #2c5a73; }}
    QLineEdit:focus, QPushButton:focus {{ border: 1px solid {ACCENT}; }}
    QPushButton {{ background: #242c36; border: 1px solid #36404c; border-radius: 6px;
        padding: 5px 14px; }}
    QPushButton:hover {{ background: #2e3843; }}
    QPushButton:pressed {{ background: #1d242c; }}
    QPushButton:disabled, QLabel:disabled {{ color: {FAINT}; }}
    QPushButton#stop {{ color: {ERROR}; border: 1px solid #6b332d; }}
    QListWidget {{ border: none; outline: none; }}
    QScrollBar:vertical {{ background: transparent; width: 8px; margin: 0; }}
    QScrollBar::handle:vertical {{ background: #36404c; border-radius: 4px; min-height: 24px; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
    QToolTip {{ background: {PANEL}; color: {TEXT}; border: 1px solid {LINE}; }}
    """
