"""Valence and arousal over a recording as a table, with the numbers of the live run."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from biosense.api.figures import draw_band, lanes
from biosense.api.frames import settings_of
from biosense.api.html import sparkline, table_html
from biosense.api.model import load_model
from biosense.api.reading import opened
from biosense.api.recording import Recording
from biosense.core.errors import BadInput
from biosense.estimation.estimate_table import estimates_table
from biosense.estimation.offline import estimate_recording
from biosense.estimation.rated_spans import caution
from biosense.models.deployment.checkpoint import Loaded
from biosense.viz.palette import LIGHT, colour_name

import pandas as pd  # isort: skip  # `frames` says what to install where it is missing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TARGETS = ("valence", "arousal")
_WEIGHT = "weight_"


class Estimates(pd.DataFrame):
    """A table of estimates, a row each: the columns of `biosense estimate --out`.

    `time` (session seconds), `valence` and `arousal` (-1 to 1), their standard deviations
    `sd_valence` and `sd_arousal`, and `weight_<modality>`: which modality carries the estimate. It
    is a pandas table: everything that pandas does works.
    """

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return Estimates

    def plot(self) -> Figure:  # type: ignore[override]
        """Draw valence and arousal with one standard deviation, and the weights of the modalities.

        Returns
        -------
        matplotlib.figure.Figure
            Times in session seconds.
        """
        table = pd.DataFrame(self)
        missing = [name for name in ("time", *_TARGETS) if name not in table]
        if missing or not len(table):
            raise BadInput(f"columns {missing} are missing" if missing else "there is no estimate")
        weights = [name for name in table if str(name).startswith(_WEIGHT)]
        figure, rows = lanes(3 if weights else 2, heights=[1.7, 1.7, 1.0][: 3 if weights else 2])
        times = table["time"].to_numpy(float)
        for axes, name in zip(rows, _TARGETS, strict=False):
            sd = table[f"sd_{name}"].to_numpy(float) if f"sd_{name}" in table else 0 * times
            draw_band(axes, times, table[name].to_numpy(float), sd, name)
        if weights:
            names = [str(name).removeprefix(_WEIGHT) for name in weights]
            colours = [LIGHT[colour_name(name)] for name in names]
            shares = table[weights].to_numpy(float).T
            rows[2].stackplot(times, shares, labels=names, colors=colours, alpha=0.75, lw=0)
            rows[2].set(ylim=(0, 1), yticks=(0, 1))
            rows[2].set_ylabel("weights", rotation=0, ha="right", va="center")
            rows[2].legend(
                loc="lower left", bbox_to_anchor=(0, 1), ncols=len(names), frameon=False, fontsize=8
            )
        rows[-1].set_xlabel("session time (s)")
        return figure

    def _repr_html_(self) -> str:
        table = pd.DataFrame(self)
        if not {"time", *_TARGETS} <= set(table.columns) or not len(table):
            return table.to_html(max_rows=20)
        rows = []
        for name in _TARGETS:
            values = table[name].to_numpy(float)
            sd = float(table[f"sd_{name}"].median()) if f"sd_{name}" in table else float("nan")
            spark = sparkline(values, LIGHT[name])
            rows.append((name, float(table[name].mean()), float(table[name].std()), sd, spark))
        span = f"{table['time'].iloc[0]:.2f} to {table['time'].iloc[-1]:.2f} s"
        title = f"Estimates of model {self.attrs.get('model', '')!r}"
        heads = ("", "mean", "moves by", "told sd", "")
        below = str(self.attrs.get("warning", ""))
        return table_html(title, f"{len(table)} rows, {span}", heads, rows, below)


def estimate(
    recording: Recording | str | Path,
    model: str | Path | Loaded = "default",
    *,
    mains_hz: float | None = None,
) -> Estimates:
    """Estimate valence and arousal over a recording, with the numbers of the live run.

    Parameters
    ----------
    recording
        As `read` gives it, or where it lies.
    model
        A checkpoint: "default" (heart and skin conductance of people), "demo" (simulated people),
        where one lies, or as `load_model` gives it.
    mains_hz
        Mains frequency, Hz; that of the live run by default, else 50.

    Returns
    -------
    Estimates
        A row every quarter of a second; `.attrs["model"]` and `.attrs["warning"]` say whose they
        are and what speaks against using it. Where the model knows none of the streams there is
        no row, and a warning says so.

    Raises
    ------
    BadInput
        If there is no such model.
    CheckpointMismatch
        If the model was trained on other features than this version computes.

    Examples
    --------
    >>> import biosense as bs
    >>> table = bs.estimate(bs.simulate(seconds=15, modalities=["ecg", "eda"]), model="demo")
    >>> bool(table["valence"].between(-1, 1).all())
    True
    """
    opened_one = opened(recording)
    loaded = model if isinstance(model, Loaded) else load_model(model)
    settings, header = settings_of(opened_one, mains_hz)
    card = loaded.info.card
    said = caution(card, opened_one.participant)
    if said and card.person:
        warnings.warn(said, UserWarning, stacklevel=2)
    found = estimate_recording(opened_one.reader, loaded, settings, header)
    if not found:
        knows = ", ".join(loaded.model.modalities)
        has = ", ".join(opened_one.streams) or "none"
        reason = f"no estimate: the model knows {knows}; streams of the recording: {has}"
        warnings.warn(reason, UserWarning, stacklevel=2)
    table = Estimates(estimates_table(found, loaded.model.modalities))
    name = loaded.info.model if isinstance(model, Loaded) else str(model)
    table.attrs |= {"model": name, "warning": said}
    return table
