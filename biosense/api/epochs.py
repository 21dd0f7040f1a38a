"""Epochs around markers, as an analyst takes them on: arrays, tables, MNE objects, a picture."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from biosense.api.figures import MOST_CHANNELS, lanes
from biosense.api.html import table_html
from biosense.core.errors import BadInput
from biosense.core.recording import Marker
from biosense.core.types import Floats
from biosense.processing.offline.epochs import MarkerEpochs
from biosense.processing.offline.rejection import RejectionReport
from biosense.processing.offline.to_mne import to_epochs_array
from biosense.processing.offline.to_tables import Shape, to_dataarray, to_table
from biosense.viz.palette import LIGHT, colour_name

if TYPE_CHECKING:
    import mne
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

Wanted = str | re.Pattern[str] | Sequence[str] | Sequence[float] | ArrayLike | Iterable[Marker]
"""How markers are named: texts, a pattern, times in session seconds, or markers."""

_MOST_NAMED = 12


class Epochs:
    """Epochs of one signal, all of one length, around markers.

    Parameters
    ----------
    cut
        What was cut.

    Attributes
    ----------
    data : numpy.ndarray
        Shape (epochs, samples, channels), SI units.
    times : numpy.ndarray
        Seconds from the marker, shape (samples,).
    markers : tuple of Marker
        That of each epoch.
    quality : numpy.ndarray
        Share of each epoch that can be trusted, 0 to 1, shape (epochs,).
    report : RejectionReport
        A verdict on every marker that was asked for.
    """

    def __init__(self, cut: MarkerEpochs) -> None:
        self.cut = cut

    @property
    def data(self) -> Floats:
        """Samples, shape (epochs, samples, channels), SI units."""
        return self.cut.data

    @property
    def times(self) -> Floats:
        """Seconds from the marker, shape (samples,)."""
        return self.cut.times

    @property
    def markers(self) -> tuple[Marker, ...]:
        """The marker of each epoch."""
        return self.cut.markers

    @property
    def quality(self) -> Floats:
        """Share of each epoch that can be trusted, 0 to 1, shape (epochs,)."""
        return self.cut.quality

    @property
    def report(self) -> RejectionReport:
        """A verdict on every marker that was asked for, with the reason where it has no epoch."""
        return self.cut.report

    def __len__(self) -> int:
        return len(self.cut)

    def of(self, *texts: str) -> Epochs:
        """Return the epochs of markers with one of these texts."""
        return Epochs(self.cut.of(*texts))

    def to_pandas(self, shape: Shape = "wide") -> pd.DataFrame:
        """Return a table: `epoch`, `marker`, `onset`, `time` (from the marker), then channels."""
        return to_table(self.cut, shape)

    def to_mne(self) -> mne.EpochsArray:
        """Return MNE's epochs: the same numbers, an event type for each text of a marker."""
        return to_epochs_array(self.cut)

    def to_xarray(self) -> xr.DataArray:
        """Return an xarray array with the dimensions epoch, time, channel."""
        return to_dataarray(self.cut)

    def plot(self) -> Figure:
        """Draw every epoch, and their mean, of the first channels."""
        info = self.cut.info
        shown = min(info.n_channels, MOST_CHANNELS)
        figure, rows = lanes(shown, heights=[1.6] * shown, width=7.0)
        colour = LIGHT[colour_name(info.modality)]
        for number, axes in enumerate(rows):
            axes.plot(self.times, self.data[:, :, number].T, lw=0.6, color=colour, alpha=0.3)
            if len(self):
                mean = self.data[:, :, number].mean(axis=0)
                axes.plot(self.times, mean, lw=1.6, color=colour)
            axes.axvline(0.0, color=LIGHT["quiet"], lw=0.8)
            name = info.channels[number].replace("$", r"\$")
            axes.set_ylabel(f"{name} ({info.unit})" if info.unit else name)
        rows[-1].set_xlabel("time from the marker (s)")
        return figure

    def __repr__(self) -> str:
        return (
            f"<Epochs of {self.cut.info.name!r}: {len(self)} of {len(self.report.verdicts)}, "
            f"{self.times[0]:g} to {self.times[-1]:g} s>"
        )

    def _repr_html_(self) -> str:
        verdicts = self.report.verdicts
        rows = [(f"{v.time:.2f}", v.text, v.reason or "kept", v.quality) for v in verdicts]
        aside = f"{len(self)} of {len(verdicts)}, {self.times[0]:g} to {self.times[-1]:g} s"
        heads = ("time (s)", "marker", "verdict", "quality")
        return table_html(f"Epochs of {self.cut.info.name}", aside, heads, rows[:50])


def chosen_markers(known: Sequence[Marker], wanted: Wanted) -> list[Marker]:
    """Return the markers that are meant, in order of time.

    Parameters
    ----------
    known
        Those of the recording.
    wanted
        Texts (`*` and `?` are wildcards), a compiled pattern, times in session seconds, or markers.

    Raises
    ------
    BadInput
        If none fits: the message names those that there are.

    Examples
    --------
    >>> chosen_markers([Marker(1.0, "film 1"), Marker(9.0, "rest")], "film*")
    [Marker(time=1.0, text='film 1', stream='markers')]
    """
    if isinstance(wanted, re.Pattern):
        return _some([marker for marker in known if wanted.search(marker.text)], known, wanted)
    each: list[Any] = [wanted] if isinstance(wanted, str) else list(wanted)  # type: ignore[arg-type]
    if all(isinstance(item, Marker) for item in each):
        return _some(sorted(each, key=lambda marker: marker.time), known, wanted)
    if all(isinstance(item, str) for item in each):
        found = [m for m in known if any(fnmatchcase(m.text, text) for text in each)]
        return _some(found, known, wanted)
    try:
        times = np.asarray(each, np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise BadInput(f"markers={wanted!r} must be texts, a pattern, times or markers") from error
    return [Marker(time, f"{time:g} s") for time in sorted(times.tolist())]


def _some(found: list[Marker], known: Sequence[Marker], wanted: object) -> list[Marker]:
    if found:
        return found
    texts = list(dict.fromkeys(marker.text for marker in known))
    named = ", ".join(map(repr, texts[:_MOST_NAMED])) or "none"
    more = f" and {len(texts) - _MOST_NAMED} more" if len(texts) > _MOST_NAMED else ""
    raise BadInput(f"no marker fits {wanted!r}; there are: {named}{more}")
