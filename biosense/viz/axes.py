"""The frame of a figure: axes on a common time, with gaps and markers; how lines are decimated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from biosense.core.types import Floats
from biosense.viz.svg import ink

WIDE_IN, HALF_IN = 10.4, 5.1
LEFT_IN, RIGHT_IN, TOP_IN, BOTTOM_IN, BETWEEN_IN = 0.72, 0.12, 0.26, 0.34, 0.30
_MOST_CHARACTERS = 22
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
_LEAST_APART = 0.10  # of the width, between two labels


@dataclass(frozen=True)
class Span:
    """Hold the time that a figure shows, seconds of the session; axes count from `origin`."""

    begin: float
    end: float
    origin: float


@dataclass(frozen=True)
class MarkerLine:
    """Hold a marker or event in session time."""

    time: float
    text: str
    colour: str = "quiet"


def stacked_axes(
    heights: Sequence[float],
    width: float = WIDE_IN,
    *,
    right: float = RIGHT_IN,
    top: float = TOP_IN,
) -> tuple[Figure, list[Axes]]:
    """Make a figure with axes of these heights, inches, one below the other.

    Parameters
    ----------
    heights
        Of the axes, from the top, inches.
    width
        Of the figure, inches.
    right
        Inches to the right of the axes.
    top
        Inches above the first.

    Returns
    -------
    tuple of Figure and list of Axes
        The figure, and its axes from the top.
    """
    total = top + sum(heights) + BETWEEN_IN * (len(heights) - 1) + BOTTOM_IN
    figure = Figure(figsize=(width, total), dpi=72)
    axes, bottom = [], total - top
    for height in heights:
        bottom -= height
        box = (LEFT_IN / width, bottom / total, (width - LEFT_IN - right) / width, height / total)
        axes.append(figure.add_axes(box))
        bottom -= BETWEEN_IN
    for each in axes:
        style_axes(each)
        each.margins(x=0)
    return figure, axes


def style_axes(axes: Axes, *, label_size: float = 7.5, pad: float = 2) -> None:
    """Give axes the ground, lines and labels of the page; sizes are in points."""
    axes.set_facecolor(ink("sunk"))
    axes.patch.set_alpha(1.0)
    for side in axes.spines.values():
        side.set_color(ink("line"))
    axes.tick_params(colors=ink("quiet"), labelsize=label_size, length=2.5, width=0.5, pad=pad)
    axes.grid(True, color=ink("grid"), lw=0.6)
    axes.set_axisbelow(True)


def name_rows(axes: Axes, names: Sequence[str], *, named: bool = True) -> None:
    """Give the vertical axis a row for each name, the first on top; not `named`, without words."""
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_yticks(range(len(names)), list(names) if named else [""] * len(names))
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")


def label_time(axes: Sequence[Axes], span: Span) -> None:
    """Give axes the time of the session, labelled once, at the bottom."""
    for each in axes:
        each.set_xlim(span.begin, span.end)
        each.set_xticks(_ticks(span))
        each.xaxis.set_major_formatter(FuncFormatter(lambda at, _: clock(at - span.origin)))
        each.tick_params(labelbottom=each is axes[-1])


def _ticks(span: Span) -> list[float]:
    """Return round times, nine at most."""
    step = next((each for each in _STEPS_S if 9 * each >= span.end - span.begin), _STEPS_S[-1])
    first = int(np.ceil((span.begin - span.origin) / step - 1e-9))
    last = int(np.floor((span.end - span.origin) / step + 1e-9))
    return [span.origin + step * number for number in range(first, last + 1)]


def clock(seconds: float) -> str:
    """Write seconds since the beginning.

    Parameters
    ----------
    seconds
        Since the beginning; may be negative.

    Returns
    -------
    str
        Minutes and seconds, with hours and tenths where there are any.

    Examples
    --------
    >>> clock(5.0), clock(65.5), clock(3725.0)
    ('0:05', '1:05.5', '1:02:05')
    """
    tenths = round(10 * seconds)
    whole, part = divmod(abs(tenths), 10)
    minutes, rest = divmod(whole, 60)
    text = (
        f"{minutes}:{rest:02d}"
        if minutes < 60
        else f"{minutes // 60}:{minutes % 60:02d}:" + (f"{rest:02d}")
    )
    return ("-" if tenths < 0 else "") + text + (f".{part}" if part else "")


def title_row(axes: Axes, title: str, aside: str = "", colour: str = "text") -> None:
    """Write what a row shows above it, and to the right what is to be known about it."""
    above = (0.0, 4.0)
    write(axes, title, (0, 1), above, colour=ink(colour), size=8.5, bold=True)
    write(axes, aside, (1, 1), above, colour=ink("quiet"), align="right")


def write(
    axes: Axes,
    text: str,
    at: tuple[float, float],
    shift: tuple[float, float],
    *,
    coords: str | tuple[str, str] = "axes fraction",
    colour: str,
    size: float = 7.5,
    align: Literal["left", "center", "right"] = "left",
    bold: bool = False,
) -> None:
    """Write at a place, shifted by so many points."""
    weight = "bold" if bold else "normal"
    axes.annotate(
        text,
        at,
        shift,
        coords,
        "offset points",
        color=colour,
        fontsize=size,
        ha=align,
        fontweight=weight,
    )


def shade(axes: Iterable[Axes], spans: Iterable[tuple[float, float]], colour: str) -> None:
    """Shade times at which there is nothing, or nothing to be believed."""
    for begin, end in spans:
        for each in axes:
            each.axvspan(begin, end, color=ink(colour), alpha=0.16, lw=0, zorder=0)


def draw_markers(
    axes: Sequence[Axes], marker_lines: Iterable[MarkerLine], span: Span, words: bool
) -> None:
    """Draw markers and events through all rows, and their words at the top where there is room."""
    free = -np.inf
    for each in sorted(marker_lines, key=lambda marker: marker.time):
        if not span.begin <= each.time <= span.end:
            continue
        for row in axes:
            row.axvline(each.time, color=ink(each.colour), lw=0.6, ls=(0, (2, 2)), alpha=0.8)
        at = (each.time - span.begin) / (span.end - span.begin)
        if words and at - free >= _LEAST_APART and at < 1 - _LEAST_APART:
            free = at
            text = each.text[:_MOST_CHARACTERS] + "…" * (len(each.text) > _MOST_CHARACTERS)
            where = ("data", "axes fraction")
            colour = ink(each.colour)
            write(axes[0], text, (each.time, 1), (2, -8), coords=where, colour=colour, size=6.5)


def decimated(times: Floats, values: Floats, columns: int) -> tuple[Floats, Floats]:
    """Keep the lowest and the highest of every few samples, in their order.

    Parameters
    ----------
    times, values
        Samples, shape (n,) each; NaN is kept once in a row, as a break of the line.
    columns
        Width of the drawing.

    Examples
    --------
    >>> times, values = decimated(np.arange(1000.0), np.sin(np.arange(1000.0)), 50)
    >>> len(times), float(values.max()) == float(np.sin(np.arange(1000.0)).max())
    (100, True)
    """
    if len(times) <= 2 * columns:
        return times, values
    size = -(-len(times) // columns)
    padded = np.full((-(-len(times) // size), size), np.nan)
    padded.ravel()[: len(times)] = values
    missing = np.isnan(padded)
    first = np.arange(len(padded)) * size
    lowest = first + np.where(missing, np.inf, padded).argmin(axis=1)
    highest = first + np.where(missing, -np.inf, padded).argmax(axis=1)
    breaks = (first + missing.argmax(axis=1))[missing.any(axis=1)]
    chosen = np.unique(np.concatenate([lowest, highest, breaks]))
    chosen = chosen[chosen < len(times)]
    return times[chosen], values[chosen]


def split_at_gaps(times: Floats, values: Floats, longest: float) -> tuple[Floats, Floats]:
    """Put a NaN wherever samples are further apart than `longest`, so that no line spans a gap.

    Parameters
    ----------
    times
        Of samples, seconds, shape (n,).
    values
        At those times, shape (n,).
    longest
        Distance of two samples, seconds, that is no gap yet.

    Returns
    -------
    tuple of ndarray
        Times and values, with a NaN in each gap.
    """
    at = np.flatnonzero(np.diff(times) > longest) + 1
    return np.insert(times, at, times[at - 1] + longest / 2), np.insert(values, at, np.nan)
