"""Open recordings, wherever they are."""

from __future__ import annotations

from pathlib import Path

from biosense.acquisition.xdf.reader import XdfReader
from biosense.api.content import ContentInMemory, ContentOnDisk
from biosense.api.recording import Recording
from biosense.core.recording import Recording as WholeRecording


def read(recording: str | Path | WholeRecording) -> Recording:
    """Open a recording.

    Parameters
    ----------
    recording
        A recording folder of biosense, an .xdf file of any program, or what the `load` of a data
        set gave.

    Returns
    -------
    Recording
        Its streams are read when they are asked for. A file that is cut off, as a crash leaves it,
        is read as far as it goes; `Recording.check` says what is missing.

    Raises
    ------
    BadInput
        If there is no recording at that place, or it is compressed.
    RecordingDamaged
        If it is no XDF file at all.

    Examples
    --------
    >>> import biosense as bs
    >>> made = bs.simulate(seconds=5, modalities=["eda"])
    >>> bs.read(made.path)["eda"].n
    640
    """
    if isinstance(recording, WholeRecording):
        return Recording(ContentInMemory(recording))
    return Recording(ContentOnDisk(XdfReader(Path(recording))))


def opened(recording: Recording | WholeRecording | str | Path) -> Recording:
    """Return a recording as it is, or open it."""
    return recording if isinstance(recording, Recording) else read(recording)
