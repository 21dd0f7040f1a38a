"""How pictures are drawn: matplotlib figures in the palette of the window and the reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from biosense.core.errors import MissingExtra
from biosense.core.grid import GAP_INTERVALS
from biosense.core.types import Chunk, Floats, Modality
from biosense.viz.axes import decimated, split_at_gaps
from biosense.viz.palette import LIGHT, colour_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 1200
MOST_CHANNELS = 4


def lanes(
    count: int, heights: list[float] | None = None, width: float = 10.0
) -> tuple[Figure, list[Axes]]:
    """Return a figure with rows that share their time axis, and the rows.

    It belongs to no window: a notebook shows it, `savefig` writes it.
    """
    if find_spec("matplotlib") is None:
        raise MissingExtra("a picture needs matplotlib: pip install 'biosense[report]'")
    from matplotlib.figure import Figure

    tall = heights or [1.0] * count
    figure = Figure(figsize=(width, 0.9 + 0.95 * sum(tall)), layout="constrained")
    grid = figure.subplots(
        count, 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": tall}
    )
    rows: list[Axes] = list(grid[:, 0])
    for axes in rows:
        plain(axes)
        if axes is not rows[-1]:
            axes.tick_params(labelbottom=False, bottom=False)
    return figure, rows


def plain(axes: Axes) -> None:
    """Leave of an axis what is read."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(LIGHT["line"])
    axes.tick_params(colors=LIGHT["quiet"], labelsize=8, length=3)
    axes.yaxis.label.set(color=LIGHT["text"], fontsize=9)
    axes.xaxis.label.set(color=LIGHT["text"], fontsize=9)
    axes.grid(visible=True, color=LIGHT["grid"], lw=0.6)
    axes.set_axisbelow(True)


def draw_stream(axes: Axes, stream: Chunk, begin: float) -> None:
    """Draw the channels of a stream below each other, the first few of many.

    Parameters
    ----------
    axes
        A row.
    stream
        A whole stream of numbers.
    begin
        Session time that is 0 in the picture, seconds.
    """
    info = stream.info
    colour = LIGHT[colour_name(info.modality)]
    shown = min(info.n_channels, MOST_CHANNELS)
    values = np.asarray(stream.data[:, :shown], np.float64)
    if shown > 1:
        values = values / _spread(values, alike=info.modality is Modality.EEG)
    longest = GAP_INTERVALS / info.sfreq if info.sfreq else np.inf
    for number, column in enumerate(values.T):
        middle = float(np.nanmedian(column)) if shown > 1 and np.isfinite(column).any() else 0.0
        times, curve = split_at_gaps(stream.times - begin, column - middle, longest)
        times, curve = decimated(times, curve, COLUMNS)
        axes.plot(times, curve - number * (shown > 1), lw=0.7, color=colour)
    if shown > 1:
        axes.set_yticks([-number for number in range(shown)], info.channels[:shown])
    more = f"\n{shown} of {info.n_channels}" if shown < info.n_channels else ""
    unit = f" ({info.unit})" if info.unit and shown == 1 else ""
    label = f"{info.name}{unit}{more}".replace("$", r"\$")
    axes.set_ylabel(label, rotation=0, ha="right", va="center")


def _spread(values: Floats, *, alike: bool) -> Floats:
    """Return what a channel ranges over, (channels,); the widest of all where they are alike."""
    known = values[np.isfinite(values).all(axis=1)]
    if len(known) < 2:
        return np.ones(values.shape[1])
    low, high = np.quantile(known, (0.02, 0.98), axis=0)
    spread = 1.4 * (high - low)
    spread = np.full_like(spread, spread.max()) if alike else spread
    return np.where(spread > 0, spread, 1.0)


def draw_signals(chunks: Sequence[Chunk], begin: float, markers: Iterable[float]) -> Figure:
    """Draw streams below each other, with a thin line at each marker.

    Parameters
    ----------
    chunks
        Whole streams of numbers.
    begin
        Session time that is 0 in the picture, seconds.
    markers
        Session times, seconds.
    """
    figure, rows = lanes(len(chunks))
    for axes, chunk in zip(rows, chunks, strict=True):
        draw_stream(axes, chunk, begin)
    for time in markers:
        for axes in rows:
            axes.axvline(time - begin, color=LIGHT["faint"], lw=0.8, ls=(0, (3, 3)), zorder=0.5)
    rows[-1].set_xlabel("time (s)")
    return figure


def draw_band(axes: Any, times: Floats, mean: Floats, sd: Floats, name: str) -> None:
    """Draw an estimate, (n,), with the band of one standard deviation around it."""
    colour = LIGHT[name]
    axes.fill_between(times, mean - sd, mean + sd, color=colour, alpha=0.18, lw=0)
    axes.plot(times, mean, color=colour, lw=1.3)
    axes.axhline(0.0, color=LIGHT["line"], lw=0.8)
    axes.set(ylim=(-1.05, 1.05), yticks=(-1, 0, 1))
    axes.set_ylabel(name, rotation=0, ha="right", va="center")
