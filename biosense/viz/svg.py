"""Colours of a page that is read on paper, in daylight and in a dark lab; figures that follow it.

Figures are drawn once, in placeholder colours, and hold names of colours afterwards: the page says
what these are. The dark ones are those of the window.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from biosense.core.types import Modality

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
_NUMBERS = {name: number for number, name in enumerate(LIGHT)}
_PLACEHOLDER = re.compile(r"#0100([0-9a-f]{2})")
_FAMILY = re.compile(r"font-family: [^;\"]*; ?")
_PATH = re.compile(r' d="([^"]*)"')
_NUMBER = re.compile(r"-?\d+\.\d+")
_REPEATED = re.compile(r"\s*\n?L ")


@contextmanager
def styled() -> Iterator[None]:
    """Draw as this page wants it, whatever a user has set up for other figures."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams["svg.fonttype"] = "none"  # words stay words: to be searched, in any font
        mpl.rcParams["svg.hashsalt"] = "biosense"
        mpl.rcParams["font.size"] = 8.0
        mpl.rcParams["path.simplify"] = False
        mpl.rcParams["axes.linewidth"] = 0.6
        yield


def ink(name: str) -> str:
    """Return the placeholder of a colour.

    >>> ink("ground"), ink("panel")
    ('#010000', '#010001')
    """
    return f"#0100{_NUMBERS[name]:02x}"


def ink_of(modality: Modality | None) -> str:
    """Return the placeholder of the colour of a modality."""
    return ink(name_of(modality))


def name_of(modality: Modality | None) -> str:
    """Return the name of the colour of a modality.

    >>> name_of(Modality.EEG), name_of(None)
    ('eeg', 'other')
    """
    return str(modality) if str(modality) in LIGHT else "other"


def variables(colours: Mapping[str, str]) -> str:
    """Return a palette as properties of a style sheet."""
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())


def svg_of(figure: Figure, title: str) -> str:
    """Return a figure as an <svg> element for the page, named for those who cannot see it."""
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    drawn = file.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.DOTALL)
    head = re.compile(r"<svg [^>]*?viewBox=\"([^\"]*)\"[^>]*>")
    drawn = head.sub(rf'<svg viewBox="\1" role="img" aria-label="{_escaped(title)}">', drawn, 1)
    names = list(LIGHT)
    drawn = _PLACEHOLDER.sub(lambda found: f"var(--{names[int(found[1], 16)]})", drawn)
    drawn = _FAMILY.sub("", drawn)  # that of the page
    return _PATH.sub(lambda found: f' d="{_shorter(found[1])}"', drawn)


def _shorter(path: str) -> str:
    """Write a path with tenths of a point, which no eye can tell from more.

    >>> _shorter("M 1.0312 2.0 L 3.25 4.999 L 5.0 6.0 ")
    'M1 2 3.2 5 5 6'
    """
    rounded = _NUMBER.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), path)
    return " ".join(_REPEATED.sub(" ", rounded).split()).replace("M ", "M")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
