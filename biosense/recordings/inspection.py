"""What an inspection of a recording finds: each stream, the events, what is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from biosense.acquisition.xdf.gaps import Gap


@dataclass(frozen=True)
class StreamReport:
    """Hold what a recording holds of one stream; None where it does not apply.

    `first` and `last` are the session times of its first and last sample, `gap_list` names each
    gap with the session times of the samples on either side, and `clock_resets` counts how often
    the sender's clock began anew.
    """

    kind: str
    channels: int
    samples: int
    seconds: float | None
    rate_hz: float | None
    nominal_hz: float | None
    gaps: int
    lost: int
    drift_ppm: float | None
    quality: float | None
    first: float | None = None
    last: float | None = None
    gap_list: tuple[Gap, ...] = ()
    clock_resets: int = 0


@dataclass(frozen=True)
class Inspection:
    """Hold what is inside a recording, and what is wrong with it, in words.

    `closed` is False for a recording whose program was killed, or is at it still. `begin` and `end`
    are the session times of the first and last sample, None if there is none; times in words count
    from `begin`.
    """

    streams: dict[str, StreamReport]
    events: tuple[str, ...]
    problems: tuple[str, ...]
    closed: bool = True
    begin: float | None = None
    end: float | None = None
