"""Which LSL streams are within reach, and which of them is meant."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from biosense.acquisition.lsl.config import settings
from biosense.core.errors import BadInput, StreamNotFound
from biosense.core.own_streams import OWN_PREFIX
from biosense.core.types import TEXT

_DTYPES = ("", "float32", "float64", TEXT, "int32", "int16", "int8", "int64")  # by lsl's cf_* value
KEYS = ("name", "type", "source_id", "hostname", "uid")
"""What `key=value` can ask for."""
_SHARED_KEYS = ("type", "hostname")  # what many streams have in common


@dataclass(frozen=True)
class FoundStream:
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

        What a run of ours says of itself is meant only where its name, source_id or uid is given: a
        run that asks for type=Markers wants those of the experiment.

        Examples
        --------
        >>> found = FoundStream("cap", "EEG", 8, 250.0, "float32", "cap-17", "lab", "4f0c")
        >>> [found.matches(wanted) for wanted in ("cap", "cap-17", "type=EEG", "EEG")]
        [True, True, True, False]
        """
        if wanted in (self.name, self.source_id):
            return True
        key, _, value = wanted.partition("=")
        if key in _SHARED_KEYS and self.name.startswith(OWN_PREFIX):
            return False
        values = (self.name, self.content_type, self.source_id, self.hostname, self.uid)
        return (key, value) in zip(KEYS, values, strict=True)

    def is_like(self, other: FoundStream) -> bool:
        """Tell whether two outlets are the same stream as far as they say, which is LSL's rule."""
        return all(
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


def query_network() -> tuple[FoundStream, ...]:
    """Return the streams that answer to one query; it is one packet to each port, and may be lost.

    Blocks for `LslSettings.pass_seconds`.

    Returns
    -------
    tuple of FoundStream
        Those that answered.
    """
    import pylsl

    return tuple(_found(handle) for handle in pylsl.resolve_streams(settings().pass_seconds))


class Searcher:
    """Look for streams on behalf of many: all who ask at the same time share one query.

    A query costs packets to every port, and 64 sources that look for their senders at once would
    drown the answers. For any thread.

    Parameters
    ----------
    look
        Asks once, see `query_network`.

    Attributes
    ----------
    queries
        Number of queries that are done.

    Examples
    --------
    >>> cap = FoundStream("cap", "EEG", 8, 250.0, "float32", "", "lab", "4f0c")
    >>> searcher = Searcher(lambda: (cap,))
    >>> [found.name for found in searcher.query()], searcher.queries
    (['cap'], 1)
    >>> [found.uid for found in searcher.known(1)], searcher.known(0)
    (['4f0c'], ())
    """

    def __init__(self, query: Callable[[], tuple[FoundStream, ...]] = query_network) -> None:
        self.queries = 0
        self._query = query
        self._begun = 0
        self._result: tuple[FoundStream, ...] = ()
        self._seen: dict[str, tuple[int, FoundStream]] = {}
        self._change = threading.Condition()

    def query(self) -> tuple[FoundStream, ...]:
        """Return what answers to a query that begins from now on; blocks for one, or nearly two."""
        with self._change:
            number = self._begun + 1
            while self.queries < min(number, self._begun):
                self._change.wait()
            if self.queries >= number:
                return self._result
            self._begun = number
        found: tuple[FoundStream, ...] = ()
        try:
            found = self._query()
        finally:
            with self._change:
                self.queries, self._result = number, found
                for each in found:
                    self._seen.setdefault(each.uid, (number, each))
                self._change.notify_all()
        return found

    def known(self, queries: int) -> tuple[FoundStream, ...]:
        """Return every stream that had been seen when `queries` queries were done."""
        with self._change:
            return tuple(found for number, found in self._seen.values() if number <= queries)

    def has_twin(self, found: FoundStream) -> bool:
        """Tell whether the last query saw another outlet that says the same of itself."""
        with self._change:
            return any(each.uid != found.uid and each.is_like(found) for each in self._result)

    def search(self, seconds: float) -> Iterator[tuple[FoundStream, ...]]:
        """Yield all streams seen in this search so far, by name, after each of its queries."""
        if not seconds > 0:
            raise BadInput(f"seconds={seconds} of a search must be positive")
        found: dict[str, FoundStream] = {}
        stop = time.monotonic() + seconds
        while True:
            found |= {each.uid: each for each in self.query()}
            yield tuple(sorted(found.values(), key=lambda each: (each.name, each.uid)))
            if time.monotonic() >= stop:
                return


def find_streams(seconds: float = 2.0) -> tuple[FoundStream, ...]:
    """Find all streams within reach, sorted by name.

    Parameters
    ----------
    seconds
        How long to look, rounded up to whole queries (0.25 s; on a network 1.25 s).

    Returns
    -------
    tuple of FoundStream
        Sorted by name.
    """
    found: tuple[FoundStream, ...] = ()
    for found in Searcher().search(seconds):  # noqa: B007 - the last pass knows them all
        pass
    return found


def resolve(
    wanted: str,
    seconds: float = 5.0,
    *,
    give_up: Callable[[], bool] = lambda: False,
    searcher: Searcher | None = None,
) -> FoundStream:
    """Find one stream by its name, its source_id, or one property as `key=value`.

    Parameters
    ----------
    wanted
        For instance "chest", "polar-8A2B", "type=EEG"; the keys are those of `KEYS`.
    seconds
        How long to look at most.
    give_up
        Asked between two queries; True ends the search early.
    searcher
        Whose queries are shared; one of its own by default.

    Returns
    -------
    FoundStream
        The stream that is meant.

    Raises
    ------
    StreamNotFound
        If there is none; the message lists what there is.
    BadInput
        If there are several; the message says how to name one of them.
    """
    found: tuple[FoundStream, ...] = ()
    before: list[FoundStream] = []
    for found in (searcher or Searcher()).search(seconds):
        hits = [each for each in found if each.matches(wanted)]
        # A namesake may answer a little later: only what the next query confirms is unique.
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


def _found(handle: Any) -> FoundStream:
    number = handle.channel_format()
    return FoundStream(
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


def _missing(wanted: str, found: tuple[FoundStream, ...], seconds: float) -> str:
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
