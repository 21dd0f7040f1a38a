"""Epochs around markers, as an analyst takes them on: arrays, tables, MNE objects, a picture."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from biosense.core.errors import BadInput
from biosense.core.extras import need
from biosense.core.recording import Marker
from biosense.core.suggest import unknown_name
from biosense.core.types import Floats
from biosense.processing.offline.epochs import MarkerEpochs
from biosense.processing.offline.rejection import RejectionReport
from biosense.processing.offline.to_mne import to_epochs_array
from biosense.processing.offline.to_tables import Shape, to_dataarray, to_table

if TYPE_CHECKING:
    import mne
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

Wanted = str | re.Pattern[str] | Iterable[str] | Iterable[float] | Iterable[Marker] | NDArray[Any]
"""How markers are named: texts, a pattern, times in session seconds, or markers."""


class Epochs:
    """Epochs of one signal, all of one length, around markers.

    Parameters
    ----------
    cut
        What was cut.

    Examples
    --------
    >>> import biosense as bs
    >>> rec = bs.simulate(seconds=10, modalities=["eda"], markers=[(3, "picture"), (9.5, "rest")])
    >>> epochs = rec.epochs("*", 0, 2)
    >>> len(epochs), epochs.data.shape, epochs.report.by_reason
    (1, (1, 257, 1), {'past the end': 1})
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
    def channels(self) -> tuple[str, ...]:
        """Names of the channels."""
        return self.cut.info.channels

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
        """Return a table, a row for each sample ("wide"), or each sample and channel ("long").

        Returns
        -------
        pandas.DataFrame
            `epoch` (number), `marker` (text), `onset` (session seconds of the marker), `time`
            (seconds from it), then a column for each channel; or `channel` and `value`.
        """
        return to_table(self.cut, shape)

    def to_mne(self) -> mne.EpochsArray:
        """Return MNE's epochs: the same numbers, an event type for each text of a marker."""
        return to_epochs_array(self.cut)

    def to_xarray(self) -> xr.DataArray:
        """Return an xarray array with the dimensions epoch, time, channel."""
        return to_dataarray(self.cut)

    def plot(self) -> Figure:
        """Draw every epoch, and their mean, of the first channels."""
        need("matplotlib", "a picture")
        from biosense.api.draw_streams import draw_epochs

        return draw_epochs(self.cut)

    def __repr__(self) -> str:
        return (
            f"<Epochs of {self.cut.info.name!r}: {len(self)} of {self.report.asked}, "
            f"{self.times[0]:g} to {self.times[-1]:g} s>"
        )

    def _repr_html_(self) -> str:
        from biosense.api.html import epochs_html

        return epochs_html(self.cut)


def chosen_markers(known: Sequence[Marker], wanted: Wanted) -> list[Marker]:
    """Return the markers that are meant, in order of time.

    Parameters
    ----------
    known
        Those of the recording.
    wanted
        Texts (`*` and `?` stand for any letters and any one), a compiled pattern, which is searched
        for, times in session seconds, or markers.

    Raises
    ------
    BadInput
        If none fits: the message names those that there are.

    Examples
    --------
    >>> chosen_markers([Marker(1.0, "film [1]"), Marker(9.0, "rest")], ["film [*", "rest"])[0]
    Marker(time=1.0, text='film [1]', stream='markers')
    """
    if isinstance(wanted, re.Pattern):
        return _some([marker for marker in known if wanted.search(marker.text)], known, wanted)
    each: list[Any] = [wanted] if isinstance(wanted, str) else list(wanted)
    if each and all(isinstance(item, Marker) for item in each):
        return sorted(each, key=lambda marker: marker.time)
    if all(isinstance(item, str) for item in each):
        patterns = [_pattern(text) for text in each]
        found = [m for m in known if any(pattern.fullmatch(m.text) for pattern in patterns)]
        return _some(found, known, ", ".join(each))
    try:
        times = np.asarray(each, np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise BadInput(f"markers={wanted!r} must be texts, a pattern, times or markers") from error
    return [Marker(time, f"{time:g} s") for time in sorted(times.tolist())]


def _pattern(text: str) -> re.Pattern[str]:
    letters = {"*": ".*", "?": "."}
    return re.compile("".join(letters.get(one, re.escape(one)) for one in text), re.DOTALL)


def _some(found: list[Marker], known: Sequence[Marker], wanted: object) -> list[Marker]:
    if not found:
        raise unknown_name("marker", wanted, (marker.text for marker in known))
    return found
