"""Axes of the page: two targets side by side, points with intervals."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from biosense.studies.base import Bounds
from biosense.viz.axes import WIDE_IN, style_axes, title_row, write
from biosense.viz.figure import FIGURE_DPI, ShownFigure
from biosense.viz.svg import ink

_EDGE_IN, _TOP_IN, _BOTTOM_IN = 0.14, 0.34, 0.42


def panels(
    columns: int,
    height: float,
    *,
    left: float = 0.5,
    between: float = 0.5,
    width: float = WIDE_IN,
    bottom: float = _BOTTOM_IN,
    top: float = _TOP_IN,
) -> tuple[Figure, list[Axes]]:
    """Make a figure with axes side by side, all `height` inches high.

    `left` and `between` are the inches before the first and between two of them.
    """
    total = height + top + bottom
    figure = ShownFigure(figsize=(width, total), dpi=FIGURE_DPI)
    each = (width - left - _EDGE_IN - between * (columns - 1)) / columns
    axes = [
        figure.add_axes(
            (
                (left + number * (each + between)) / width,
                bottom / total,
                each / width,
                height / total,
            )
        )
        for number in range(columns)
    ]
    for one in axes:
        style_axes(one, label_size=8, pad=3)
    return figure, axes


def head(axes: Axes, title: str, aside: str = "", colour: str = "text", lift: float = 0) -> None:
    """Write what a panel shows above it, `lift` points higher where labels stand there."""
    if lift:
        write(axes, title, (0, 1), (0, 4 + lift), colour=ink(colour), size=8.5, bold=True)
    else:
        title_row(axes, title, aside, colour)


def under(axes: Axes, text: str) -> None:
    """Write what the horizontal axis means."""
    write(axes, text, (0.5, 0), (0, -25), colour=ink("quiet"), align="center")


def dot(
    axes: Axes, row: float, bounds: Bounds, colour: str, *, hollow: bool = False, size: float = 5.5
) -> None:
    """Draw a value with its interval."""
    if bounds.value is None:
        write(axes, "no value", (0, row), (4, -3), coords="data", colour=ink("faint"), size=7)
        return
    if bounds.low is not None and bounds.high is not None:
        axes.plot(
            [bounds.low, bounds.high], [row, row], color=ink(colour), lw=1.8, alpha=0.55,
            solid_capstyle="round",
        )  # fmt: skip
    axes.plot(
        [bounds.value], [row], "o", ms=size, mew=1.3,
        mec=ink(colour), mfc=ink("sunk" if hollow else colour),
    )  # fmt: skip


def zero(axes: Axes) -> None:
    """Draw the line of nothing."""
    axes.axvline(0.0, color=ink("faint"), lw=0.9)


def span_of(values: Sequence[float | None], *, least: float = 0.2) -> tuple[float, float]:
    """Return limits that hold all values and zero, with some room.

    >>> span_of([None, 0.1, 0.5])
    (-0.04, 0.54)
    """
    known = [0.0, *(value for value in values if value is not None)]
    low, high = min(known), max(known)
    if high - low < least:
        low, high = low - (least - high + low) / 2, high + (least - high + low) / 2
    room = 0.08 * (high - low)
    return round(low - room, 6), round(high + room, 6)
