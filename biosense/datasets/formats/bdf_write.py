"""Write BioSemi BDF files, for miniatures of data sets that come in that format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.datasets.formats.bdf import BLOCK, FIELDS, MAGIC

_LOW, _HIGH = -(2**23), 2**23 - 1


@dataclass(frozen=True)
class Track:
    """Hold a channel as it is written.

    The default range is that of an amplifier's electrodes, a step of 1/32 uV. The Status channel
    has its digital range: `status_track`.

    Parameters
    ----------
    label
        Its name.
    values
        Samples in `unit`, shape (n,).
    unit
        As the file spells it.
    low, high
        What it spans, in `unit`.
    """

    label: str
    values: Floats
    unit: str = "uV"
    low: float = -262144.0
    high: float = 262143.0


def status_track(label: str, codes: Floats) -> Track:
    """Return the Status channel, whose last 24 bits are written as they are.

    Parameters
    ----------
    label
        Its name.
    codes
        Shape (n,).

    Returns
    -------
    Track
    """
    return Track(label, codes, "Boolean", _LOW, _HIGH)


def write_bdf(path: Path, tracks: Sequence[Track], sfreq: int) -> None:
    """Write channels of one length and rate, in records of a second; what fills none is left out.

    Parameters
    ----------
    path
        The file.
    tracks
        Channels of one length.
    sfreq
        Rate of all, Hz.

    Examples
    --------
    >>> import tempfile
    >>> from biosense.datasets.formats.bdf import Bdf
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "made.bdf"
    ...     write_bdf(path, [Track("Cz", np.full(512, 20.0))], 256)
    ...     round(float(Bdf(path).read([0])[-1, 0]), 1)
    20.0
    """
    lengths = {len(track.values) for track in tracks}
    if len(lengths) != 1 or min(lengths) < sfreq:
        raise BadInput(f"channels have {sorted(lengths)} samples: one length of 1 s and more")
    records = min(lengths) // sfreq
    digital = np.empty((records, len(tracks), sfreq), "<i4")
    for index, track in enumerate(tracks):
        digital[:, index] = _digital(track)[: records * sfreq].reshape(records, sfreq)
    with path.open("wb") as file:
        file.write(_header(tracks, sfreq, records))
        file.write(digital.view(np.uint8).reshape(-1, 4)[:, :3].tobytes())


def _digital(track: Track) -> Floats:
    low, high = float(track.values.min()), float(track.values.max())
    if not track.low <= low <= high <= track.high:
        raise BadInput(
            f"{track.label!r} has {low:g} to {high:g}, its range is {track.low:g} to {track.high:g}"
        )
    step = (track.high - track.low) / (_HIGH - _LOW)
    return np.asarray(np.rint((track.values - track.low) / step) + _LOW, dtype=np.float64)


def _header(tracks: Sequence[Track], sfreq: int, records: int) -> bytes:
    size = BLOCK * (len(tracks) + 1)
    first = (
        *(MAGIC, _text("made up", 80), _text("miniature", 80), b"01.01.1100.00.00"),
        *(_text(size, 8), _text("24BIT", 44), _text(records, 8), _text(1, 8)),
        _text(len(tracks), 4),
    )
    fields: tuple[Callable[[Track], object], ...] = (
        lambda track: track.label,
        lambda track: "",
        lambda track: track.unit,
        lambda track: f"{track.low:.0f}",
        lambda track: f"{track.high:.0f}",
        lambda track: _LOW,
        lambda track: _HIGH,
        lambda track: "",
        lambda track: sfreq,
        lambda track: "",
    )
    columns = [
        b"".join(_text(field(track), width) for track in tracks)
        for field, width in zip(fields, FIELDS, strict=True)
    ]
    return b"".join((*first, *columns))


def _text(value: object, width: int) -> bytes:
    return str(value).ljust(width).encode("latin1")[:width]
