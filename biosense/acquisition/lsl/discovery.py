"""Which LSL streams are within reach, and which of them is meant."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from biosense.acquisition.lsl.config import settings
from biosense.core.errors import BadInput, StreamNotFound
from biosense.core.types import TEXT

_DTYPES = ("", "float32", "float64", TEXT, "int32", "int16", "int8", "int64")  # by lsl's cf_* value
KEYS = ("name", "type", "source_id", "hostname", "uid")
"""What `key=value` can ask for."""


@dataclass(frozen=True)
class Found:
    """Describe a stream as it announces itself; its labels and units are known once it is open.

    Parameters
    ----------
    name, content_type
        What the sender calls the stream and its content ("EEG", "Markers").
    n_channels
        Number of channels.
    sfreq
        Nominal rate in Hz, 0 for an irregular stream.
    dtype
        Type of the samples, as in `StreamInfo`; empty where the sender declares none.
    source_id
        Identity of the device, empty where the sender gives none.
    hostname
        Computer that sends.
    uid
        Identity of this very outlet, new each time that the sender starts.
    handle
        pylsl's own description, which opens the stream.
    """

    name: str
    content_type: str
    n_channels: int
    sfreq: float
    dtype: str
    source_id: str
    hostname: str
    uid: str
    handle: Any = field(default=None, repr=False, compare=False)

    def matches(self, wanted: str) -> bool:
        """Tell whether `wanted` is the name, the source_id or a true `key=value` of this stream.

        Examples
        --------
        >>> found = Found("cap", "EEG", 8, 250.0, "float32", "cap-17", "lab", "4f0c")
        >>> [found.matches(wanted) for wanted in ("cap", "cap-17", "type=EEG", "EEG")]
        [True, True, True, False]
        """
        if wanted in (self.name, self.source_id):
            return True
        key, _, value = wanted.partition("=")
        values = (self.name, self.content_type, self.source_id, self.hostname, self.uid)
        return (key, value) in zip(KEYS, values, strict=True)

    def returns_as(self, other: Found) -> bool:
        """Tell whether `other` can be this stream, sent again after its sender was restarted."""
        return self.uid != other.uid and all(
            getattr(self, key) == getattr(other, key)
            for key in ("name", "content_type", "n_channels", "dtype", "source_id")
        )

    def __str__(self) -> str:
        rate = f"{self.sfreq:g} Hz" if self.sfreq else "irregular"
        return (
            f"{self.name!r} (type={self.content_type or 'none'}, {self.n_channels} channels, "
            f"{rate}, source_id={self.source_id or 'none'}, hostname={self.hostname}, "
            f"uid={self.uid})"
        )


def search(seconds: float) -> Iterator[tuple[Found, ...]]:
    """Yield all streams seen so far, by name, after each pass of a search of `seconds` seconds.

    One query is one packet to each port and may be lost, so the search is made of passes.
    """
    import pylsl

    if not seconds > 0:
        raise BadInput(f"seconds={seconds} of a search must be positive")
    found: dict[str, Found] = {}
    pass_seconds = settings().pass_seconds
    stop = time.monotonic() + seconds
    while True:
        for handle in pylsl.resolve_streams(pass_seconds):
            found[handle.uid()] = _found(handle)
        yield tuple(sorted(found.values(), key=lambda each: (each.name, each.uid)))
        if time.monotonic() >= stop:
            return


def find_streams(seconds: float = 2.0) -> tuple[Found, ...]:
    """Find all streams within reach, sorted by name.

    Parameters
    ----------
    seconds
        How long to look, rounded up to whole passes (0.25 s; on a network 1.25 s).
    """
    found: tuple[Found, ...] = ()
    for found in search(seconds):  # noqa: B007 - the last pass knows them all
        pass
    return found


def resolve(
    wanted: str, seconds: float = 5.0, *, give_up: Callable[[], bool] = lambda: False
) -> Found:
    """Find one stream by its name, its source_id, or one property as `key=value`.

    Parameters
    ----------
    wanted
        For instance "chest", "polar-8A2B", "type=EEG"; the keys are those of `KEYS`.
    seconds
        How long to look at most.
    give_up
        Asked between two passes; True ends the search early.

    Raises
    ------
    StreamNotFound
        If there is none; the message lists what there is.
    BadInput
        If there are several; the message says how to name one of them.
    """
    found: tuple[Found, ...] = ()
    before: list[Found] = []
    for found in search(seconds):
        hits = [each for each in found if each.matches(wanted)]
        # A namesake may answer a little later: only what the next pass confirms is unique.
        if give_up() or (hits and hits == before):
            break
        before = hits
    hits = [each for each in found if each.matches(wanted)]
    if len(hits) > 1:
        raise BadInput(
            f"{len(hits)} LSL streams match {wanted!r}: {'; '.join(map(str, hits))}. "
            f"Ask for one of them by source_id=.. or uid=.."
        )
    if not hits:
        raise StreamNotFound(_missing(wanted, found, seconds))
    return hits[0]


def _found(handle: Any) -> Found:
    number = handle.channel_format()
    return Found(
        handle.name(),
        handle.type(),
        handle.channel_count(),
        handle.nominal_srate(),
        _DTYPES[number] if 0 <= number < len(_DTYPES) else "",
        handle.source_id(),
        handle.hostname(),
        handle.uid(),
        handle,
    )


def _missing(wanted: str, found: tuple[Found, ...], seconds: float) -> str:
    there = "; ".join(map(str, found)) or "none"
    advice = "start its sender"
    if not settings().lan:
        advice += ", or use --lan (lan=True) if it runs on another computer"
    else:
        advice += ", and let the firewalls pass UDP 16571 and TCP and UDP 16572-16604"
    key, equals, _ = wanted.partition("=")
    if equals and key not in KEYS:
        advice += f"; key=value can ask for {', '.join(KEYS)}"
    return (
        f"no LSL stream {wanted!r} within {seconds:g} s on {settings()}: {advice}. "
        f"Streams within reach: {there}"
    )
