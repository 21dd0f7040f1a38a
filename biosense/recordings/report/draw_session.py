"""Draw what belongs to all streams: which were there when and how good, and the estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from biosense.core.affect import TARGETS, WEIGHT_PREFIX
from biosense.core.grid import HOP
from biosense.core.types import Bools, Chunk, Epoch, Floats
from biosense.estimation.signal_quality import HIGH, LOW
from biosense.recordings.inspection import Inspection, StreamReport
from biosense.recordings.report.collect import CollectedStream
from biosense.viz.axes import (
    MarkerLine,
    Span,
    decimated,
    draw_markers,
    label_time,
    name_rows,
    split_at_gaps,
    stacked_axes,
    title_row,
)
from biosense.viz.palette import colour_name
from biosense.viz.svg import ink, ink_of

_ROW_IN = 0.24
_COLUMNS = 500
_HALF_WIDTH_90 = 1.645  # standard deviations on either side that hold 90 % of a Gaussian
_LEVELS = ("error", "warn", "good")


def draw_timeline(
    found: Inspection,
    collected: Mapping[str, CollectedStream],
    span: Span,
    markers: Sequence[MarkerLine],
) -> Figure:
    """Draw a bar for each stream: there or not, good or bad."""
    shown = {name: each for name, each in found.streams.items() if each.first is not None}
    figure, axes = stacked_axes([max(1, len(shown)) * _ROW_IN], top=0.3)
    for row, (name, report) in enumerate(shown.items()):
        stream = collected.get(name)
        _bar(axes[0], row, report, stream.epochs if stream else [])
    name_rows(axes[0], list(shown))
    axes[0].tick_params(axis="y", labelsize=7)
    label_time(axes, span)
    draw_markers(axes, markers, span, words=False)
    words = (
        f"quality: green {HIGH:g} and up, yellow {LOW:g} to {HIGH:g}, red below; grey: no quality"
    )
    title_row(axes[0], "What was there, and how good", words)
    return figure


def _bar(axes: Axes, row: int, report: StreamReport, epochs: list[Epoch]) -> None:
    assert report.first is not None
    assert report.last is not None
    edges = [report.first]
    for gap in report.gap_list:
        edges += [gap.start, gap.stop]
    edges.append(report.last)
    parts = [(begin, stop - begin) for begin, stop in zip(edges[::2], edges[1::2], strict=True)]
    axes.broken_barh(parts, (row - 0.3, 0.6), facecolors=ink("line"), lw=0)
    if not epochs:
        return
    times = np.array([epoch.stop for epoch in epochs])
    quality = np.array([epoch.quality for epoch in epochs])
    levels = (quality >= LOW).astype(int) + (quality >= HIGH)
    step = max(0.25, (report.last - report.first) / _COLUMNS)
    for level, name in enumerate(_LEVELS):
        runs = _runs(times, levels == level, step)
        axes.broken_barh(runs, (row - 0.3, 0.6), facecolors=ink(name), alpha=0.85, lw=0)


def _runs(times: Floats, chosen: Bools, least: float) -> list[tuple[float, float]]:
    """Return (begin, length) of each run of points that are chosen and no gap apart."""
    runs: list[tuple[float, float]] = []
    for time in times[chosen].tolist():
        if runs and time - HOP - sum(runs[-1]) < least:
            runs[-1] = (runs[-1][0], time - runs[-1][0])
        else:
            runs.append((time - HOP, HOP))
    return runs


def draw_estimates(
    affect: Chunk, truth: Chunk | None, span: Span, markers: Sequence[MarkerLine]
) -> Figure:
    """Draw valence and arousal with their 90 % intervals, and what carried them."""
    names = affect.info.channels
    weights = [name for name in names if name.startswith(WEIGHT_PREFIX)]
    figure, axes = stacked_axes([1.15, 1.15] + [0.7] * bool(weights))
    for row, name in enumerate(TARGETS):
        _estimate(axes[row], affect, truth, name)
    if weights:
        _weights(axes[2], affect, weights)
    label_time(axes, span)
    draw_markers(axes, markers, span, words=True)
    return figure


def _estimate(axes: Axes, affect: Chunk, truth: Chunk | None, name: str) -> None:
    names = affect.info.channels
    mean = affect.data[:, names.index(name)].astype(float)
    half = _HALF_WIDTH_90 * affect.data[:, names.index(f"sd_{name}")].astype(float)
    step = max(1, len(mean) // _COLUMNS)
    times, low = split_at_gaps(affect.times[::step], (mean - half)[::step], 1.0 + step * HOP)
    _, high = split_at_gaps(affect.times[::step], (mean + half)[::step], 1.0 + step * HOP)
    axes.fill_between(times, low, high, color=ink(name), alpha=0.18, lw=0)
    axes.plot(
        *decimated(*split_at_gaps(affect.times, mean, 1.0), _COLUMNS), color=ink(name), lw=1.4
    )
    aside = "line: estimate; shaded: 90 % interval"
    if truth is not None:
        values = truth.data[:, truth.info.channels.index(name)].astype(float)
        line = decimated(truth.times, values, _COLUMNS)
        axes.plot(*line, color=ink("text"), lw=0.9, ls=(0, (4, 2)))
        aside += f"; dashed: {truth.info.name}"
    axes.set_ylim(-1.05, 1.05)
    axes.set_yticks([-1, 0, 1])
    axes.axhline(0, color=ink("line"), lw=0.8)
    title_row(axes, name.capitalize(), aside, name)


def _weights(axes: Axes, affect: Chunk, weights: Sequence[str]) -> None:
    columns = [affect.info.channels.index(name) for name in weights]
    step = max(1, len(affect.times) // _COLUMNS)
    shares = affect.data[::step, columns].astype(float).T
    kinds = [name.removeprefix(WEIGHT_PREFIX) for name in weights]
    colours = [ink(colour_name(kind)) for kind in kinds]
    axes.stackplot(affect.times[::step], shares, colors=colours, alpha=0.7, lw=0)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1])
    carried = [kind for kind, share in zip(kinds, shares, strict=True) if share.any()]
    title_row(axes, "What carried them", "from below: " + ", ".join(carried))


def draw_plain(parts: list[Chunk], span: Span) -> Figure:
    """Draw a stream that is recorded and not processed: its first channels, each in its lane."""
    info = parts[0].info
    lanes = min(4, info.n_channels)
    figure, axes = stacked_axes([max(0.6, 0.4 * lanes)])
    times = np.concatenate([part.times for part in parts])
    data = np.concatenate([part.data for part in parts])
    longest = 5 / info.sfreq if info.sfreq else np.inf
    for lane in range(lanes):
        values = data[:, lane].astype(float)
        low, high = np.nanpercentile(values, [0.5, 99.5]) if np.isfinite(values).any() else (0, 1)
        values = (values - (low + high) / 2) / (1.3 * (high - low) or 1.0) - lane
        line = decimated(*split_at_gaps(times, values, longest), _COLUMNS)
        axes[0].plot(*line, color=ink_of(info.modality), lw=0.8)
    axes[0].set_ylim(0.6 - lanes, 0.6)
    axes[0].set_yticks([-lane for lane in range(lanes)], info.channels[:lanes])
    axes[0].grid(False, axis="y")
    label_time(axes, span)
    shown = f"{lanes} of {info.n_channels} channels, " if lanes < info.n_channels else ""
    title_row(axes[0], info.name, f"{shown}each lane scaled to its own values")
    return figure
