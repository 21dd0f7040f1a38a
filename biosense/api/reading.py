"""Open a recording by its path."""

from __future__ import annotations

from pathlib import Path

from biosense.acquisition.xdf.reader import XdfReader
from biosense.api.recording import Recording


def opened(recording: Recording | str | Path) -> Recording:
    """Return a recording as it is, or the one at a path."""
    return recording if isinstance(recording, Recording) else read(recording)


def read(path: str | Path) -> Recording:
    """Open a recording.

    Parameters
    ----------
    path
        A recording folder of biosense, or an .xdf file of any program.

    Returns
    -------
    Recording
        Its streams are read when they are asked for.

    Raises
    ------
    BadInput
        If there is no recording at that place, or it is compressed.
    RecordingDamaged
        If it is no XDF file at all. A file that is cut off, as a crash leaves it, is read as far as
        it goes; `Recording.check` says what is missing.

    Examples
    --------
    >>> import biosense as bs
    >>> made = bs.simulate(seconds=5, modalities=["eda"])
    >>> bs.read(made.path).to_pandas("sim-eda").columns.tolist()
    ['time', 'ok', 'eda']
    """
    return Recording(XdfReader(Path(path)))
