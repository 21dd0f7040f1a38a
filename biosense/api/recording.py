"""A recording by its streams: to look at, to cut, and to hand on to pandas, MNE and xarray."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, overload

from biosense.acquisition.xdf.reader import XdfReader
from biosense.api.content import ContentInMemory, ContentOnDisk
from biosense.api.epochs import Epochs, Wanted, chosen_markers
from biosense.core.errors import BadInput
from biosense.core.extras import need
from biosense.core.own_streams import AFFECT
from biosense.core.recording import Marker
from biosense.core.types import Chunk, Event, StreamInfo
from biosense.processing.offline.epochs import epochs_around
from biosense.processing.offline.to_mne import to_raw
from biosense.processing.offline.to_tables import (
    Shape,
    long_table,
    to_dataarray,
    to_dataset,
    to_table,
)
from biosense.recordings.inspect import inspect_reader
from biosense.recordings.inspection import Inspection
from biosense.recordings.outline import Outline
from biosense.recordings.streams import choose_signal, find_stream, is_signal

if TYPE_CHECKING:
    import mne
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

    from biosense.api.estimates import Estimates


class Recording:
    """A recording, as `read` opens it: a mapping of streams, and what it says of itself.

    Times are session seconds: the LSL clock of the computer that recorded. A stream is read when it
    is asked for, by its name, or by its modality where it is the only one. `to_pandas`, `to_mne`
    and `to_xarray` raise `MissingExtra` where their library is not installed.

    Examples
    --------
    >>> import biosense as bs
    >>> rec = bs.simulate(seconds=8, modalities=["ecg", "eda"])
    >>> list(rec), rec["ecg"].info.sfreq
    (['sim-ecg', 'sim-eda', 'sim-truth'], 512.0)
    """

    def __init__(self, content: ContentOnDisk | ContentInMemory) -> None:
        self.content = content

    @property
    def path(self) -> Path:
        """The .xdf file; a recording in memory has none and raises `BadInput`."""
        return self.reader.path

    @property
    def reader(self) -> XdfReader:
        """The reader of the file, for what is not offered here; as for `path`."""
        if not isinstance(self.content, ContentOnDisk):
            raise BadInput(f"recording {self.content.title} has no file, and this needs one")
        return self.content.reader

    @property
    def streams(self) -> Mapping[str, StreamInfo]:
        """Name, modality, channels, rate and unit of every stream, in their order."""
        return {info.name: info for info in self.content.infos}

    @property
    def participant(self) -> str:
        """Pseudonym of the person, empty where none was recorded."""
        return self.content.participant

    @property
    def started(self) -> datetime | None:
        """Wall time of the beginning, None where nobody knows."""
        return self.content.started

    @cached_property
    def outline(self) -> Outline:
        """What a look through it tells: span, samples and a sketch of each stream."""
        return self.content.outline()

    @cached_property
    def begin(self) -> float:
        """Session time of the first sample of all streams, seconds."""
        return self.content.begin

    @property
    def duration(self) -> float:
        """From the first sample of all streams to the last, seconds; 0 where there is none."""
        span = self.outline.end - self.outline.begin
        return span if span > 0 else 0.0

    @property
    def markers(self) -> tuple[Marker, ...]:
        """What people and programs marked, in order of time."""
        return self.outline.markers

    @property
    def events(self) -> tuple[Event, ...]:
        """What the run that recorded said: gaps, reconnects, low quality."""
        return self.outline.events

    @property
    def estimates(self) -> Estimates | None:
        """The estimates that the live run recorded; None where it made none."""
        from biosense.api.estimates import Estimates  # needs pandas

        if AFFECT not in self.streams:
            return None
        return Estimates(to_table(self[AFFECT]).drop(columns="ok"))

    def __getitem__(self, name: str) -> Chunk:
        """Return a whole stream: `.times` (n,), `.data` (n, channels), `.ok` (n,), `.info`."""
        return self.content.load([find_stream(self.content.infos, name)])[0]

    def __contains__(self, name: object) -> bool:
        try:
            return bool(find_stream(self.content.infos, str(name)))
        except BadInput:
            return False

    def __iter__(self) -> Iterator[str]:
        return iter(self.streams)

    def __len__(self) -> int:
        return len(self.streams)

    def to_pandas(self, stream: str | None = None, shape: Shape = "wide") -> pd.DataFrame:
        """Return samples as a table.

        Parameters
        ----------
        stream
            Name of a stream, or its modality. None takes all streams of numbers.
        shape
            Of one stream: "wide" or "long".

        Returns
        -------
        pandas.DataFrame
            Numbered rows. Of one stream a row for each sample: `time` (session seconds), `ok`
            (whether it can be trusted), and a column for each channel in the sender's unit; or, in
            the long shape, a row for each sample and channel: `time`, `ok`, `channel`, `value`. Of
            all streams the same long rows with `stream` before them.

        Raises
        ------
        BadInput
            If there is no such stream.

        Examples
        --------
        >>> import biosense as bs
        >>> rec = bs.simulate(seconds=5, modalities=["eda"])
        >>> rec.to_pandas("eda").columns.tolist()
        ['time', 'ok', 'eda']
        """
        if stream is not None:
            return to_table(self[stream], shape)
        return long_table(self.content.load([i for i in self.content.infos if not i.is_text]))

    def to_mne(self, stream: str | None = None) -> mne.io.RawArray:
        """Return a stream as MNE's Raw: volts, types and places of channels, gaps and markers.

        Parameters
        ----------
        stream
            Name or modality; the EEG by default, or the only signal there is.

        Returns
        -------
        mne.io.RawArray
            On the sample grid, in SI units. Gaps are bridged by straight lines and annotated as
            BAD_gap, samples that cannot be trusted as BAD_untrusted, markers by their texts.

        Raises
        ------
        BadInput
            If the stream cannot be chosen, or is no signal of a steady rate.
        """
        info = choose_signal(self.content.infos, stream)
        grid = self.content.gridded(info)
        return to_raw(grid, self.markers, started=self.started, begin=self.begin)

    @overload
    def to_xarray(self, stream: str) -> xr.DataArray: ...
    @overload
    def to_xarray(self, stream: None = None) -> xr.Dataset: ...
    def to_xarray(self, stream: str | None = None) -> xr.DataArray | xr.Dataset:
        """Return a stream as an xarray array, or all streams as a data set.

        Parameters
        ----------
        stream
            Name of a stream of numbers, or its modality. None takes all streams.

        Returns
        -------
        xarray.DataArray or xarray.Dataset
            Dimensions `time` (session seconds) and `channel`, with `ok` along `time`; in a data set
            each stream has axes of its own, `<stream>_time` and `<stream>_channel`.
        """
        if stream is not None:
            return to_dataarray(self[stream]).copy()
        return to_dataset(self.content.load(self.content.infos)).copy(deep=True)

    def epochs(
        self,
        markers: Wanted,
        tmin: float,
        tmax: float,
        *,
        stream: str | None = None,
        baseline: tuple[float | None, float | None] | None = None,
        min_ok: float = 0.9,
        max_peak_to_peak: float | None = None,
        flat: float | None = None,
    ) -> Epochs:
        """Cut a signal around markers, and say of every marker what became of it.

        Parameters
        ----------
        markers
            Texts of markers, one or several (`*` and `?` stand for any letters and any one); a
            compiled pattern, which is searched for; times in session seconds; or markers.
        tmin, tmax
            From when to when around each marker, seconds.
        stream
            Name or modality; the EEG by default, or the only signal there is.
        baseline
            Span around the marker whose mean is taken off each channel, seconds.
        min_ok
            Least share of trusted samples.
        max_peak_to_peak, flat
            Most, and least, that a channel may range over in an epoch, in the SI unit.

        Returns
        -------
        Epochs
            In SI units; `.report` says of each marker why it has no epoch, if it has none.

        Examples
        --------
        >>> import biosense as bs
        >>> films = [(3, "film 1"), (6, "film 2")]
        >>> rec = bs.simulate(seconds=10, modalities=["eda"], markers=films)
        >>> rec.epochs("film *", -1, 3).data.shape
        (2, 513, 1)
        """
        wanted = chosen_markers(self.markers, markers)
        grid = self.content.gridded(choose_signal(self.content.infos, stream))
        return Epochs(
            epochs_around(
                grid, wanted, tmin=tmin, tmax=tmax, baseline=baseline, min_ok=min_ok,
                max_peak_to_peak=max_peak_to_peak, flat=flat,
            )
        )  # fmt: skip

    def check(self) -> Inspection:
        """Say what is inside, what is missing and what is wrong, as `biosense check` does."""
        return inspect_reader(self.reader)

    def plot(self, streams: Sequence[str] | None = None) -> Figure:
        """Draw the signals below each other, with the markers through them.

        Parameters
        ----------
        streams
            Names or modalities; all signals by default, the first channels of each.
        """
        need("matplotlib", "a picture")
        from biosense.api.draw_streams import draw_streams

        infos = self.content.infos
        chosen = [find_stream(infos, name) for name in streams or ()]
        chunks = self.content.load(chosen or [info for info in infos if is_signal(info)])
        return draw_streams(chunks, self.markers, self.begin)

    def __repr__(self) -> str:
        who = f" of {self.participant!r}" if self.participant else ""
        return f"<Recording{who}: {', '.join(self) or 'no stream'}>"

    def _repr_html_(self) -> str:
        from biosense.api.html import recording_html

        return recording_html(self.content.title, self.participant, self.started, self.outline)
