"""A recording on disk, by its streams: read when they are asked for, and kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from biosense.acquisition.xdf.reader import XdfReader
from biosense.api.epochs import Epochs, Wanted, chosen_markers
from biosense.api.figures import draw_signals
from biosense.api.html import table_html
from biosense.api.streams import STREAM_HEADS, chosen_signal, no_samples, stream_named, stream_row
from biosense.core.errors import BadInput
from biosense.core.own_streams import AFFECT
from biosense.core.recording import Marker
from biosense.core.types import Chunk, Event, StreamInfo
from biosense.estimation.chunk_joiner import joined
from biosense.processing.offline.epochs import epochs_around
from biosense.processing.offline.to_mne import to_raw
from biosense.processing.offline.to_tables import to_dataarray, to_dataset, to_table
from biosense.recordings.export.fif import wall_time
from biosense.recordings.export.streams import gridded_stream, is_derived, is_signal, markers_of
from biosense.recordings.inspect import Inspection, inspect_reader

if TYPE_CHECKING:
    import mne
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure


class Recording:
    """A recording, as `read` opens it: streams by name, markers, and what it says of itself.

    Times are session seconds: the LSL clock of the computer that recorded. Streams are read from
    the file when they are asked for, and kept.

    Parameters
    ----------
    reader
        Of the file.

    Examples
    --------
    >>> import biosense as bs
    >>> rec = bs.simulate(seconds=8, modalities=["ecg", "eda"])
    >>> list(rec.streams), rec["sim-ecg"].info.sfreq
    (['sim-ecg', 'sim-eda', 'sim-truth'], 512.0)
    """

    def __init__(self, reader: XdfReader) -> None:
        self._reader = reader
        self._kept: dict[str, Chunk] = {}

    @property
    def reader(self) -> XdfReader:
        """The reader of the file, for what is not offered here."""
        return self._reader

    @property
    def path(self) -> Path:
        """The .xdf file."""
        return self._reader.path

    @property
    def streams(self) -> Mapping[str, StreamInfo]:
        """Every stream by its name, in the order of the file."""
        return {info.name: info for info in self._reader.infos}

    @property
    def participant(self) -> str:
        """Pseudonym of the person, empty where none was recorded."""
        return self._reader.sidecar.participant

    @property
    def started(self) -> datetime | None:
        """Wall time of the beginning, None where the file does not tell."""
        return wall_time(self._reader)

    @cached_property
    def begin(self) -> float:
        """Session time of the first sample of all streams, seconds."""
        return self._reader.begin

    @cached_property
    def markers(self) -> tuple[Marker, ...]:
        """What people and programs marked, in order of time."""
        return markers_of(self._reader)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """What the run that recorded said: gaps, reconnects, low quality."""
        return tuple(item for item in self._reader.items() if isinstance(item, Event))

    @property
    def estimates(self) -> pd.DataFrame | None:
        """The estimates that the live run recorded, a row each; None where it made none."""
        return self.to_pandas(AFFECT).drop(columns="ok") if AFFECT in self.streams else None

    def __getitem__(self, name: str) -> Chunk:
        """Return a whole stream as one chunk: `.times` (n,), `.data` (n, channels), `.ok` (n,)."""
        return self._load([self._named(name)])[0]

    def __contains__(self, name: object) -> bool:
        return name in self.streams

    def __iter__(self) -> Iterator[str]:
        return iter(self.streams)

    def __len__(self) -> int:
        return len(self.streams)

    def to_pandas(self, stream: str | None = None) -> pd.DataFrame:
        """Return samples as a table.

        Parameters
        ----------
        stream
            Name of a stream. None takes all streams of numbers.

        Returns
        -------
        pandas.DataFrame
            Of one stream a row for each sample: `time` (session seconds), `ok` (whether it can be
            trusted), and a column for each channel, in the sender's unit. Of all streams a row for
            each sample and channel: `stream`, `time`, `ok`, `channel`, `value`.

        Raises
        ------
        BadInput
            If there is no such stream.
        MissingExtra
            If pandas is not installed.
        """
        if stream is not None:
            return to_table(self[stream])
        infos = [info for info in self._reader.infos if not info.is_text]
        tables = []
        for chunk in self._load(infos):
            table = to_table(chunk, "long")
            table.insert(0, "stream", chunk.info.name)
            tables.append(table)
        if not tables:
            raise BadInput(f"{self.path} holds no stream of numbers")
        import pandas

        return pandas.concat(tables, ignore_index=True)

    def to_mne(self, stream: str | None = None) -> mne.io.RawArray:
        """Return a stream as MNE's Raw: volts, types and places of channels, gaps and markers.

        Parameters
        ----------
        stream
            Which; the EEG if there is one, or the only signal there is.

        Returns
        -------
        mne.io.RawArray
            On the sample grid; gaps are bridged and annotated as BAD, markers are annotations.

        Raises
        ------
        BadInput
            If the stream cannot be chosen, or is no signal of a steady rate.
        MissingExtra
            If MNE is not installed.
        """
        info = self._signal(stream)
        grid = gridded_stream(self._reader, info)
        return to_raw(grid, self.markers, started=self.started, begin=self.begin)

    def to_xarray(self, stream: str | None = None) -> xr.DataArray | xr.Dataset:
        """Return a stream as an xarray array, or all streams as a data set.

        Parameters
        ----------
        stream
            Name of a stream of numbers. None takes all, each on a time axis of its own.

        Returns
        -------
        xarray.DataArray or xarray.Dataset
            Dimensions `time` and `channel`; of all streams `<stream>_time`, `<stream>_channel`.
        """
        if stream is not None:
            return to_dataarray(self[stream])
        return to_dataset(self._load(self._reader.infos))

    def epochs(
        self,
        markers: Wanted,
        tmin: float,
        tmax: float,
        *,
        stream: str | None = None,
        baseline: tuple[float | None, float | None] | None = None,
        min_ok: float = 0.9,
    ) -> Epochs:
        """Cut a signal around markers, and say of every marker what became of it.

        Parameters
        ----------
        markers
            Texts of markers (one or several; `*` and `?` are wildcards), a compiled pattern, times
            in session seconds, or markers.
        tmin, tmax
            From when to when around each marker, seconds.
        stream
            Which; the EEG if there is one, or the only signal there is.
        baseline
            Span around the marker whose mean is taken off each channel, seconds.
        min_ok
            Least share of trusted samples.

        Returns
        -------
        Epochs
            In SI units; `.report` says of each marker why it has no epoch, if it has none.

        Raises
        ------
        BadInput
            If no marker fits, or the stream cannot be chosen.

        Examples
        --------
        >>> import biosense as bs
        >>> rec = bs.simulate(seconds=12, modalities=["ecg"])
        >>> rec.epochs([rec.begin + 4, rec.begin + 8], -1, 2).data.shape
        (2, 1537, 1)
        """
        wanted = chosen_markers(self.markers, markers)
        grid = gridded_stream(self._reader, self._signal(stream))
        return Epochs(
            epochs_around(grid, wanted, tmin=tmin, tmax=tmax, baseline=baseline, min_ok=min_ok)
        )

    def check(self) -> Inspection:
        """Say what is inside, what is missing and what is wrong, as `biosense check` does."""
        return inspect_reader(self._reader)

    def plot(self, streams: Sequence[str] | None = None) -> Figure:
        """Draw the signals below each other, with the markers through them.

        Parameters
        ----------
        streams
            Names; all that were measured by default, the first channels of each.

        Returns
        -------
        matplotlib.figure.Figure
            Times count from the beginning of the recording, seconds.
        """
        infos = self._measured() if streams is None else [self._named(name) for name in streams]
        chunks = [chunk for chunk in self._load(infos) if chunk.n and not chunk.info.is_text]
        if not chunks:
            raise BadInput(f"{self.path} holds no sample that can be drawn")
        return draw_signals(chunks, self.begin, [marker.time for marker in self.markers])

    def __repr__(self) -> str:
        who = f" of {self.participant!r}" if self.participant else ""
        return f"<Recording{who}: {', '.join(self.streams) or 'no stream'}>"

    def _repr_html_(self) -> str:
        when = f"{self.started:%Y-%m-%d %H:%M}" if self.started else ""
        said = (self.participant, when, f"{len(self.markers)} markers")
        infos = [info for info in self._reader.infos if not is_derived(info)]
        return table_html(
            f"Recording {self.path.parent.name}/{self.path.name}",
            " · ".join(each for each in said if each),
            STREAM_HEADS,
            [stream_row(chunk) for chunk in self._load(infos)],
        )

    def _measured(self) -> list[StreamInfo]:
        return [info for info in self._reader.infos if is_signal(info)]

    def _named(self, name: str) -> StreamInfo:
        return stream_named(self.streams, name, self.path)

    def _signal(self, name: str | None) -> StreamInfo:
        return chosen_signal(self._measured(), None if name is None else self._named(name))

    def _load(self, infos: Iterable[StreamInfo]) -> list[Chunk]:
        """Read streams that are not yet known, in one pass through the file."""
        wanted = [info.name for info in infos]
        parts: dict[str, list[Chunk]] = {name: [] for name in wanted if name not in self._kept}
        for _, item in self._reader.walk() if parts else ():
            if isinstance(item, Chunk) and item.n and item.info.name in parts:
                parts[item.info.name].append(item)
        for name, found in parts.items():
            self._kept[name] = joined(found) if found else no_samples(self.streams[name])
        return [self._kept[name] for name in wanted]
