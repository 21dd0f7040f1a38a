"""What every source promises: streams as announced, times that never fall, a clean end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
from numpy.testing import assert_array_equal

from biosense.core.clock import ClockFit
from biosense.core.device_state import DeviceState
from biosense.core.errors import BadInput, StreamNotFound
from biosense.core.source import Source
from biosense.core.types import Chunk, ClockOffset, Event
from biosense.testing.contract import Check, promise, require
from biosense.testing.source_example import Samples, SourceExample, in_event_loop
from biosense.testing.source_items import chunks, leaves_no_thread_behind, own_threads

_STARTS_S = 10.0  # within which a source that is fed must give its first item
_ENDS_S = 5.0  # within which one that was closed must end


def check_source(
    make: Callable[[], Source],
    *,
    expected: Callable[[], Samples] | None = None,
    absent: Callable[[], Source] | None = None,
    seconds: float = 5.0,
) -> None:
    """Try whether a source does what every source promises; the first promise broken is raised.

    These are the checks that biosense's own sources pass, the recorder and the processing rest on
    them. The device, or a stand-in for it, must send while they run.

    Parameters
    ----------
    make
        Returns a fresh source that is not yet entered; called for every check.
    expected
        Returns all samples that a source of `make` must bring, by name of the stream, each of
        shape (n, channels). None where nobody knows them: a second of each stream is listened to.
    absent
        Returns a source of a device that is not there, if there is such a thing.
    seconds
        How long is listened at most where `expected` is None.

    Raises
    ------
    ContractBroken
        With the promise, what was got and wanted, and what to do.

    Examples
    --------
    >>> from biosense.acquisition.simulated.source import SimulatedSource
    >>> from biosense.core.clock import SystemClock
    >>> check_source(lambda: SimulatedSource(1, clock=SystemClock(), speed=0, seconds=2.0))
    """
    for check in SOURCE_CHECKS:
        check(SourceExample(make(), expected, seconds=seconds))
    if absent is not None:
        what_is_absent_is_named(SourceExample(absent()))


@promise(
    "raise BadInput in `infos` before __aenter__, return self from it, give a source_id to all"
)
@in_event_loop
async def _streams_are_known_once_it_is_entered(example: SourceExample) -> None:
    """The streams are known once the source is entered, and not before."""
    try:
        early = example.source.infos
    except BadInput as error:
        require("async with" in str(error), error, "a BadInput that says: use it in `async with`")
    else:
        require(False, early, "a BadInput from `infos` of a source that is not open")
    async with example.source as source:
        require(source is example.source, source, "the source itself from __aenter__")
        names = [info.name for info in source.infos]
        require(len(set(names)) == len(names) > 0, names, "streams, each by a name of its own")
        nameless = [info.name for info in source.infos if not info.source_id]
        require(not nameless, f"{nameless} without a source_id", "one that survives reconnects")
        if example.expected is not None:
            wanted = set(example.expected())
            require(set(names) == wanted, sorted(names), str(sorted(wanted)))


@promise("yield every sample once, in order, in the type that `infos` announces")
@in_event_loop
async def _no_sample_is_lost_repeated_or_changed(example: SourceExample) -> None:
    """No sample is lost, repeated or changed."""
    items = await example.everything()
    if example.expected is None:
        silent = {info.name for info in example.source.infos if info.sfreq}
        silent -= {chunk.info.name for chunk in chunks(items)}
        require(not silent, f"nothing of {sorted(silent)}", "samples of every regular stream")
        return
    for name, wanted in example.expected().items():
        got = [chunk.data for chunk in chunks(items) if chunk.info.name == name]
        require(bool(got), f"nothing of {name!r}", f"{len(wanted)} samples")
        assert_array_equal(np.concatenate(got), wanted, err_msg=f"{name}: x was got, y wanted")


@promise("make chunks with the very info that `infos` lists, its dtype, and at least one sample")
@in_event_loop
async def _items_are_of_the_streams_announced(example: SourceExample) -> None:
    """Items are of the streams announced, chunks have samples of the type announced."""
    items = await example.everything()
    infos = {info.name: info for info in example.source.infos}
    for item in items:
        if isinstance(item, Event | DeviceState):
            require(item.stream in {"", *infos}, item.stream, f"one of {sorted(infos)}, or ''")
        else:
            known = infos.get(item.info.name)
            require(item.info == known, item.info, f"{known}, as announced")
    for chunk in chunks(items):
        wanted = np.dtype(object if chunk.info.is_text else chunk.info.dtype)
        require(chunk.data.dtype == wanted, chunk.data.dtype, f"{wanted}, as announced")
        require(chunk.times.dtype == np.float64, chunk.times.dtype, "times in float64")
        require(chunk.n > 0, "a chunk without samples", "none: yield nothing instead")


@promise("make times rise with the sample, e.g. start + n / sfreq; never the moment of reading")
@in_event_loop
async def _times_never_fall(example: SourceExample) -> None:
    """Times of a stream are finite, never fall, and are not all the same."""
    items = await example.everything()
    for info in example.source.infos:
        found = [each.times for each in chunks(items) if each.info.name == info.name]
        times = np.concatenate(found) if found else np.empty(0)
        require(bool(np.isfinite(times).all()), times, f"finite times of {info.name!r}")
        steps = np.diff(times)
        require(bool((steps >= 0).all()), f"{info.name!r} steps {steps}", "times that never fall")
        if len(steps):
            require(bool(np.median(steps) > 0), f"{info.name!r} steps {steps}", "steps above 0")


@promise("yield a ClockOffset before the chunks whose times come from it, see core.clock.ClockFit")
@in_event_loop
async def _times_follow_from_clock_measurements(example: SourceExample) -> None:
    """Times follow from stamps by the clock measurements yielded before them."""
    items = await example.everything()
    fits = {info.name: ClockFit() for info in example.source.infos}
    for item in items:
        if isinstance(item, ClockOffset):
            fits[item.info.name].add(item.time, item.offset)
        elif isinstance(item, Chunk) and item.stamps is not None:
            fit = fits[item.info.name]
            measured = bool(np.isfinite(fit.updated))
            require(measured, "stamps before any measurement of their clock", "one before them")
            assert_array_equal(fit.to_session(item.stamps), item.times)


@promise("end the iteration in __aexit__, e.g. by a last None in its queue, and join your threads")
@in_event_loop
async def _closing_ends_the_iteration(example: SourceExample) -> None:
    """Closing ends the iteration of a waiting reader, and leaves no thread behind."""
    before, started = own_threads(), asyncio.Event()

    async def read() -> None:
        async for _ in example.source:
            started.set()

    async with example.source:
        reader = asyncio.create_task(read())
        await example.feed()
        await _within(_STARTS_S, started.wait(), "no item", "one")
    await _within(_ENDS_S, reader, "an iteration that goes on after closing", "its end")
    await leaves_no_thread_behind(before)


@promise("close everything in __aexit__, also when it is reached by a cancelled task")
@in_event_loop
async def _cancelling_the_reader_closes_everything(example: SourceExample) -> None:
    """Cancelling the task that reads closes everything."""
    before, started = own_threads(), asyncio.Event()

    async def read() -> None:
        async with example.source as source:
            await example.feed()
            async for _ in source:
                started.set()
            await asyncio.Event().wait()

    reader = asyncio.create_task(read())
    await _within(_STARTS_S, started.wait(), "no item", "one")
    reader.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await _within(
            _ENDS_S, reader, "a source that is still open after its task was cancelled", "its end"
        )
    require(
        reader.cancelled(), "a task that swallowed its cancellation", "CancelledError raised on"
    )
    await leaves_no_thread_behind(before)


@promise("raise StreamNotFound in __aenter__ with the name that was asked for and what to do")
@in_event_loop
async def what_is_absent_is_named(example: SourceExample) -> None:
    """A device that is not there is named when the source is entered."""
    before = own_threads()
    try:
        await example.source.__aenter__()
    except StreamNotFound as error:
        named = bool(str(error)) and example.asked in str(error)
        require(named, repr(str(error)), f"{example.asked!r} in the message, and what to do")
    else:
        require(False, "an open source", "StreamNotFound")
    await leaves_no_thread_behind(before)


async def _within(seconds: float, waited: Awaitable[Any], got: str, wanted: str) -> None:
    try:
        await asyncio.wait_for(waited, seconds)
    except TimeoutError:
        require(False, f"{got} within {seconds:g} s", wanted)


SOURCE_CHECKS: tuple[Check[SourceExample], ...] = (
    _streams_are_known_once_it_is_entered,
    _no_sample_is_lost_repeated_or_changed,
    _items_are_of_the_streams_announced,
    _times_never_fall,
    _times_follow_from_clock_measurements,
    _closing_ends_the_iteration,
    _cancelling_the_reader_closes_everything,
)
"""What `check_source` tries, in this order; the contract tests cross it with every source."""
