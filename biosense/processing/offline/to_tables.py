"""Streams and epochs as xarray and pandas objects: the same numbers, labelled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.extras import need
from biosense.core.types import Chunk
from biosense.processing.offline.epochs import MarkerEpochs

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Shape = Literal["long", "wide"]


def to_dataarray(values: MarkerEpochs | Chunk) -> xr.DataArray:
    """Return epochs or a stream as an xarray array, dimensions (epoch,) time, channel.

    Coordinates along `epoch` are the number, `marker` (its text), `onset` (its session time) and
    `quality`; along `time` of a stream there is `ok`. Attributes: stream, modality, sfreq, unit.

    Parameters
    ----------
    values
        Epochs around markers, or a stream of numbers.

    Returns
    -------
    xarray.DataArray

    Raises
    ------
    BadInput
        For a stream of text.
    MissingExtra
        If xarray is not installed.

    Examples
    --------
    >>> from biosense.core import StreamInfo
    >>> info = StreamInfo("eda", None, ("left", "right"), 4.0, "S")
    >>> array = to_dataarray(Chunk.of(info, [0.0, 0.25], [[1.0, 2.0], [3.0, 4.0]]))
    >>> float(array.sel(time=0.25, channel="right")), array.dims
    (4.0, ('time', 'channel'))
    """
    info = values.info
    if info.is_text:
        raise BadInput(f"{info.name!r} is a stream of text: an array needs numbers")
    coordinates: dict[str, Any] = {"time": values.times, "channel": list(info.channels)}
    if isinstance(values, Chunk):
        coordinates["ok"] = ("time", values.ok)
        return _array(values, coordinates, ("time", "channel"))
    coordinates |= {
        "epoch": np.arange(len(values)),
        "marker": ("epoch", list(values.texts)),
        "onset": ("epoch", [marker.time for marker in values.markers]),
        "quality": ("epoch", values.quality),
    }
    return _array(values, coordinates, ("epoch", "time", "channel"))


def to_dataset(streams: Iterable[Chunk]) -> xr.Dataset:
    """Return several streams as one xarray data set, each on a time axis of its own.

    Stream "chest" is the variable `chest` with dimensions (chest_time, chest_channel); streams of
    text are (chest_time,) of strings where they have one channel.

    Parameters
    ----------
    streams
        Of different names.

    Returns
    -------
    xarray.Dataset

    Raises
    ------
    BadInput
        If two streams have one name.
    MissingExtra
        If xarray is not installed.
    """
    need("xarray")
    import xarray as xr

    variables: dict[str, Any] = {}
    for stream in streams:
        info = stream.info
        if info.name in variables:
            raise BadInput(f"there are two streams {info.name!r}: give one another name")
        time, channel = f"{info.name}_time", f"{info.name}_channel"
        data = stream.data.astype(str) if info.is_text else stream.data
        variables[info.name] = xr.DataArray(
            data,
            {
                time: stream.times,
                channel: list(info.channels),
                f"{info.name}_ok": (time, stream.ok),
            },
            (time, channel),
            attrs={"sfreq": info.sfreq, "unit": info.unit, "modality": str(info.modality or "")},
        )
    return xr.Dataset(variables)


def to_table(values: MarkerEpochs | Chunk, shape: Shape = "wide") -> pd.DataFrame:
    """Return epochs or a stream as a pandas table.

    "wide" has a row per sample and a column per channel; "long" has a row per sample and channel,
    with the columns `channel` and `value`. Epochs have the columns `epoch`, `marker` and `onset`
    (session time of the marker) first, and `time` counts from the marker; a stream has `time` in
    session seconds and `ok`.

    Parameters
    ----------
    values
        Epochs around markers, or a stream.
    shape
        "wide" or "long".

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    BadInput
        For a `shape` that is neither, and where a channel is called like one of the columns.
    MissingExtra
        If pandas is not installed.

    Examples
    --------
    >>> from biosense.core import StreamInfo
    >>> info = StreamInfo("eda", None, ("left", "right"), 4.0, "S")
    >>> stream = Chunk.of(info, [0.0, 0.25], [[1.0, 2.0], [3.0, 4.0]])
    >>> to_table(stream).columns.tolist(), to_table(stream, "long")["value"].tolist()
    (['time', 'ok', 'left', 'right'], [1.0, 2.0, 3.0, 4.0])
    """
    need("pandas", "a table")
    import pandas as pd

    if shape not in ("long", "wide"):
        raise BadInput(f"shape={shape!r} must be 'long' or 'wide'")
    heads = _epoch_heads(values) if isinstance(values, MarkerEpochs) else _stream_heads(values)
    channels = list(values.info.channels)
    rows = values.data.reshape(-1, len(channels))
    if shape == "long":
        repeated = {name: np.repeat(column, len(channels)) for name, column in heads.items()}
        names = np.tile(np.array(channels, object), len(rows))
        return pd.DataFrame(repeated | {"channel": names, "value": rows.ravel()})
    if taken := set(channels) & set(heads):
        raise BadInput(f"channels {sorted(taken)} are called like columns: use shape='long'")
    return pd.concat([pd.DataFrame(heads), pd.DataFrame(rows, columns=channels)], axis=1)


def long_table(streams: Iterable[Chunk]) -> pd.DataFrame:
    """Return streams of numbers below each other, as long tables with the column `stream` first.

    Parameters
    ----------
    streams
        Of numbers.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    BadInput
        If there is no stream.
    MissingExtra
        If pandas is not installed.

    Examples
    --------
    >>> from biosense.core import StreamInfo
    >>> info = StreamInfo("eda", None, ("left", "right"), 4.0, "S")
    >>> table = long_table([Chunk.of(info, [0.0], [[1.0, 2.0]])])
    >>> table["stream"].tolist(), table["channel"].tolist(), table["value"].tolist()
    (['eda', 'eda'], ['left', 'right'], [1.0, 2.0])
    """
    tables = {stream.info.name: to_table(stream, "long") for stream in streams}
    if not tables:
        raise BadInput("there is no stream of numbers")
    import pandas as pd

    whole = pd.concat(tables, names=["stream", None])
    return whole.reset_index("stream").reset_index(drop=True)


def _array(
    values: MarkerEpochs | Chunk, coordinates: dict[str, Any], dims: tuple[str, ...]
) -> xr.DataArray:
    need("xarray")
    import xarray as xr

    info = values.info
    about = {
        "stream": info.name,
        "modality": str(info.modality or ""),
        "sfreq": info.sfreq,
        "unit": info.unit,
    }
    return xr.DataArray(values.data, coordinates, dims, name=info.name, attrs=about)


def _epoch_heads(epochs: MarkerEpochs) -> dict[str, Any]:
    count, samples = len(epochs), len(epochs.times)
    return {
        "epoch": np.repeat(np.arange(count), samples),
        "marker": np.repeat(np.array(epochs.texts, object), samples),
        "onset": np.repeat([float(marker.time) for marker in epochs.markers], samples),
        "time": np.tile(epochs.times, count),
    }


def _stream_heads(stream: Chunk) -> dict[str, Any]:
    return {"time": stream.times, "ok": stream.ok}
