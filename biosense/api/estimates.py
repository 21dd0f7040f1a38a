"""Estimates of valence and arousal as a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from biosense.api.html import sparkline, table_html
from biosense.core.extras import need
from biosense.viz.palette import colour_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TARGETS = ("valence", "arousal")
WEIGHT = "weight_"
_LEAST = ("time", *TARGETS)


class Estimates(pd.DataFrame):
    """A pandas table of estimates, a row each: the columns of `biosense estimate --out`.

    `time` (session seconds), `valence` and `arousal` (-1 to 1), their standard deviations
    `sd_valence` and `sd_arousal`, and `weight_<modality>`, its share of the estimate. Rows of it
    are such a table again; where columns are gone, they are a plain one. `attrs["model"]` names the
    model, `attrs["warning"]` says what speaks against using it.
    """

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return _estimates_or_plain

    def plot(self) -> Figure:  # type: ignore[override]
        """Draw valence and arousal with their 90 % intervals, and the weights of the modalities.

        Returns
        -------
        matplotlib.figure.Figure
            Time in session seconds.
        """
        need("matplotlib", "a picture")
        from biosense.api.draw_tables import draw_estimates

        return draw_estimates(pd.DataFrame(self))

    def _repr_html_(self) -> str:
        table, rows = pd.DataFrame(self), []
        for name in TARGETS:
            sd = float(table[f"sd_{name}"].median()) if f"sd_{name}" in table else float("nan")
            values = table[name].to_numpy(float)
            spark = sparkline(values, name)
            rows.append((name, float(table[name].mean()), float(table[name].std()), sd, spark))
        for column in (str(each) for each in table if str(each).startswith(WEIGHT)):
            colour = colour_name(column.removeprefix(WEIGHT))
            values = table[column].to_numpy(float)
            cells = (float(values.mean()), float(values.std()), "") if len(values) else ("", "", "")
            rows.append((column.replace("_", " of "), *cells, sparkline(values, colour)))
        span = (
            f", {table['time'].iloc[0]:.2f} to {table['time'].iloc[-1]:.2f} s" if len(table) else ""
        )
        model = self.attrs.get("model")
        title = f"Estimates of model {str(model)!r}" if model else "Estimates"
        heads = ("", "mean", "sd over time", "median own sd", "")
        warning = str(self.attrs.get("warning", ""))
        return table_html(
            title, f"{len(table)} rows{span}", heads, rows, [warning] if warning else []
        )


def _estimates_or_plain(*content: Any, **options: Any) -> pd.DataFrame:
    table = pd.DataFrame(*content, **options)
    return Estimates(table) if set(_LEAST) <= set(table.columns) else table
