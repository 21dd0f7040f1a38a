"""Whole streams with an integer position for every sample, which epochs are cut by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from biosense.core.camera_streams import CAMERA_MODALITIES
from biosense.core.errors import BadInput
from biosense.core.grid import HOP, sample_indices
from biosense.core.stage import Pipeline
from biosense.core.types import Chunk, Epoch, Floats, Ints, Modality, StreamInfo
from biosense.processing.signal.regularise import Regularise
from biosense.processing.signal.units import ToSI

_FAST = (Modality.EEG, Modality.ECG, Modality.EMG, Modality.PPG)
_OFF_GRID = 0.01  # share of a sample interval that a time may lie beside its grid point


@dataclass(frozen=True, eq=False)
class Gridded:
    """Hold a whole stream by position: sample n lies at n / sfreq, a gap is a jump of n.

    Parameters
    ----------
    info
        The stream; `sfreq` is the rate of the grid.
    positions
        Of the samples, rising, shape (n,).
    data
        Samples, shape (n, channels).
    trust
        How far each sample can be trusted, 0 to 1, shape (n,).
    """

    info: StreamInfo
    positions: Ints
    data: Floats
    trust: Floats

    @property
    def sfreq(self) -> float:
        """Rate of the grid, Hz."""
        return self.info.sfreq


def put_on_grid(stream: Chunk, *, sfreq: float | None = None) -> Chunk:
    """Put a whole raw stream on the session's sample grid, in SI units, as a live run does.

    Parameters
    ----------
    stream
        As it was recorded.
    sfreq
        Rate of the output in Hz; the nominal rate if it is not given.

    Returns
    -------
    Chunk
        Samples at n / sfreq in SI units; a gap is a jump in its times.

    Raises
    ------
    BadInput
        For a stream of text, and for an irregular one without `sfreq`.

    Examples
    --------
    >>> info = StreamInfo("wrist", Modality.EDA, ("eda",), 4.0, "S")
    >>> raw = Chunk.of(info, [0.12, 0.37, 0.62, 0.87], [[1.0], [2.0], [3.0], [4.0]])
    >>> put_on_grid(raw).times.tolist()
    [0.25, 0.5, 0.75]
    """
    stages = grid_stages(stream.info, sfreq=sfreq)
    parts: list[Chunk] = stages.run([stream], stream.info)
    if not parts:
        info = stages.start(stream.info)
        return Chunk.of(info, [], np.empty((0, info.n_channels)))
    return Chunk(
        parts[0].info,
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.data for part in parts]),
        np.concatenate([part.ok for part in parts]),
    )


def grid_stages(info: StreamInfo, *, sfreq: float | None = None) -> Pipeline:
    """Return the stages that put a raw stream on the sample grid in SI units, chunk by chunk.

    Fast signals are interpolated by cubics; slow ones, the camera's and those of unknown content by
    straight lines, which never overshoot. A camera's frame keeps the time at which it was taken.

    Parameters
    ----------
    info
        The raw stream.
    sfreq
        Rate of the grid, Hz; None for the stream's own.

    Returns
    -------
    Pipeline
        Not yet started.
    """
    if info.modality in CAMERA_MODALITIES:
        return Pipeline(ToSI(), Regularise(sfreq, order=1, dejitter=False, fill=False))
    return Pipeline(ToSI(), Regularise(sfreq, order=3 if info.modality in _FAST else 1))


def gridded(stream: Chunk | Sequence[Epoch]) -> Gridded:
    """Return a regularised stream, or features of the session grid, by position.

    Parameters
    ----------
    stream
        A whole stream on its sample grid (see `put_on_grid`), or the epochs of one feature stream.

    Returns
    -------
    Gridded
        The same numbers with their positions.

    Raises
    ------
    BadInput
        If samples lie beside the grid, do not rise, or epochs are of several streams.
    """
    if isinstance(stream, Chunk):
        return _of_chunk(stream)
    return _of_epochs(stream)


def _of_chunk(stream: Chunk) -> Gridded:
    info = stream.info
    if info.sfreq == 0 or info.is_text:
        raise BadInput(f"{info.name!r} has no sample grid: put_on_grid(stream, sfreq=..) first")
    positions = sample_indices(stream)
    beside = np.abs(stream.times * info.sfreq - positions)
    if beside.size and beside.max() > _OFF_GRID:
        raise BadInput(
            f"samples of {info.name!r} lie up to {beside.max():.2f} sample intervals beside the "
            "grid n / sfreq: put_on_grid(stream) first"
        )
    data = np.asarray(stream.data, np.float64)
    trust = (stream.ok & np.isfinite(data).all(axis=1)).astype(np.float64)
    return _rising(Gridded(info, positions, data, trust))


def _of_epochs(stream: Iterable[Epoch]) -> Gridded:
    epochs = list(stream)
    if not epochs:
        raise BadInput("there is no epoch to cut around markers")
    names = {epoch.info.name for epoch in epochs}
    if len(names) > 1 or epochs[0].data.ndim != 1:
        raise BadInput(
            f"epochs of {', '.join(map(repr, sorted(names)))} with data of shape "
            f"{epochs[0].data.shape}: features of one stream are needed"
        )
    info = replace(epochs[0].info, sfreq=1 / HOP, dtype="float64")
    return _rising(
        Gridded(
            info,
            np.array([epoch.index for epoch in epochs], np.int64),
            np.array([epoch.data for epoch in epochs], np.float64),
            np.array([epoch.quality for epoch in epochs], np.float64),
        )
    )


def _rising(grid: Gridded) -> Gridded:
    if (np.diff(grid.positions) <= 0).any():
        raise BadInput(f"the samples of {grid.info.name!r} are not in rising order of time")
    return grid
