"""Draw the signals of a recording, and epochs of one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from biosense.api.figures import draw_curve, draw_marker_lines, spelt, stacked_rows, title_row
from biosense.core.errors import BadInput
from biosense.core.recording import Marker
from biosense.core.types import Chunk, Floats, Modality
from biosense.processing.offline.epochs import MarkerEpochs
from biosense.viz.palette import LIGHT, colour_name
from biosense.viz.svg import figure_style

MOST_CHANNELS = 4
_MOST_WORDS = 16
_GAP_INTERVALS = 3.0
_PREFIXES = ((1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"))
_ALIKE = (Modality.EEG, Modality.EMG)  # channels are of one kind: drawn to one scale


def draw_streams(chunks: Sequence[Chunk], markers: Sequence[Marker], begin: float) -> Figure:
    """Draw whole streams below each other.

    Parameters
    ----------
    chunks
        Those without samples or of text are left out.
    markers
        Lines through all rows.
    begin
        Session time that is 0 in the picture, seconds.

    Raises
    ------
    BadInput
        If nothing is left.
    """
    shown = [chunk for chunk in chunks if chunk.n and not chunk.info.is_text]
    if not shown:
        raise BadInput("there is no sample that can be drawn")
    tall = [0.62 + 0.2 * (min(chunk.info.n_channels, MOST_CHANNELS) - 1) for chunk in shown]
    with figure_style():
        figure, rows = stacked_rows(tall)
        for axes, chunk in zip(rows, shown, strict=True):
            _draw_stream(axes, chunk, begin)
        draw_marker_lines(rows, (marker.time - begin for marker in markers))
        _name_markers(rows[0], markers, begin)
        rows[-1].set_xlabel("time from the beginning (s)")
    return figure


def _draw_stream(axes: Axes, chunk: Chunk, begin: float) -> None:
    info, count = chunk.info, min(chunk.info.n_channels, MOST_CHANNELS)
    values = np.asarray(chunk.data[:, :count], np.float64)
    scale, unit = _readable(values, info.unit)
    longest = _GAP_INTERVALS / info.sfreq if info.sfreq else np.inf
    apart = _ranges(values, alike=info.modality in _ALIKE) if count > 1 else np.full(1, scale)
    for number, column in enumerate(values.T):
        middle = float(np.nanmedian(column)) if count > 1 and np.isfinite(column).any() else 0.0
        curve = (column - middle) / apart[number] - number
        draw_curve(axes, chunk.times - begin, curve, LIGHT[colour_name(info.modality)], longest)
    below = f"{count} of {info.n_channels} channels" if count < info.n_channels else ""
    title_row(axes, info.name, f"({unit})" if unit and count == 1 else "", below)
    if count == 1:
        axes.locator_params(axis="y", nbins=4)
        return
    names = [name.replace("$", r"\$") for name in info.channels[:count]]
    axes.set_yticks([-number for number in range(count)], names)
    axes.grid(visible=False, axis="y")
    if unit and info.modality in _ALIKE:
        _draw_scale(axes, float(apart[0]) / scale, unit)


def _draw_scale(axes: Axes, apart: float, unit: str) -> None:
    """Draw how long a round number of units is, at the right, for lanes that have no numbers."""
    power = 10.0 ** np.floor(np.log10(apart))
    length = next(step * power for step in (5, 2, 1) if step * power <= apart)
    x, low = 1.01, axes.get_ylim()[0]
    place = axes.get_yaxis_transform()
    ends = [low, low + length / apart]
    axes.plot([x, x], ends, transform=place, color=LIGHT["quiet"], lw=1.4, clip_on=False)
    words = f"{length:g} {unit}"
    axes.text(x + 0.008, low, words, transform=place, fontsize=7, color=LIGHT["quiet"], va="bottom")


def _name_markers(axes: Axes, markers: Sequence[Marker], begin: float) -> None:
    """Write the texts of markers below the last row's ground where there is room."""
    low, high = axes.get_xlim()
    free = -np.inf
    for marker in markers:
        at = (marker.time - begin - low) / (high - low)
        if not 0 <= at <= 0.97 or at < free:
            continue
        text = marker.text[:_MOST_WORDS] + "…" * (len(marker.text) > _MOST_WORDS)
        where = (marker.time - begin, 1.0)
        axes.annotate(text.replace("$", r"\$"), where, (2, 3), ("data", "axes fraction"),
                      "offset points", fontsize=7, color=LIGHT["quiet"])  # fmt: skip
        free = at + 0.012 * (len(text) + 1)


def _ranges(values: Floats, *, alike: bool) -> Floats:
    """Return what each channel has as room, (channels,): all as much where they are `alike`."""
    known = values[np.isfinite(values).all(axis=1)]
    if len(known) < 2:
        return np.ones(values.shape[1])
    low, high = np.quantile(known, (0.02, 0.98), axis=0)
    room = 1.4 * (high - low)
    room = np.full_like(room, room.max()) if alike else room
    return np.where(room > 0, room, 1.0)


def _readable(values: Floats, unit: str) -> tuple[float, str]:
    """Return what values are divided by so that their numbers are short, and the unit then."""
    if unit not in ("V", "S"):
        return 1.0, "" if unit == "1" else spelt(unit)
    largest = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 1.0
    scale, prefix = next((pair for pair in _PREFIXES if largest >= pair[0]), _PREFIXES[2])
    return scale, spelt(prefix + unit)


def draw_epochs(epochs: MarkerEpochs) -> Figure:
    """Draw each epoch thin and their mean thick, for the first channels.

    Raises
    ------
    BadInput
        If no epoch was kept.
    """
    if not len(epochs):
        raise BadInput(f"no epoch was kept:\n{epochs.report}")
    info = epochs.info
    count = min(info.n_channels, MOST_CHANNELS)
    scale, unit = _readable(epochs.data[..., :count].reshape(-1, count), info.unit)
    colour = LIGHT[colour_name(info.modality)]
    counted = "1 epoch" if len(epochs) == 1 else f"{len(epochs)} epochs and their mean"
    with figure_style():
        figure, rows = stacked_rows([1.5] * count, width=6.5)
        for number, axes in enumerate(rows):
            curves = epochs.data[:, :, number] / scale
            axes.plot(epochs.times, curves.T, lw=0.6, color=colour, alpha=0.3)
            axes.plot(epochs.times, curves.mean(axis=0), lw=1.1, color=colour)
            axes.axvline(0.0, color=LIGHT["quiet"], lw=0.8)
            title_row(axes, info.channels[number], f"({unit})" if unit else "")
        rows[-1].set_xlabel("time from the marker (s)")
        title_row(rows[0], info.channels[0], f"({unit})" if unit else "", counted)
    return figure
