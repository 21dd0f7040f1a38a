"""Figures of a page that is read on paper, in daylight and in a dark lab, as <svg> elements.

A figure is drawn once, in placeholder colours, and holds names of colours afterwards: the style
sheet of the page says what these are.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from biosense.core.types import Modality
from biosense.viz.palette import LIGHT, colour_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NUMBERS = {name: number for number, name in enumerate(LIGHT)}
_PLACEHOLDER = re.compile(r"#0100([0-9a-f]{2})")
_FAMILY = re.compile(r"font-family: [^;\"]*; ?")
_PATH = re.compile(r' d="([^"]*)"')
_NUMBER = re.compile(r"-?\d+\.\d+")
_REPEATED = re.compile(r"\s*\n?L ")


_COLOURS: ContextVar[Mapping[str, str] | None] = ContextVar("colours", default=None)


@contextmanager
def figure_style(colours: Mapping[str, str] | None = None) -> Iterator[None]:
    """Draw as biosense draws, whatever a user has set up for other figures.

    Parameters
    ----------
    colours
        The palette that `ink` takes colours from; None: placeholders, which `svg_of` replaces.
    """
    import matplotlib as mpl

    token = _COLOURS.set(colours)
    try:
        yield from _styled(mpl)
    finally:
        _COLOURS.reset(token)


def _styled(mpl: Any) -> Iterator[None]:
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams["svg.fonttype"] = "none"  # words stay words: to be searched, in any font
        mpl.rcParams["svg.hashsalt"] = "biosense"
        mpl.rcParams["font.size"] = 8.0
        mpl.rcParams["path.simplify"] = False
        mpl.rcParams["axes.linewidth"] = 0.6
        yield


def ink(name: str) -> str:
    """Return a colour, or its placeholder: see `figure_style`.

    Parameters
    ----------
    name
        Key of `LIGHT`.

    Returns
    -------
    str
        A colour that figures can be drawn in.

    Examples
    --------
    >>> ink("ground"), ink("panel")
    ('#010000', '#010001')
    """
    colours = _COLOURS.get()
    return f"#0100{_NUMBERS[name]:02x}" if colours is None else colours[name]


def ink_of(modality: Modality | None) -> str:
    """Return the placeholder of the colour of a modality.

    Parameters
    ----------
    modality
        What is drawn; None for a stream of no modality.

    Returns
    -------
    str
        A colour that figures can be drawn in.
    """
    return ink(colour_name(modality))


def variables(colours: Mapping[str, str]) -> str:
    """Return a palette as properties of a style sheet.

    Parameters
    ----------
    colours
        A palette: colour by name.

    Returns
    -------
    str
        Declarations, `--ground: ..;` and so on.
    """
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())


def svg_of(figure: Figure, title: str) -> str:
    """Return a figure as an <svg> element for the page, named for those who cannot see it.

    Parameters
    ----------
    figure
        Drawn within `figure_style`.
    title
        What it shows, for those who cannot see it.

    Returns
    -------
    str
        The <svg> element; its colours are variables of the page.
    """
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
