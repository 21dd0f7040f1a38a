"""DEAP's channels in SI units: what both of its readers do in the same way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosense.core.types import Bools, Chunk, Floats, Modality, StreamInfo
from biosense.datasets.deap.files import EEG, site
from biosense.datasets.skin_signals import conductance, conductance_notes, temperature_note

EOG, EMG = ("hEOG", "vEOG"), ("zygomaticus", "trapezius")
STREAMS = (
    StreamInfo("eeg", Modality.EEG, EEG, 128.0, "V"),
    StreamInfo("eog", None, EOG, 128.0, "V"),
    StreamInfo("emg", Modality.EMG, EMG, 128.0, "V"),
    StreamInfo("eda", Modality.EDA, ("eda",), 128.0, "S"),
    StreamInfo("resp", Modality.RESP, ("belt",), 128.0, ""),
    StreamInfo("ppg", Modality.PPG, ("ppg",), 128.0, ""),
    StreamInfo("temp", Modality.TEMP, ("skin",), 128.0, "degC"),
)
"""What a participant is recorded with. Belt and plethysmograph have no unit that anybody knows."""


def stream(
    info: StreamInfo, times: Floats, data: NDArray[Any], ok: Bools | None = None
) -> tuple[Chunk, list[str]]:
    """Return a stream, trusted where every channel has a value, and what is missing from it.

    Parameters
    ----------
    info
        The stream.
    times
        Session time, seconds, shape (n,).
    data
        Shape (n, channels).
    ok
        What else must hold, shape (n,); None for nothing.

    Returns
    -------
    chunk : Chunk
    notes : list of str
        What is missing, one line a channel.
    """
    finite = np.isfinite(data)
    notes = [
        f"{info.name} {name}: {1 - share:.1%} of samples are missing, not trusted"
        for name, share in zip(info.channels, finite.mean(axis=0), strict=True)
        if share < 1 and ok is None
    ]
    trusted = finite.all(axis=1)
    if ok is not None:
        trusted &= ok
    return Chunk.of(info, times, data, trusted), notes


def body_stream(
    subject: str, info: StreamInfo, times: Floats, values: NDArray[Any], skin_unit: str
) -> tuple[Chunk, list[str]]:
    """Return a stream in its unit, and what is to be said of it.

    Parameters
    ----------
    subject
        Whose it is.
    info
        One of `STREAMS`, as it is in the file.
    times
        Session time of each sample, seconds, shape (n,).
    values
        Volts for streams in volts, else as in the file, shape (n, channels).
    skin_unit
        Unit of skin conductance or resistance, as `skin_signals.conductance` takes it.

    Returns
    -------
    chunk : Chunk
    notes : list of str
    """
    if info.modality is Modality.EDA:
        siemens, ok = conductance(values.astype(np.float64), skin_unit)
        where = f"{subject} ({site(subject)}) eda"
        return stream(info, times, siemens, ok[:, 0])[0], conductance_notes(where, siemens, ok)
    wrong = temperature_note(values) if info.modality is Modality.TEMP else ""
    chunk, notes = stream(replace(info, unit="") if wrong else info, times, values)
    return chunk, [*notes, *([wrong] if wrong else [])]
