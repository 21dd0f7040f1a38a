"""Features of a recording as one table: what a live run computes, four times a second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from biosense.api.figures import lanes
from biosense.api.frames import settings_of
from biosense.api.html import sparkline, table_html
from biosense.api.naming import modality_named
from biosense.api.reading import opened
from biosense.api.recording import Recording
from biosense.core.errors import BadInput
from biosense.core.own_streams import OWN_PREFIX
from biosense.core.types import Epoch, Modality
from biosense.estimation.offline import from_first
from biosense.estimation.processor import Processor
from biosense.estimation.run_processor import process
from biosense.viz.palette import LIGHT, colour_name

import pandas as pd  # isort: skip  # `frames` says what to install where it is missing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = ("time", "modality", "feature", "value", "quality")
_MOST_ROWS = 12
_MOST_A_MODALITY = 6


class Features(pd.DataFrame):
    """A table of features in long form: `time`, `modality`, `feature`, `value`, `quality`.

    `time` is the end of the window, when the feature became knowable, in session seconds; `value`
    is NaN where it has none; `quality` (0 to 1) is that of all features of the modality then. It is
    a pandas table: everything that pandas does works.
    """

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return Features

    def wide(self) -> pd.DataFrame:
        """Return a row for each time and a column for each (modality, feature).

        Returns
        -------
        pandas.DataFrame
            Index `time`; columns with the levels `modality` and `feature`, in the order in which
            they were computed.
        """
        self._must_be_whole()
        names = list(dict.fromkeys(zip(self["modality"], self["feature"], strict=True)))
        table = pd.DataFrame(self).pivot(
            index="time", columns=["modality", "feature"], values="value"
        )
        return table.reindex(
            columns=pd.MultiIndex.from_tuples(names, names=["modality", "feature"])
        )

    def plot(self, *names: str) -> Figure:  # type: ignore[override]
        """Draw features below each other.

        Parameters
        ----------
        names
            Features or modalities; the first of each modality by default.

        Returns
        -------
        matplotlib.figure.Figure
            Where the quality is below .5 the curve is pale.
        """
        self._must_be_whole()
        table = pd.DataFrame(self)
        if names:
            chosen = table[table["feature"].isin(names) | table["modality"].isin(names)]
            if not len(chosen):
                known = ", ".join(dict.fromkeys(table["feature"]))
                raise BadInput(f"no feature {', '.join(map(repr, names))}; there are: {known}")
        else:
            firsts = table.groupby("modality", sort=False)["feature"].first()
            chosen = table[table["feature"].isin(set(firsts))]
        groups = list(chosen.groupby(["modality", "feature"], sort=False))[:_MOST_ROWS]
        figure, rows = lanes(len(groups))
        for axes, ((modality, feature), part) in zip(rows, groups, strict=True):
            colour = LIGHT[colour_name(str(modality))]
            good = part["value"].where(part["quality"] >= 0.5)
            axes.plot(part["time"], part["value"], lw=1.0, color=colour, alpha=0.35)
            axes.plot(part["time"], good, lw=1.2, color=colour)
            axes.set_ylabel(f"{modality}\n{feature}", rotation=0, ha="right", va="center")
        rows[-1].set_xlabel("session time (s)")
        return figure

    def _repr_html_(self) -> str:
        if not set(COLUMNS) <= set(self.columns):
            return pd.DataFrame(self).to_html(max_rows=20)
        rows = []
        for (modality, feature), part in pd.DataFrame(self).groupby(
            ["modality", "feature"], sort=False
        ):
            values = part["value"].to_numpy(float)
            colour = LIGHT[colour_name(str(modality))]
            known = float(np.isfinite(values).mean())
            median = float(np.nanmedian(values)) if known else float("nan")
            rows.append((str(modality), feature, f"{known:.0%}", median, sparkline(values, colour)))
        seen: Counter[str] = Counter()
        shown = []
        for row in rows:
            seen[row[0]] += 1
            shown += [row] if seen[row[0]] <= _MOST_A_MODALITY else []
        more = [f"{n - _MOST_A_MODALITY} of {m}" for m, n in seen.items() if n > _MOST_A_MODALITY]
        times = pd.DataFrame(self)["time"]
        span = f"{times.min():.2f} to {times.max():.2f} s" if len(self) else "empty"
        heads = ("modality", "feature", "known", "median", "")
        below = f"and {', '.join(more)}" if more else ""
        return table_html("Features", f"{len(self)} rows, {span}", heads, shown, below)

    def _must_be_whole(self) -> None:
        if not set(COLUMNS) <= set(self.columns):
            raise BadInput(f"columns {list(COLUMNS)} are needed, got {list(self.columns)}")


def features(
    recording: Recording | str | Path,
    *,
    modalities: Iterable[Modality | str] | None = None,
    mains_hz: float | None = None,
) -> Features:
    """Compute the features of a recording, with the numbers of the live run.

    Parameters
    ----------
    recording
        As `read` gives it, or where it lies.
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
    opened_one = opened(recording)
    settings, header = settings_of(opened_one, mains_hz)
    reader, processor = opened_one.reader, Processor(settings)
    infos = [info for info in reader.infos if not info.name.startswith(OWN_PREFIX)]
    items = from_first(reader.items(), header.first_samples if header else {})
    outcomes = process(items, infos, processor)
    epochs = [outcome for outcome in outcomes if isinstance(outcome, Epoch)]
    if modalities is not None:
        wanted = {modality_named(each) for each in modalities}
        epochs = [epoch for epoch in epochs if epoch.info.modality in wanted]
    if not epochs:
        reasons = [note.text for info in infos for note in Processor(settings).add_stream(info)]
        said = "; ".join(reasons) or ", ".join(repr(info.name) for info in infos) or "no stream"
        raise BadInput(f"nothing in {opened_one.path} gives features: {said}")
    return features_of(epochs)


def features_of(epochs: Iterable[Epoch]) -> Features:
    """Return epochs of features as a table, in their order of time."""
    ordered = sorted(epochs, key=lambda epoch: epoch.index)
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
