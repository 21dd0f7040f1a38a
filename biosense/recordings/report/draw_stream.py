"""Draw one stream over the whole recording: before, after, what was found, how good it was."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from biosense.core.grid import HOP
from biosense.core.types import Bools, Floats
from biosense.estimation.signal_quality import HIGH, LOW
from biosense.recordings.report.collect import CollectedStream
from biosense.recordings.report.signal_summary import SignalSummary
from biosense.viz.axes import (
    RIGHT_IN,
    MarkerLine,
    Span,
    decimated,
    draw_markers,
    label_time,
    shade,
    split_at_gaps,
    stacked_axes,
    title_row,
)
from biosense.viz.svg import ink, ink_of

COLUMNS = 700
MAP_COLUMNS = 360
MAP_FROM = 5  # channels from which on a map says more than lines
_BESIDE_IN = 0.6  # what the bar of a map takes


def draw_overview(
    stream: CollectedStream,
    span: Span,
    gaps: Sequence[tuple[float, float]],
    markers: Sequence[MarkerLine],
) -> Figure:
    """Draw the whole of a stream."""
    is_map = len(stream.before.columns) >= MAP_FROM
    signal_in = 1.35 if is_map else 0.95
    heights = [signal_in] + [signal_in] * (stream.after is not None)
    heights += [0.8] * bool(stream.view.feature and stream.epochs) + [0.5] * bool(stream.epochs)
    figure, axes = stacked_axes(heights, right=_BESIDE_IN if is_map else RIGHT_IN)
    rows = iter(axes)
    _signal(next(rows), stream, stream.before, span, "Before cleaning", "quiet")
    if stream.after is not None:
        aside = _after_aside(stream)
        _signal(next(rows), stream, stream.after, span, "After cleaning", "", aside)
    if stream.view.feature and stream.epochs:
        _feature(next(rows), stream, gaps)
    if stream.epochs:
        draw_quality(next(rows), stream)
    label_time(axes, span)
    shade(axes, gaps, "error")
    draw_markers(axes, markers, span, words=not is_map)
    return figure


def _after_aside(stream: CollectedStream) -> str:
    late = f"drawn {1000 * stream.late:.0f} ms earlier, the delay of its filters; "
    return (late if stream.late > 5e-4 else "") + "shaded: gap (red), not trusted (yellow)"


def _signal(
    axes: Axes,
    stream: CollectedStream,
    summary: SignalSummary,
    span: Span,
    title: str,
    colour: str,
    aside: str = "",
) -> None:
    unit = stream.view.unit or "a.u."
    if len(summary.columns) >= MAP_FROM:
        _map(axes, summary, span, unit)
        title_row(axes, title, "peak to peak in half seconds, by channel")
        return
    chosen = ink(colour) if colour else ink_of(stream.info.modality)
    late = 0.0 if colour else stream.late
    found = summary.extremes(span.begin, span.end, COLUMNS)
    lanes = len(summary.columns)
    for lane in range(lanes):
        low, high = found.low[:, lane], found.high[:, lane]
        offset, size = _lane(low, high, lane, lanes)
        axes.fill_between(
            *(found.times - late, (low - offset) / size, (high - offset) / size),
            color=chosen,
            lw=0.7,
            alpha=0.9,
        )
    if lanes == 1:
        axes.set_ylabel(unit, color=ink("quiet"), fontsize=7.5)
        _limits(axes, found.low[:, 0], found.high[:, 0])
    else:
        label_lanes(axes, summary.channels)
    if not colour:
        shade([axes], _spans(found.times, found.trusted < 0.5), "warn")
    title_row(axes, title, aside)


def _lane(low: Floats, high: Floats, lane: int, lanes: int) -> tuple[float, float]:
    """Return what brings a channel into its lane; a single one keeps its unit."""
    if lanes == 1:
        return 0.0, 1.0
    bottom, top = lane_limits(np.concatenate([low, high]))
    size = (top - bottom) / 0.9
    return (top + bottom) / 2 + lane * size, size


def lane_limits(values: Floats) -> tuple[float, float]:
    """Return the values that a lane is to hold: nearly all, and not nothing."""
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return -1.0, 1.0
    bottom, top = np.percentile(known, [0.5, 99.5]).tolist()
    return (bottom, top) if top > bottom else (bottom - 1.0, top + 1.0)


def label_lanes(axes: Axes, channels: Sequence[str]) -> None:
    """Name lanes from the top, each one unit high."""
    axes.set_ylim(0.44 - len(channels), 0.56)
    axes.set_yticks([-float(lane) for lane in range(len(channels))], channels)
    axes.grid(False, axis="y")
    size = 7.5 if len(channels) <= 12 else 6.0
    axes.tick_params(axis="y", labelsize=size, length=0)


def _limits(axes: Axes, low: Floats, high: Floats) -> None:
    """Leave single spikes outside, but not much: they are to be seen."""
    if np.isfinite(low).any():
        bottom, top = np.nanpercentile(low, 0.2), np.nanpercentile(high, 99.8)
        room = 0.12 * (top - bottom) or abs(top) * 0.1 or 1.0
        axes.set_ylim(bottom - room, top + room)


def _map(axes: Axes, summary: SignalSummary, span: Span, unit: str) -> None:
    swings = np.maximum(summary.swings(span.begin, span.end, MAP_COLUMNS).T, 1e-3)
    known = swings[np.isfinite(swings)]
    bounds = (1.0, 500.0) if unit == "µV" else _decades(known)
    image = axes.imshow(
        swings,
        aspect="auto",
        interpolation="none",
        extent=(span.begin, span.end, len(swings) - 0.5, -0.5),
        norm=LogNorm(*bounds),
        cmap="cividis",
    )
    names = summary.channels
    step = max(1, -(-len(names) // 16))
    axes.set_yticks(range(0, len(names), step), names[::step])
    axes.tick_params(axis="y", labelsize=6, length=0)
    axes.grid(False)
    left, bottom, width, height = axes.get_position().bounds
    figure = axes.figure
    total = figure.get_figwidth() if isinstance(figure, Figure) else 1.0
    beside = (left + width + 0.08 / total, bottom, 0.1 / total, height)
    bar = figure.colorbar(image, cax=figure.add_axes(beside))
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=ink("quiet"), labelsize=6.5, length=2, width=0.5, pad=1)
    bar.ax.minorticks_off()
    bar.ax.set_title(unit, fontsize=6.5, color=ink("quiet"), pad=4)


def _decades(known: Floats) -> tuple[float, float]:
    if len(known) == 0:
        return 0.1, 1.0
    low, high = np.percentile(known, [1, 99]).tolist()
    return low, max(high, 10 * low)


def _feature(axes: Axes, stream: CollectedStream, gaps: Sequence[tuple[float, float]]) -> None:
    names = stream.epochs[0].info.channels
    view = stream.view
    if view.feature in names:
        times = np.array([epoch.stop for epoch in stream.epochs])
        column = names.index(view.feature)
        values = np.array([float(epoch.data[column]) for epoch in stream.epochs])
        times, values = split_at_gaps(times, values, 2.5 * HOP)
        axes.plot(*decimated(times, values, COLUMNS), color=ink_of(stream.info.modality), lw=1.2)
    beats = stream.mark_table
    aside = ""
    if view.feature == "heart_rate" and len(beats) > 1:
        rate = 60 / np.diff(beats[:, 0])
        inside = (rate > 30) & (rate < 200) & ~_spanning(beats[:, 0], gaps)
        axes.plot(beats[1:, 0][inside], rate[inside], ".", color=ink("faint"), ms=1.6, zorder=1)
        aside = "line: the feature (clean intervals of 10 s); dots: every interval as found"
    elif view.mark and len(beats):
        whole = axes.get_xaxis_transform()
        axes.vlines(beats[:, 0], 0, 1, transform=whole, color=ink("faint"), lw=0.5)
        aside = f"line: the feature; ticks: onset of each {view.mark}"
    axes.set_ylabel(view.feature_unit, color=ink("quiet"), fontsize=7.5)
    title_row(axes, view.feature.replace("_", " ").capitalize().replace("Scr", "SCR"), aside)


def _spanning(moments: Floats, gaps: Sequence[tuple[float, float]]) -> Bools:
    """Return which of the intervals between moments have a gap in them."""
    spanning = np.zeros(len(moments) - 1, np.bool_)
    for begin, _ in gaps:
        spanning |= (moments[:-1] <= begin) & (moments[1:] > begin)
    return spanning


def draw_quality(axes: Axes, stream: CollectedStream) -> None:
    """Draw the quality over time, 0 to 1, with the bounds at which it is called bad and good."""
    times = np.array([epoch.stop for epoch in stream.epochs])
    values = np.array([epoch.quality for epoch in stream.epochs])
    times, values = split_at_gaps(times, values, 2.5 * HOP)
    times, values = decimated(times, values, COLUMNS)
    axes.fill_between(times, 0, values, color=ink_of(stream.info.modality), alpha=0.35, lw=0)
    axes.plot(times, values, color=ink_of(stream.info.modality), lw=0.9)
    axes.axhline(LOW, color=ink("error"), lw=0.6, ls=(0, (4, 3)))
    axes.axhline(HIGH, color=ink("good"), lw=0.6, ls=(0, (4, 3)))
    axes.set_ylim(0, 1.05)
    axes.set_yticks([0, 0.5, 1])
    title_row(axes, "Quality", f"dashed: bad below {LOW:g}, good again above {HIGH:g}")


def _spans(times: Floats, wrong: Bools) -> list[tuple[float, float]]:
    """Return the spans of columns at which something is wrong."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], wrong.astype(int), [0]])))
    half = (times[1] - times[0]) / 2
    return [
        (float(times[start] - half), float(times[stop - 1] + half))
        for start, stop in edges.reshape(-1, 2).tolist()
    ]
