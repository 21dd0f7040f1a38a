"""Features of a recording as one table: what a live run computes, four times a second."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from biosense.api.html import sparkline, table_html
from biosense.api.naming import modality_named
from biosense.api.reading import opened
from biosense.api.recording import Recording
from biosense.core.errors import BadInput
from biosense.core.extras import need
from biosense.core.recording import Recording as WholeRecording
from biosense.core.types import Epoch, Modality
from biosense.estimation.processor import Processor
from biosense.estimation.recorded_run import recorded_settings
from biosense.viz.palette import colour_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = ("time", "modality", "feature", "value", "quality")
_MOST_A_MODALITY = 6


class Features(pd.DataFrame):
    """A pandas table of features in long form: `time`, `modality`, `feature`, `value`, `quality`.

    `time` is the end of the window, when the feature became knowable, in session seconds; `value`
    is NaN where it has none; `quality` (0 to 1) is that of all features of the modality then. Rows
    of it are such a table again; where columns are gone, they are a plain one.
    """

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return _features_or_plain

    def wide(self) -> pd.DataFrame:
        """Return a row for each time and a column for each (modality, feature).

        Returns
        -------
        pandas.DataFrame
            Index `time`; columns with the levels `modality` and `feature`, in the order in which
            they were computed. `wide()["ecg"]` are the features of one modality.
        """
        names = list(dict.fromkeys(zip(self["modality"], self["feature"], strict=True)))
        table = pd.DataFrame(self).pivot(
            index="time", columns=["modality", "feature"], values="value"
        )
        return table.reindex(
            columns=pd.MultiIndex.from_tuples(names, names=["modality", "feature"])
        )

    def plot(self, *names: str) -> Figure:  # type: ignore[override]
        """Draw features below each other, pale where the quality is below 0.5.

        Parameters
        ----------
        names
            Features or modalities; the first of each modality by default.

        Returns
        -------
        matplotlib.figure.Figure
            Time in session seconds; twelve rows at most.
        """
        need("matplotlib", "a picture")
        from biosense.api.draw_tables import draw_features

        return draw_features(pd.DataFrame(self), names)

    def _repr_html_(self) -> str:
        rows: list[Sequence[object]] = []
        more = []
        for modality, own in pd.DataFrame(self).groupby("modality", sort=False):
            of_one = [_summary(str(modality), *pair) for pair in own.groupby("feature", sort=False)]
            rows += of_one[:_MOST_A_MODALITY]
            if (left := len(of_one) - _MOST_A_MODALITY) > 0:
                more.append(f"{left} of {modality}")
        span = f", {self['time'].min():.2f} to {self['time'].max():.2f} s" if len(self) else ""
        heads = ("modality", "feature", "known", "median", "")
        below = [f"and {', '.join(more)}"] if more else []
        return table_html("Features", f"{len(self)} rows{span}", heads, rows, below)


def _features_or_plain(*content: Any, **options: Any) -> pd.DataFrame:
    table = pd.DataFrame(*content, **options)
    return Features(table) if set(COLUMNS) <= set(table.columns) else table


def _summary(modality: str, feature: object, rows: pd.DataFrame) -> Sequence[object]:
    values = rows["value"].to_numpy(float)
    finite = np.isfinite(values)
    median = float(np.median(values[finite])) if finite.any() else float("nan")
    spark = sparkline(values, colour_name(modality))
    return modality, str(feature), f"{finite.mean():.0%}", median, spark


def features(
    recording: Recording | WholeRecording | str | Path,
    *,
    modalities: Iterable[Modality | str] | None = None,
    mains_hz: float | None = None,
) -> Features:
    """Compute the features of a recording, with the numbers of the live run.

    Parameters
    ----------
    recording
        As `read` or the `load` of a data set gives it, or where it lies.
    modalities
        Those of these only ("ecg", ..); of all by default.
    mains_hz
        Mains frequency, Hz; that of the live run by default, else 50.

    Returns
    -------
    Features
        In long form: `time` (end of the window, session seconds), `modality`, `feature`, `value`,
        `quality`. Not normalised.

    Raises
    ------
    BadInput
        If nothing in the recording can be processed: the reasons are named.

    Examples
    --------
    >>> import biosense as bs
    >>> table = bs.features(bs.simulate(seconds=15, modalities=["ecg"]))
    >>> table.columns.tolist(), table["feature"].iloc[0]
    (['time', 'modality', 'feature', 'value', 'quality'], 'heart_rate')
    """
    wanted = set(Modality) if modalities is None else {modality_named(each) for each in modalities}
    content = opened(recording).content
    settings = recorded_settings(content.header, mains_hz)
    outcomes = content.process(Processor(settings))
    every = [outcome for outcome in outcomes if isinstance(outcome, Epoch)]
    epochs = [epoch for epoch in every if epoch.info.modality in wanted]
    if not epochs:
        fresh = Processor(settings)
        reasons = [note.text for info in content.infos for note in fresh.add_stream(info)]
        has = [f"{info.name!r} ({info.modality or 'no modality'})" for info in content.infos]
        said = "; ".join([*reasons, f"its streams: {', '.join(has) or 'none'}"])
        raise BadInput(f"nothing in recording {content.title} gives features: {said}")
    return features_of(epochs)


def features_of(epochs: Iterable[Epoch]) -> Features:
    """Return epochs of features as a table, in their order of time and of `Modality`."""
    order = {modality: number for number, modality in enumerate((None, *Modality))}
    ordered = sorted(epochs, key=lambda epoch: (epoch.index, order[epoch.info.modality]))
    sizes = [len(epoch.info.channels) for epoch in ordered]
    return Features(
        {
            "time": np.repeat([epoch.stop for epoch in ordered], sizes),
            "modality": np.repeat([str(epoch.info.modality) for epoch in ordered], sizes),
            "feature": [name for epoch in ordered for name in epoch.info.channels],
            "value": np.concatenate([epoch.data for epoch in ordered]) if ordered else [],
            "quality": np.repeat([float(epoch.quality) for epoch in ordered], sizes),
        },
        columns=list(COLUMNS),
    )
