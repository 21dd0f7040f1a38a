"""The rows of the table of streams, in words and numbers. No Qt."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from biosense.core.own_streams import OWN_MARKERS
from biosense.core.stream_status import StreamState, StreamStatus, device_words
from biosense.core.types import Modality
from biosense.gui.state.panels import ORDER, WORDS
from biosense.live.output.status import RunStatus

TRUTH = "sim-truth"
TRUTH_WORDS = "truth (simulated)"
UNKNOWN = "unknown"
_RATE_SLACK = 0.05  # of the nominal rate
_OLD_S = 1.0


@dataclass(frozen=True)
class StreamRow:
    """Hold one row: what is drawn as it is, and what is coloured.

    `state` is a `StreamState`, or "unknown" while the run is silent; `quality` and `weight` are NaN
    where there is none, or where it is old; `rate_ok`, `age_ok`, `whole` and `device_ok` are False
    where something needs attention.
    """

    name: str
    modality: str
    state: str
    rate: str
    rate_ok: bool
    gaps: str
    lost: str
    whole: bool
    age: str
    age_ok: bool
    quality: float
    weight: float
    reading: str
    device: str = ""
    device_ok: bool = True


def rows_of(
    status: RunStatus, weights: Mapping[str, float], *, silence: float = 0.0
) -> tuple[StreamRow, ...]:
    """Make the rows, in the order of the traces; `silence` is the age of the status, seconds.

    Parameters
    ----------
    status
        Of the run.
    weights
        Of the newest estimate, by modality.
    silence
        Age of the status, seconds; 0 while the run speaks.

    Returns
    -------
    tuple of StreamRow
        In the order of the traces.
    """
    streams = [stream for stream in status.streams if stream.name != OWN_MARKERS]
    return tuple(_row(stream, status, weights, silence) for stream in sorted(streams, key=_rank))


def badges_of(status: RunStatus | None, *, is_live: bool) -> dict[str, str]:
    """Return what to write beside a trace that is in trouble, by name of stream.

    Parameters
    ----------
    status
        Of the run; None before the first.
    is_live
        Whether the run is known to go on.

    Returns
    -------
    dict
        Words by name of stream.
    """
    if status is None:
        return {}
    if not is_live:
        return {stream.name: UNKNOWN for stream in status.streams}
    troubled = (StreamState.LOST, StreamState.WAITING)
    return {
        stream.name: f"{stream.state} {stream.age:.0f} s" if stream.samples else stream.state
        for stream in status.streams
        if stream.state in troubled
    }


def is_shown(stream: StreamStatus) -> bool:
    """Tell whether a stream takes part in the estimate, or is at least a signal."""
    return stream.modality in ORDER


def lost_streams(status: RunStatus) -> Sequence[StreamStatus]:
    """Return the streams that are lost."""
    return [stream for stream in status.streams if stream.state is StreamState.LOST]


def _rank(stream: StreamStatus) -> tuple[int, int]:
    if is_shown(stream):
        return 0, ORDER.index(Modality(stream.modality))
    return 1, int(stream.name == TRUTH)


def _row(
    stream: StreamStatus, status: RunStatus, weights: Mapping[str, float], silence: float
) -> StreamRow:
    age, (device, is_well) = stream.age + silence, device_words(stream)
    old = silence > 0 or stream.state in (StreamState.LOST, StreamState.ENDED)
    regular = stream.nominal_hz > 0
    rate_hz = math.nan if old else stream.rate_hz
    return StreamRow(
        name=TRUTH_WORDS if stream.name == TRUTH else stream.name,
        modality=WORDS[Modality(stream.modality)] if is_shown(stream) else "",
        state=UNKNOWN if silence else stream.state.value,
        rate=_rate(stream.nominal_hz, rate_hz, stream.samples),
        rate_ok=not regular
        or math.isnan(rate_hz)
        or abs(rate_hz / stream.nominal_hz - 1) <= _RATE_SLACK,
        gaps=str(stream.gaps) if regular else "",
        lost=str(stream.lost) if regular else "",
        whole=stream.gaps == 0 and stream.lost == 0,
        age=f"{age:.1f} s" if regular and not math.isnan(age) else "",
        age_ok=not regular or stream.state is StreamState.ENDED or not age > _OLD_S,
        quality=math.nan if old else stream.quality,
        weight=weights.get(stream.modality, math.nan) if stream.modality else math.nan,
        reading="" if old else _reading(status.features.get(stream.modality, {})),
        device=device,
        device_ok=is_well,
    )


def _rate(nominal_hz: float, rate_hz: float, samples: int) -> str:
    if nominal_hz == 0:
        return f"{samples} samples"
    return f"{'-' if math.isnan(rate_hz) else f'{rate_hz:.1f}'} / {nominal_hz:g} Hz"


def _reading(features: Mapping[str, float]) -> str:
    """Return the one number that a person wants to see of a modality."""
    readings = (
        ("heart_rate", "{:.0f} bpm", float),
        ("scl_log", "{:.1f} µS", math.exp),
        ("resp_rate", "{:.0f} /min", float),
        ("temp_level", "{:.1f} °C", float),
        ("emg_level", "{:.0f} µV", math.exp),
    )
    for name, words, scale in readings:
        value = features.get(name, math.nan)
        if not math.isnan(value):
            return words.format(scale(value))
    return ""
