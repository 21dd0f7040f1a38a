"""The values that every part of biosense speaks: streams, chunks, events, epochs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from biosense.core.device_state import DeviceState
from biosense.core.errors import BadInput

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

TEXT = "str"  # StreamInfo.dtype of a marker stream: its samples are strings
_DTYPES = (TEXT, "float32", "float64", "int8", "int16", "int32", "int64")


class Modality(StrEnum):
    """Name what a stream measures."""

    EEG = "eeg"
    ECG = "ecg"
    EDA = "eda"
    PPG = "ppg"
    RPPG = "rppg"
    FACE = "face"
    RESP = "resp"
    TEMP = "temp"
    EMG = "emg"


@dataclass(frozen=True)
class StreamInfo:
    """Describe one stream: one signal of one device, or the output of a stage.

    Parameters
    ----------
    name
        Unique within a run; the key of the stream in results and in the recording.
    modality
        What is measured, or None for a stream that is recorded but not processed.
    channels
        Names of the channels (of the features, behind a feature stage).
    sfreq
        Nominal rate in Hz; 0 for an irregular stream.
    unit
        Unit of the samples as they are in `Chunk.data`. Raw chunks keep the sender's unit, so that
        the recording holds what was sent; the first stage of a pipeline converts to SI.
    source_id
        Identity of the device, kept over reconnects.
    dtype
        Type of the samples as sent ("float32", "int16", ..), or "str" for markers.
    lossy
        True where samples can be lost on the way (radio, camera): the file says so to its readers.
    content_type
        What the sender calls the content ("EEG", "Gaze", "Markers"); empty where nobody said.
    description
        The sender's own `<desc>` element, XML as it was received: kept in recordings.

    Examples
    --------
    >>> StreamInfo("chest", Modality.ECG, ("ecg",), 130.0, "uV", "polar-1").n_channels
    1
    """

    name: str
    modality: Modality | None
    channels: tuple[str, ...]
    sfreq: float
    unit: str = ""
    source_id: str = ""
    dtype: str = "float64"
    lossy: bool = False
    content_type: str = ""
    description: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not self.name:
            raise BadInput("a stream needs a name, got an empty one")
        if not self.channels:
            raise BadInput(f"stream {self.name!r} has 0 channels, at least 1 is needed")
        if not (np.isfinite(self.sfreq) and self.sfreq >= 0):
            raise BadInput(
                f"sfreq={self.sfreq} Hz of {self.name!r} must be 0 (irregular) or positive"
            )
        if self.dtype not in _DTYPES:
            raise BadInput(f"dtype={self.dtype!r} of {self.name!r} must be one of {_DTYPES}")

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return len(self.channels)

    @property
    def is_text(self) -> bool:
        """True for a marker stream, whose samples are strings."""
        return self.dtype == TEXT


@dataclass(frozen=True, eq=False)
class Chunk:
    """Hold a run of samples of one stream.

    Parameters
    ----------
    info
        The stream.
    times
        Session time of each sample, seconds, shape (n,), rising.
    data
        Samples, shape (n, channels).
    ok
        Trusted samples, shape (n,).
    stamps
        The sender's own time stamps, shape (n,), where they differ from `times`: what a recorder
        writes.
    arrived
        Session time at which the chunk reached this computer; NaN offline.

    Examples
    --------
    >>> info = StreamInfo("eda", Modality.EDA, ("eda",), 4.0, "S")
    >>> Chunk.of(info, [0.0, 0.25], [[1e-6], [2e-6]]).n
    2
    """

    info: StreamInfo
    times: Floats
    data: NDArray[Any]
    ok: Bools
    stamps: Floats | None = None
    arrived: float = float("nan")

    def __post_init__(self) -> None:
        n = len(self.times)
        if self.data.shape != (n, self.info.n_channels):
            raise BadInput(
                f"data of {self.info.name!r} has shape {self.data.shape}, "
                f"wanted ({n}, {self.info.n_channels}): (samples, channels)"
            )
        if self.times.shape != (n,) or self.ok.shape != (n,):
            raise BadInput(
                f"times {self.times.shape} and ok {self.ok.shape} of {self.info.name!r} "
                f"must be ({n},)"
            )

    @classmethod
    def of(
        cls, info: StreamInfo, times: Any, data: Any, ok: Any = None, arrived: float = float("nan")
    ) -> Chunk:
        """Make a chunk from array-likes; every sample is ok unless `ok` says otherwise."""
        stamps = np.asarray(times, dtype=np.float64)
        dtype = object if info.is_text else info.dtype
        values = np.asarray(data, dtype=dtype).reshape(
            len(stamps), -1 if len(stamps) else info.n_channels
        )
        trusted = np.ones(len(stamps), bool) if ok is None else np.asarray(ok, bool)
        return cls(info, stamps, values, trusted, arrived=arrived)

    @property
    def n(self) -> int:
        """Number of samples."""
        return len(self.times)

    def slice(self, start: int, stop: int) -> Chunk:
        """Return the samples start..stop-1 as views."""
        stamps = None if self.stamps is None else self.stamps[start:stop]
        return Chunk(
            self.info,
            self.times[start:stop],
            self.data[start:stop],
            self.ok[start:stop],
            stamps,
            self.arrived,
        )


@dataclass(frozen=True)
class ClockOffset:
    """Report one measurement of a stream's clock, as an XDF ClockOffset chunk does.

    Parameters
    ----------
    info
        The stream.
    time
        Moment of the measurement in the stream's own clock, seconds.
    offset
        What is added to its stamps to get session time, seconds.
    """

    info: StreamInfo
    time: float
    offset: float


class EventKind(StrEnum):
    """Name what can happen to a run besides data."""

    CONNECTED = "connected"
    GAP = "gap"
    LOST = "lost"
    RECOVERED = "recovered"
    ENDED = "ended"
    CLOCK_RESET = "clock-reset"
    LOW_QUALITY = "low-quality"
    OVERRUN = "overrun"
    ERROR = "error"
    MARKER = "marker"
    INFO = "info"


@dataclass(frozen=True)
class Event:
    """Report something that happened to a stream (or to the run, with an empty stream name).

    Parameters
    ----------
    time
        Session time, seconds.
    kind
        What sort of thing.
    stream
        Name of the stream; empty for the run.
    text
        For people.
    """

    time: float
    kind: EventKind
    stream: str
    text: str


Record = Chunk | ClockOffset | Event
"""What recordings and results are made of."""

Item = Record | DeviceState
"""What sources bring."""


class Derived(Protocol):
    """What a stage worked out of the samples of a window, for the stages behind it."""

    @property
    def samples(self) -> Floats:
        """The `Epoch.data` that it holds for."""
        ...


D = TypeVar("D", bound=Derived)


@dataclass(frozen=True, eq=False, slots=True)
class Epoch:
    """Hold a window of a stream, or the features of one, at one index of the session grid.

    Parameters
    ----------
    info
        The stream; behind a feature stage `info.channels` names the features.
    index
        k on the session grid: the window ends at `stop` = k * hop.
    start, stop
        Session time of the window, seconds. An epoch is stamped at its end, when it became
        knowable.
    data
        (n, channels) for a window, (features,) for features; NaN where a feature has no value.
    quality
        0 (worthless) to 1.
    reason
        What lowers the quality most, in a word or two ("flat", "clipped", "blink", "no face");
        empty where nothing does or nobody knows.
    derived
        What an earlier stage worked out of `data` so that others need not: see `known`.
    """

    info: StreamInfo
    index: int
    start: float
    stop: float
    data: Floats
    quality: float
    reason: str = ""
    derived: Derived | None = field(default=None, repr=False)

    def known(self, kind: type[D]) -> D | None:
        """Return what an earlier stage derived, where it is of a kind and of these very samples.

        An epoch that was given other data (`dataclasses.replace`) knows nothing any more.
        """
        found = self.derived
        return found if isinstance(found, kind) and found.samples is self.data else None
