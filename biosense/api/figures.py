"""How pictures are drawn: matplotlib figures in the one palette, shown by notebooks and saved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from biosense.core.types import Floats
from biosense.viz.axes import decimated, split_at_gaps
from biosense.viz.figure import FIGURE_DPI, ShownFigure
from biosense.viz.palette import LIGHT

COLUMNS = 1200
WIDTH_IN = 9.0


def stacked_rows(heights: Sequence[float], width: float = WIDTH_IN) -> tuple[Figure, list[Axes]]:
    """Return a figure with rows that share their time axis, and the rows.

    Parameters
    ----------
    heights
        Of the rows from the top, inches.
    width
        Of the figure, inches.
    """
    figure = ShownFigure(
        figsize=(width, 0.45 + sum(heights) + 0.3 * len(heights)),
        dpi=FIGURE_DPI,
        facecolor=LIGHT["panel"],
        layout="constrained",
    )
    grid = figure.subplots(
        len(heights), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )
    rows: list[Axes] = list(grid[:, 0])
    for axes in rows:
        make_plain(axes)
        axes.margins(x=0.01)
    return figure, rows


def make_plain(axes: Axes) -> None:
    """Leave of axes what is read."""
    axes.set_facecolor(LIGHT["panel"])
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(LIGHT["line"])
    axes.tick_params(colors=LIGHT["quiet"], labelsize=8, length=3, width=0.6)
    axes.xaxis.label.set(color=LIGHT["text"], fontsize=9)
    axes.grid(visible=True, color=LIGHT["grid"], lw=0.6)
    axes.set_axisbelow(True)


def title_row(axes: Axes, name: str, unit: str = "", aside: str = "") -> None:
    """Say above a row what it shows, and at the right what is to be known about it.

    Words are never mathematics.
    """
    text = f"{name} {unit}".strip().replace("$", r"\$")
    axes.set_title(text, loc="left", fontsize=8.5, color=LIGHT["text"], pad=3)
    quiet = aside.replace("$", r"\$")
    axes.set_title(quiet, loc="right", fontsize=7.5, color=LIGHT["quiet"], pad=3)


def spelt(unit: str) -> str:
    """Return a unit as it is printed.

    >>> spelt("uV"), spelt("degC"), spelt("S")
    ('µV', '°C', 'S')
    """
    if unit == "degC":
        return "°C"
    return f"µ{unit[1:]}" if unit in ("uV", "uS") else unit


def draw_curve(
    axes: Axes,
    times: Floats,
    values: Floats,
    colour: str,
    longest: float,
    *,
    width: float = 0.8,
    alpha: float = 1.0,
) -> None:
    """Draw a line of any length, both (n,), broken where samples are `longest` seconds apart."""
    line = decimated(*split_at_gaps(times, values, longest), COLUMNS)
    axes.plot(*line, color=colour, lw=width, alpha=alpha, solid_joinstyle="round")


def draw_marker_lines(rows: Iterable[Axes], times: Iterable[float]) -> None:
    """Draw a thin line through all rows at each marker."""
    at = list(times)
    for axes in rows:
        for time in at:
            axes.axvline(time, color=LIGHT["quiet"], lw=0.7, ls=(0, (3, 2)), zorder=0.9)
