"""Draw features and estimates over time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from biosense.api.figures import draw_curve, stacked_rows, title_row
from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.core.suggest import unknown_name
from biosense.core.types import Floats
from biosense.viz.axes import split_at_gaps
from biosense.viz.palette import LIGHT, colour_name
from biosense.viz.svg import figure_style

MOST_ROWS = 12
_GOOD = 0.5  # quality from which on a feature is drawn in full colour
_LONGEST_S = 1.0  # without a row that a line goes on
_HALF_WIDTH_90 = 1.645  # standard deviations on either side that hold 90 % of a Gaussian
_COLUMNS = 600


def draw_features(table: pd.DataFrame, names: Sequence[str]) -> Figure:
    """Draw features below each other.

    Parameters
    ----------
    table
        In long form, as `Features`.
    names
        Features or modalities; none at all: the first of each modality.

    Raises
    ------
    BadInput
        If there is nothing of that name, or nothing at all.
    """
    groups = dict(iter(table.groupby(["modality", "feature"], sort=False)))
    if not groups:
        raise BadInput("there is no feature to draw")
    if names:
        chosen = [key for key in groups if set(key) & set(names)]
        known = [str(part) for key in groups for part in (key[1], key[0])]
        for name in names:
            if name not in known:
                raise unknown_name("feature", name, known)
    else:
        chosen = list({modality: (modality, name) for modality, name in reversed(groups)}.values())
        chosen.reverse()
    shown = chosen[:MOST_ROWS]
    with figure_style():
        figure, rows = stacked_rows([0.7] * len(shown))
        for axes, key in zip(rows, shown, strict=True):
            _draw_feature(axes, groups[key], colour_name(str(key[0])))
            title_row(axes, str(key[1]), aside=str(key[0]))
        rows[-1].set_xlabel("session time (s)")
    return figure


def _draw_feature(axes: Axes, rows: pd.DataFrame, colour: str) -> None:
    times, values = rows["time"].to_numpy(float), rows["value"].to_numpy(float)
    good = np.where(rows["quality"].to_numpy(float) >= _GOOD, values, np.nan)
    draw_curve(axes, times, values, LIGHT[colour], _LONGEST_S, width=1.0, alpha=0.35)
    draw_curve(axes, times, good, LIGHT[colour], _LONGEST_S, width=1.3)
    axes.locator_params(axis="y", nbins=4)


def draw_estimates(table: pd.DataFrame) -> Figure:
    """Draw valence and arousal, and the weights of the modalities.

    Parameters
    ----------
    table
        With the columns of `Estimates`.

    Raises
    ------
    BadInput
        If there is no estimate.
    """
    if not len(table):
        raise BadInput("there is no estimate to draw")
    weights = [str(name) for name in table if str(name).startswith("weight_")]
    times = table["time"].to_numpy(float)
    with figure_style():
        figure, rows = stacked_rows([1.35, 1.35, *[0.8] * bool(weights)])
        for axes, name in zip(rows, ("valence", "arousal"), strict=False):
            sd = table[f"sd_{name}"].to_numpy(float) if f"sd_{name}" in table else 0 * times
            _draw_target(axes, times, table[name].to_numpy(float), sd, name)
        if weights:
            _draw_weights(rows[2], times, table[weights])
        rows[-1].set_xlabel("session time (s)")
    return figure


def _draw_target(axes: Axes, times: Floats, mean: Floats, sd: Floats, name: str) -> None:
    step = max(1, len(times) // _COLUMNS)
    longest = max(_LONGEST_S, 2 * step * HOP)
    edges = [mean + sign * _HALF_WIDTH_90 * sd for sign in (-1, 1)]
    at, low = split_at_gaps(times[::step], edges[0][::step], longest)
    _, high = split_at_gaps(times[::step], edges[1][::step], longest)
    axes.fill_between(at, low, high, color=LIGHT[name], alpha=0.16, lw=0)
    draw_curve(axes, times, mean, LIGHT[name], _LONGEST_S, width=1.5)
    axes.axhline(0.0, color=LIGHT["line"], lw=0.8, zorder=0.6)
    axes.set(ylim=(-1.05, 1.05), yticks=(-1, 0, 1))
    title_row(axes, name, "(-1 to 1)", "line: estimate, band: its 90 % interval")


def _draw_weights(axes: Axes, times: Floats, weights: pd.DataFrame) -> None:
    step = max(1, len(times) // _COLUMNS)
    names = [str(name).removeprefix("weight_") for name in weights]
    colours = [LIGHT[colour_name(name)] for name in names]
    shares = weights.to_numpy(float)[::step].T
    axes.stackplot(times[::step], shares, labels=names, colors=colours, alpha=0.75, lw=0)
    axes.set(ylim=(0, 1), yticks=(0, 1))
    title_row(axes, "weights", "(shares)")
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1.0, 0.98),
        ncols=len(names),
        fontsize=7.5,
        frameon=False,
        labelcolor=LIGHT["quiet"],
        handlelength=1.0,
        columnspacing=1.2,
        borderpad=0.1,
    )
