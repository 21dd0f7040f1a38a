"""Streams whose senders have done part of the processing: how they are told from raw signals."""

from __future__ import annotations

from biosense.core.types import Modality, StreamInfo

INTERVAL_CHANNELS = ("rr", "ppi", "ibi")
"""Names of a channel of intervals between beats: from electrodes, from light, from anything."""
EMG_ENVELOPE = "EMG-envelope"
"""Content type of a stream of muscles whose sender has rectified and smoothed it."""


def is_intervals(info: StreamInfo) -> bool:
    """Return whether a stream holds intervals between beats, one sample a beat.

    Parameters
    ----------
    info
        A raw stream.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_intervals(StreamInfo("strap rr", None, ("rr",), 0.0, "s"))
    True
    """
    return info.sfreq == 0 and info.channels[0] in INTERVAL_CHANNELS and not info.is_text


def interval_modality(info: StreamInfo) -> Modality | None:
    """Return what a stream of intervals stands in for; None for other streams.

    Intervals from light count as PPG, all others as ECG.

    Parameters
    ----------
    info
        A raw stream.

    Returns
    -------
    Modality or None

    Examples
    --------
    >>> interval_modality(StreamInfo("strap rr", None, ("rr",), 0.0, "s"))
    <Modality.ECG: 'ecg'>
    """
    if not is_intervals(info) or info.unit.strip() not in ("s", "ms"):
        return None
    return Modality.PPG if info.channels[0] == "ppi" else Modality.ECG
