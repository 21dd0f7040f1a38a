"""The one palette: what the window and both reports paint in, each colour under one name.

`LIGHT` and `DARK` hold the same names: a page takes the one that its reader prefers, the window is
dark. Colours of modalities are after Okabe & Ito 2008, darkened and lightened for their ground, so
that colour-blind people can tell them apart.
"""

from __future__ import annotations

from collections.abc import Mapping

from biosense.core.stream_status import StreamState

LIGHT: Mapping[str, str] = {
    "ground": "#f4f6f9",
    "panel": "#ffffff",
    "sunk": "#f8fafc",
    "line": "#d9dfe6",
    "grid": "#e9edf2",
    "text": "#171d24",
    "quiet": "#55606c",
    "faint": "#98a2ae",
    "accent": "#0b7f97",
    "good": "#0f8a62",
    "warn": "#b98500",
    "error": "#cc3f2d",
    "valence": "#2b6cd4",
    "arousal": "#c67200",
    "eeg": "#0b6cad",
    "ecg": "#b56a00",
    "ppg": "#857800",
    "rppg": "#ad4a85",
    "eda": "#0a8560",
    "resp": "#2c7b82",
    "emg": "#bd5026",
    "temp": "#86693a",
    "face": "#6553c9",
    "other": "#55606c",
}
DARK: Mapping[str, str] = {
    "ground": "#0f1318",
    "panel": "#171c23",
    "sunk": "#11161c",
    "line": "#29313b",
    "grid": "#202832",
    "text": "#e8ecf1",
    "quiet": "#929daa",
    "faint": "#5f6b79",
    "accent": "#6fd3e8",
    "good": "#35c79a",
    "warn": "#f4c152",
    "error": "#ff7a66",
    "valence": "#7fb2ff",
    "arousal": "#ffb45c",
    "eeg": "#7cc4f2",
    "ecg": "#f2b34c",
    "ppg": "#f0e36a",
    "rppg": "#e59bc6",
    "eda": "#4fd1a5",
    "resp": "#9cd7da",
    "emg": "#f08a5d",
    "temp": "#d7c3a5",
    "face": "#b9adf5",
    "other": "#929daa",
}
WINDOW: Mapping[str, str] = {
    **DARK,
    "white": "#ffffff",
    "truth": "#c9d1da",
    "good_ground": "#12392e",
    "warn_ground": "#4a3a10",
    "error_ground": "#7d1d16",
    "note_ground": "#2a2412",
    "note_line": "#6b5a24",
    "selection": "#2c5a73",
    "control": "#242c36",
    "control_line": "#36404c",
    "control_hover": "#2e3843",
    "control_pressed": "#1d242c",
    "stop_line": "#6b332d",
}
"""`DARK`, and what only a window with controls has."""

FABRICATED = ("#bf3422", "#a82c1c")
"""Stripes of the banner over results of made-up data."""

LEVELS: Mapping[str, str] = {
    "quiet": "quiet",
    "good": "good",
    "info": "accent",
    "warn": "warn",
    "error": "error",
}
"""Name of the colour of each level of loudness."""

STATES: Mapping[str, tuple[str, str]] = {
    StreamState.GOOD: ("good", "●"),
    StreamState.POOR: ("warn", "▲"),
    StreamState.LOST: ("error", "✕"),
    StreamState.WAITING: ("quiet", "○"),
    StreamState.ENDED: ("quiet", "■"),
}
"""Name of the colour, and sign, of each state of a stream: never the colour alone."""


def colour_name(kind: str | None) -> str:
    """Return the name of the colour of a modality, or of another kind of stream.

    Parameters
    ----------
    kind
        A modality, or any other word; None for a stream of no modality.

    Returns
    -------
    str
        A key of `LIGHT` and `DARK`.

    Examples
    --------
    >>> colour_name("ecg"), colour_name("Gaze"), colour_name(None)
    ('ecg', 'other', 'other')
    """
    return str(kind) if str(kind) in LIGHT else "other"
