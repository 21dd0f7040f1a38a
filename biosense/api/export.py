"""Recordings as other programs want them: one call over the three exports."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from biosense.api.reading import opened
from biosense.api.recording import Recording
from biosense.core.suggest import unknown_name
from biosense.recordings.export.bids import export_bids
from biosense.recordings.export.bids_plan import bids_settings
from biosense.recordings.export.csv import export_csv
from biosense.recordings.export.fif import export_fif
from biosense.recordings.export.result import Exported

Format = Literal["csv", "fif", "bids"]


def export(
    recording: Recording | str | Path,
    out: str | Path,
    format: Format | None = None,
    *,
    stream: str | None = None,
    subject: str | None = None,
    task: str = "affect",
    session: str = "",
    run: int | None = None,
    overwrite: bool = False,
) -> Exported:
    """Write a recording in another format, as `biosense export` does.

    Parameters
    ----------
    recording
        As `read` gives it, or where it lies.
    out
        A folder for "csv" and "bids", a file for "fif".
    format
        "fif" by default where `out` ends in .fif or .fif.gz, else "csv".
    stream
        Which stream a .fif file holds: the EEG by default, or the only signal there is.
    subject, task, session, run
        BIDS entities; the subject is the participant of the recording by default.
    overwrite
        Replace files that exist.

    Returns
    -------
    Exported
        The files that were written, and notes about what they cannot hold.

    Raises
    ------
    BadInput
        If files exist already, or the recording holds nothing for that format.
    MissingExtra
        If a library is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import biosense as bs
    >>> rec = bs.simulate(seconds=5, modalities=["eda"])
    >>> made = bs.export(rec, tempfile.mkdtemp())
    >>> "sim-eda.csv" in [file.path for file in made.files]
    True
    """
    reader, place = opened(recording).reader, Path(out)
    chosen = format or ("fif" if place.name.endswith((".fif", ".fif.gz")) else "csv")
    if chosen == "fif":
        return export_fif(reader, place, stream=stream, overwrite=overwrite)
    if chosen == "csv":
        return export_csv(reader, place, overwrite=overwrite)
    if chosen == "bids":
        names = bids_settings(reader, subject, task, session, run, overwrite=overwrite)
        return export_bids(reader, place, names)
    raise unknown_name("format", format, ("csv", "fif", "bids"))
