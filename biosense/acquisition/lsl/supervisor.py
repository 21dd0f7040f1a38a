"""One stream over its whole life: read, missed, looked for, recognised, opened again, read on."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Protocol, TypeVar

from biosense.acquisition.lsl.discovery import FoundStream, Searcher
from biosense.acquisition.lsl.inlet import Inlet, open_inlet, read_stream_info
from biosense.acquisition.lsl.reader import StreamReader
from biosense.acquisition.lsl.stream_identity import SenderSearch, SenderState, changes, find_sender
from biosense.core.clock import Clock
from biosense.core.errors import BadInput, DeviceLost, StreamNotFound
from biosense.core.types import Chunk, Event, EventKind, Item, StreamInfo

_RETRY_S = 1.0  # between two queries for a sender that is gone
_RETRY_LATER_S = 5.0  # once it has been gone for long
_LONG_S = 60.0
_QUIET_S = 5.0  # an irregular stream may be quiet for hours: is its sender still there?
_MISSES = 2  # queries without an answer after which a quiet stream is lost: answers do get lost
_LSL_S = 4.0  # LSL takes up to 2 s from the return of a sender to its first sample

T = TypeVar("T")
Steps = Generator[Item | None, None, T]
Opened = tuple[Inlet, StreamInfo]


class Submit(Protocol):
    """Run a function in another thread; see `Poller.submit`."""

    def __call__(self, work: Callable[[], T]) -> Future[T]:
        """Return what the function will."""
        ...


class SupervisedStream:
    """Read a stream, and bring it back when its sender was gone.

    LSL finds a sender that comes back as it was, where it has a source_id, and keeps what was not
    read of the time before. All others are found here, see `find_sender`. What takes time (a query,
    the opening of an inlet) is done by `submit`, never by `poll`.

    Parameters
    ----------
    inlet
        The open inlet.
    info
        The stream, under its name within the run.
    clock
        Session time; must tell LSL's local clock.
    searcher
        Who queries the network.
    submit
        Runs a function in another thread.
    timeout
        Seconds in which a sender that is back must answer.
    """

    def __init__(
        self,
        inlet: Inlet,
        info: StreamInfo,
        clock: Clock,
        *,
        searcher: Searcher,
        submit: Submit,
        timeout: float,
    ) -> None:
        self._inlet = inlet
        self._info = info
        self._reader = StreamReader(inlet, info, clock)
        self._clock = clock
        self._searcher = searcher
        self._submit = submit
        self._timeout = timeout
        self._gone = False  # LSL has given up the inlet
        self._heard_at = clock.now()
        self._alive_at = searcher.queries  # queries that were done when the sender was last heard
        self._queried_at = -_RETRY_LATER_S
        self._identified = 0  # returns of the sender of which it is known what came back
        self._missed = 0
        self._back: tuple[str, float] = ("", 0.0)  # an outlet that could be it, and since when
        self._reported: set[str] = set()
        self._steps = self._supervise()

    def connected(self) -> Event:
        """Report that the stream is open."""
        return self._reader.connected(self._inlet.found.hostname)

    def poll(self) -> Iterator[Item]:
        """Yield what is new; samples are taken from LSL only as the caller asks for more."""
        if not self._gone:
            yield from self._read()
        for item in self._steps:
            if item is None:
                return
            yield item

    def close(self) -> None:
        """Release the inlet, and what is being opened as soon as it is open."""
        self._steps.close()
        self._inlet.close()

    def _read(self) -> Iterator[Item]:
        try:
            for item in self._reader.poll():
                if isinstance(item, Chunk):
                    self._heard()
                yield item
        except DeviceLost as lost:
            self._gone = True
            yield from self._reader.lose(str(lost))

    def _heard(self) -> None:
        self._heard_at = self._clock.now()
        self._missed = 0
        if self._reader.returns == self._identified:
            self._alive_at = self._searcher.queries

    @property
    def _lost(self) -> bool:
        return self._gone or self._reader.lost

    # The steps below yield None where they wait: they go on at the next poll.

    def _supervise(self) -> Steps[None]:
        while True:
            while not self._is_due():
                yield None
            found = yield from self._awaited(self._submit(self._searcher.query))
            self._queried_at = self._clock.now()
            before = self._searcher.known(self._alive_at)
            yield from self._judge(find_sender(self._inlet.found, found, before))

    def _is_due(self) -> bool:
        now = self._clock.now()
        since_query, silence = now - self._queried_at, now - self._heard_at
        if self._lost or self._reader.returns > self._identified:
            return since_query >= (_RETRY_S if silence < _LONG_S else _RETRY_LATER_S)
        return self._info.sfreq == 0 and min(since_query, silence) >= _QUIET_S

    def _judge(self, seen: SenderSearch) -> Steps[None]:
        if seen.state is SenderState.ALIVE:
            yield from self._found_alive()
        elif seen.state is SenderState.BACK:
            yield from self._found_back(seen.found[0])
        elif seen.state is not SenderState.AWAY:
            yield from self._report_once(seen)
        elif self._info.sfreq == 0:
            self._missed += 1
            if self._missed == _MISSES:
                yield from self._reader.lose("its sender does not answer any more")

    def _found_alive(self) -> Steps[None]:
        self._identified, self._missed = self._reader.returns, 0
        if self._gone:  # the connection broke, the sender did not
            yield from self._reopen(self._inlet.found)
        elif self._info.sfreq == 0:
            self._alive_at = self._searcher.queries
            yield from self._reader.answers()

    def _found_back(self, found: FoundStream) -> Steps[None]:
        if self._reader.returns > self._identified:  # LSL has brought it back
            yield from self._identify(found)
            return
        now, patience = self._clock.now(), 0.0
        if self._back[0] != found.uid:
            self._back = (found.uid, now)
        if not found.is_like(self._inlet.found):
            patience = 0.5 * _RETRY_S  # the stream itself may follow: what the next query confirms
        elif self._inlet.recovers and not self._gone:
            patience = _LSL_S
        if now - self._back[1] >= patience:
            yield from self._reopen(found)

    def _identify(self, found: FoundStream) -> Steps[None]:
        asked = self._submit(partial(read_stream_info, found, self._timeout))
        info = yield from self._answered(asked, found)
        if info is not None:
            self._identified = self._reader.returns
            yield from self._report_changes(found, info)
            self._inlet.found = found

    def _reopen(self, found: FoundStream) -> Steps[None]:
        heard_at = self._heard_at
        opened = yield from self._opened(found)
        if opened is None:
            return
        inlet, info = opened
        if not self._gone:
            yield from self._read()  # what the old one still holds
        if self._heard_at > heard_at and not self._gone:
            self._submit(inlet.close)  # it has come back by itself meanwhile
            return
        yield from self._report_changes(found, info)
        self._submit(self._inlet.close)
        self._inlet, self._gone = inlet, False
        self._reader.resume(inlet)
        self._identified = self._reader.returns
        self._heard()

    def _opened(self, found: FoundStream) -> Steps[Opened | None]:
        unique = not self._searcher.has_twin(found)
        future = self._submit(partial(open_inlet, found, self._timeout, unique=unique))
        try:
            return (yield from self._answered(future, found))
        except GeneratorExit:
            future.add_done_callback(_close_opened)
            raise

    def _answered(self, future: Future[T], found: FoundStream) -> Steps[T | None]:
        try:
            return (yield from self._awaited(future))
        except StreamNotFound:  # gone again by now
            return None
        except BadInput as error:
            if found.uid not in self._reported:
                self._reported.add(found.uid)
                yield from self._report(EventKind.ERROR, f"is back, but cannot be read: {error}")
            return None

    def _awaited(self, future: Future[T]) -> Steps[T]:
        while not future.done():
            yield None
        return future.result()

    def _report_once(self, seen: SenderSearch) -> Steps[None]:
        before, uids = self._inlet.found, {each.uid for each in seen.found}
        if uids <= self._reported:
            return
        self._reported |= uids
        if seen.state is SenderState.UNCLEAR:
            text = f"{len(uids)} streams could be it: close all but one of "
            yield from self._report(EventKind.ERROR, text + "; ".join(map(str, seen.found)))
            return
        now = seen.found[0]
        yield from self._report(
            EventKind.ERROR,
            f"its sender is back with {now.n_channels} channels of {now.dtype} instead of "
            f"{before.n_channels} of {before.dtype}, and cannot go on as the same stream: start a "
            f"new run to record it, or set its sender back",
        )

    def _report_changes(self, found: FoundStream, info: StreamInfo) -> Steps[None]:
        before = self._inlet.found
        if found.name != before.name:
            text = f"its sender calls it {found.name!r} now: it goes on as {self._info.name!r}"
            yield from self._report(EventKind.INFO, text)
        if found.source_id != before.source_id:
            text = f"its source_id is {found.source_id!r} now, it was {before.source_id!r}"
            yield from self._report(EventKind.INFO, text)
        if changed := changes(self._info, info):
            yield from self._report(
                EventKind.ERROR,
                f"is back with {changed}: it is recorded with its right times, but described and "
                f"processed as it was at first; start a new run",
            )

    def _report(self, kind: EventKind, text: str) -> Steps[None]:
        yield Event(self._clock.now(), kind, self._info.name, text)


def _close_opened(future: Future[Opened]) -> None:
    if future.exception() is None:
        future.result()[0].close()
