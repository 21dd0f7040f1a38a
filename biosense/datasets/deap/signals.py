"""DEAP's channels in SI units: what both of its readers do in the same way."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosense.core.types import Bools, Chunk, Floats, Modality, StreamInfo
from biosense.datasets.deap.files import EEG, site

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
_SKIN_US = (0.05, 100.0)  # conductance of living skin, microsiemens
_SKIN_DEGC = (10.0, 45.0)
SILENT = "{name}: {share:.1%} of {what}, not trusted"


def conductance(values: Floats, *, is_resistance: bool) -> tuple[Floats, Bools]:
    """Return skin conductance in siemens, from ohm or nanosiemens, and which of it can be.

    Zero and less is nothing that skin can have: it becomes NaN and is not trusted.

    >>> [part.tolist() for part in conductance(np.array([2e5, -1.0]), is_resistance=True)]
    [[5e-06, nan], [True, False]]
    """
    ok = np.isfinite(values) & (values > 0)
    positive = np.where(ok, values, np.nan)
    return (1.0 / positive if is_resistance else positive * 1e-9), ok


def skin_notes(subject: str, siemens: Floats, ok: Bools) -> list[str]:
    """Say what the skin conductance of a participant looks like, for comparing the two sites."""
    where = f"{subject} ({site(subject)}) eda"
    if not ok.any():
        return [f"{where}: no sample is above 0, none is trusted"]
    median = float(np.median(siemens[ok])) * 1e6
    low, high = _SKIN_US
    lines = [f"{where}: median {median:.3g} uS"]
    if not low <= median <= high:
        lines[0] += f", skin has {low:g} to {high:g}: its unit is not the one that is documented"
    beyond = np.mean((siemens[ok] * 1e6 < low) | (siemens[ok] * 1e6 > high))
    if beyond and low <= median <= high:
        lines.append(f"{where}: {beyond:.1%} of samples are outside of {low:g} to {high:g} uS")
    if not ok.all():
        lines.append(SILENT.format(name=where, share=1 - ok.mean(), what="samples are 0 or less"))
    return lines


def temperature_note(values: Floats) -> str:
    """Say if a temperature cannot be that of skin in degrees Celsius; empty where it can."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return ""
    median, (low, high) = float(np.median(finite)), _SKIN_DEGC
    if low <= median <= high:
        return ""
    return f"temp: median {median:.3g}, skin has {low:g} to {high:g} degC: its unit is not known"


def stream(
    info: StreamInfo, times: Floats, data: NDArray[Any], ok: Bools | None = None
) -> tuple[Chunk, list[str]]:
    """Return a stream, trusted where every channel has a value, and what is missing from it."""
    finite = np.isfinite(data)
    notes = [
        SILENT.format(name=f"{info.name} {name}", share=1 - share, what="samples are missing")
        for name, share in zip(info.channels, finite.mean(axis=0), strict=True)
        if share < 1 and ok is None
    ]
    trusted = finite.all(axis=1)
    if ok is not None:
        trusted &= ok
    return Chunk.of(info, times, data, trusted), notes
