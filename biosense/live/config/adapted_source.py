"""A source as a preset wants it: channels chosen and renamed, unit stated, a fixed delay taken off.

All of it happens before the recorder, so that the recording holds what was processed: `estimate`
needs no preset.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self
from xml.etree import ElementTree

from biosense.acquisition.stream_xml import MIXED, parse_xml
from biosense.core.clock import ClockFit
from biosense.core.errors import BadInput
from biosense.core.source import Source
from biosense.core.types import Chunk, ClockOffset, Floats, Item, Modality, StreamInfo

log = logging.getLogger(__name__)

CHANGED = "changed"
"""Element below `<desc>` of a recorded stream that says, as JSON, what a preset changed of it."""

_MOST_DELAY_S = 10.0


@dataclass(frozen=True)
class StreamChange:
    """Say what is to be changed of a stream; nothing by default.

    Parameters
    ----------
    modality, unit
        In place of what the sender says; None leaves it.
    channels
        The channels to keep, by the sender's labels ("ch1", .. where it gives none), in this order;
        empty keeps all. The others are not recorded.
    rename
        New labels by the sender's.
    delay
        Seconds by which the sender's time stamps are late, subtracted from them: exposure of a
        camera, a filter in the device.

    Examples
    --------
    >>> StreamChange(delay=-60.0)
    Traceback (most recent call last):
    biosense.core.errors.BadInput: a delay of -60000 ms must be within 10000 ms of 0
    """

    modality: Modality | None = None
    unit: str | None = None
    channels: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0

    def __post_init__(self) -> None:
        if not abs(self.delay) <= _MOST_DELAY_S:
            most = _MOST_DELAY_S * 1000
            raise BadInput(f"a delay of {self.delay * 1000:g} ms must be within {most:g} ms of 0")


class AdaptedSource:
    """Bring the streams of another source, changed.

    Parameters
    ----------
    source
        Not yet entered.
    change
        Of each of its streams.
    delays
        Delays in seconds of single streams, by the end of their names ("ecg" of "Polar H10 ecg"),
        in place of that of `change`.

    Raises
    ------
    BadInput
        When entered: a channel or stream that the source does not have; the message says what it
        has.
    """

    def __init__(
        self, source: Source, change: StreamChange, delays: Mapping[str, float] | None = None
    ) -> None:
        self._source = source
        self._change = change
        self._delays = dict(delays or {})
        self._streams: dict[str, _AdaptedStream] = {}

    @property
    def infos(self) -> tuple[StreamInfo, ...]:
        """The streams as they are after the change; known once the source is entered."""
        return tuple(self._streams[info.name].info for info in self._source.infos)

    async def __aenter__(self) -> Self:
        """Open the source, and look whether the change fits it."""
        await self._source.__aenter__()
        try:
            self._streams = {info.name: self._adapted(info) for info in self._source.infos}
            self._check_delays()
        except BadInput as error:
            await self._source.__aexit__(type(error), error, error.__traceback__)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the source."""
        await self._source.__aexit__(kind, error, traceback)

    async def __aiter__(self) -> AsyncIterator[Item]:
        """Yield the items of the source, changed."""
        async for item in self._source:
            if isinstance(item, Chunk | ClockOffset):
                yield self._streams[item.info.name].changed(item)
            else:
                yield item

    def _adapted(self, info: StreamInfo) -> _AdaptedStream:
        delays = [value for key, value in self._delays.items() if _is_called(info, key)]
        delay = delays[0] if delays else self._change.delay
        return _AdaptedStream(info, replace(self._change, delay=delay))

    def _check_delays(self) -> None:
        infos = self._source.infos
        for key in self._delays:
            if not any(_is_called(info, key) for info in infos):
                names = ", ".join(repr(info.name) for info in infos)
                raise BadInput(f"delay_ms names {key!r}, but no stream ends so; there are: {names}")


class _AdaptedStream:
    """One stream: what becomes of its description, its samples and its clock."""

    def __init__(self, sent: StreamInfo, change: StreamChange) -> None:
        self._delay = change.delay
        self._fit = ClockFit()
        self._columns = _columns(sent, change)
        self.info = _changed_info(sent, change, self._columns)

    def changed(self, item: Chunk | ClockOffset) -> Chunk | ClockOffset:
        if isinstance(item, ClockOffset):
            # Recorded like this, the delay is taken off by every reader of the file, and the
            # sender's stamps stay as they were sent.
            item = replace(item, info=self.info, offset=item.offset - self._delay)
            self._fit.add(item.time, item.offset)
            return item
        data = item.data if self._columns is None else item.data[:, self._columns]
        return replace(item, info=self.info, data=data, times=self._times(item))

    def _times(self, item: Chunk) -> Floats:
        if self._delay == 0.0:
            return item.times
        if item.stamps is None:
            return item.times - self._delay
        return self._fit.to_session(item.stamps)  # as the reader will: to the bit


def _columns(sent: StreamInfo, change: StreamChange) -> list[int] | None:
    """Return the positions of the channels to keep; None for all as they are."""
    for label in (*change.channels, *change.rename):
        if label not in sent.channels:
            there = ", ".join(sent.channels)
            raise BadInput(f"stream {sent.name!r} has no channel {label!r}; it has: {there}")
    return [sent.channels.index(label) for label in change.channels] or None


def _changed_info(sent: StreamInfo, change: StreamChange, columns: list[int] | None) -> StreamInfo:
    labels = sent.channels if columns is None else tuple(sent.channels[at] for at in columns)
    renamed = tuple(change.rename.get(label, label) for label in labels)
    if len(set(renamed)) < len(renamed):
        raise BadInput(f"channels of {sent.name!r} would share a name: {', '.join(renamed)}")
    described = parse_xml(sent.description) if sent.description else ElementTree.Element("desc")
    unit = sent.unit if columns is None else _select(described, columns, sent.unit)
    notes, description = _notes(sent, change), sent.description
    if notes:
        log.info("stream %r is changed by the preset: %s", sent.name, notes)
        ElementTree.SubElement(described, CHANGED).text = json.dumps(notes)
        description = ElementTree.tostring(described, encoding="unicode")
    return replace(
        sent,
        channels=renamed,
        modality=change.modality or sent.modality,
        unit=unit if change.unit is None else change.unit,
        description=description,
    )


def _select(described: ElementTree.Element, columns: list[int], unit: str) -> str:
    """Keep the descriptions of these channels only, and return their unit."""
    channels = described.find("channels")
    known = [] if channels is None else channels.findall("channel")
    if channels is None or len(known) <= max(columns):
        return unit
    kept = [known[at] for at in columns]
    for channel in known:
        channels.remove(channel)
    channels.extend(kept)
    units = {channel.findtext("unit") or "" for channel in kept}
    return MIXED if len(units) > 1 else units.pop()


def _notes(sent: StreamInfo, change: StreamChange) -> dict[str, object]:
    """Return what is changed, beside what was sent."""
    notes: dict[str, object] = {}
    if change.delay:
        notes["delay_subtracted_s"] = change.delay
    if change.unit is not None and change.unit != sent.unit:
        notes["unit_sent"] = sent.unit
    if change.modality not in (None, sent.modality):
        notes["modality_sent"] = sent.modality
    if change.channels:
        notes["channels_sent"] = sent.channels
    if change.rename:
        notes["renamed"] = dict(change.rename)
    return notes


def _is_called(info: StreamInfo, key: str) -> bool:
    return info.name == key or info.name.endswith((f"-{key}", f" {key}"))
