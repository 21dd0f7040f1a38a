"""Draw what was said of sequences: curves beside what people said, and the plane of both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from biosense.core.affect import TARGETS
from biosense.core.types import Floats
from biosense.studies.report.panels import head, panels, under
from biosense.studies.results.parts import Curve
from biosense.studies.results.result import StudyResult
from biosense.viz.axes import write
from biosense.viz.svg import ink

_HALF_WIDTH_90 = 1.645  # standard deviations on either side that hold 90 % of a Gaussian


def draw_curve(curve: Curve) -> Figure:
    """Draw the estimate with its 90 % interval over what the person said, for both targets."""
    figure, axes = panels(2, 1.25, left=0.45, between=0.45)
    time = np.array(curve.time)
    for panel, target in zip(axes, TARGETS, strict=True):
        mean, sd, said = (_array(part[target]) for part in (curve.mean, curve.sd, curve.target))
        low, high = (np.clip(mean + side * _HALF_WIDTH_90 * sd, -1, 1) for side in (-1, 1))
        panel.axhline(0, color=ink("line"), lw=0.7)
        panel.fill_between(time, low, high, color=ink(target), alpha=0.16, lw=0)
        panel.plot(time, said, color=ink("quiet"), lw=1.6)
        panel.plot(time, mean, color=ink(target), lw=1.6)
        panel.set_xlim(time[0], max(time[-1], time[0] + 1))
        panel.set_ylim(-1.02, 1.02)
        panel.set_yticks([-1, 0, 1])
        head(panel, target.capitalize(), "grey: what the person said", colour=target)
        under(panel, "seconds")
    return figure


def draw_plane(result: StudyResult) -> Figure:
    """Draw where people put each sequence in the plane, and where the estimate puts it."""
    figure, axes = panels(2, 3.9, left=0.5, between=1.4, width=9.6)
    rated = np.array([_array(point.target) for point in result.plane])
    said = np.array([_array(point.mean) for point in result.plane])
    for panel, values, title, colour in (
        (axes[0], rated, "What people said", "text"),
        (axes[1], said, f"What {result.chosen} said", "accent"),
    ):
        _plane(panel)
        panel.plot(
            values[:, 0], values[:, 1], "o", ms=4, mew=0, mfc=ink(colour),
            alpha=0.6 if len(values) < 150 else 0.35,
        )  # fmt: skip
        head(panel, title, f"{len(values)} sequences")
        under(panel, "valence")
    return figure


def _plane(axes: Axes) -> None:
    axes.set_xlim(-1.05, 1.05)
    axes.set_ylim(-1.05, 1.05)
    axes.set_aspect("equal")
    axes.set_xticks([-1, -0.5, 0, 0.5, 1])
    axes.set_yticks([-1, -0.5, 0, 0.5, 1])
    axes.axhline(0, color=ink("faint"), lw=0.8)
    axes.axvline(0, color=ink("faint"), lw=0.8)
    for place, word in (
        ((-0.98, 0.92), "tense"),
        ((0.98, 0.92), "excited"),
        ((-0.98, -0.98), "sad"),
        ((0.98, -0.98), "calm"),
    ):
        write(
            axes, word, place, (0, 0), coords="data", colour=ink("faint"), size=7.5,
            align="left" if place[0] < 0 else "right",
        )  # fmt: skip
    axes.set_ylabel("arousal", color=ink("quiet"), fontsize=7.5)


def draw_reliability(result: StudyResult) -> Figure | None:
    """Draw how often intervals held the target against how often they claim to."""
    known = [each for each in result.reliability if each.pooled is not None]
    if not known:
        return None
    figure, axes = panels(2, 3.0, left=0.55, between=1.4, width=8.6)
    for panel, target in zip(axes, TARGETS, strict=True):
        own = [each for each in known if each.target == target]
        levels = [each.level for each in own]
        panel.plot([0, 1], [0, 1], color=ink("faint"), lw=1, ls=(0, (3, 3)))
        panel.plot(levels, _array([e.worst for e in own]), "v", ms=5, mew=0, mfc=ink("warn"))
        pooled = _array([each.pooled for each in own])
        panel.plot(levels, pooled, "-o", color=ink(target), ms=5.5, lw=1.6)
        panel.set_xlim(0.4, 1.0)
        panel.set_ylim(-0.02, 1.02)
        head(panel, target.capitalize(), "▼ the person served worst", colour=target)
        under(panel, "interval claims to hold this share of targets")
        panel.set_ylabel("holds", color=ink("quiet"), fontsize=7.5)
    return figure


def _array(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], np.float64)
