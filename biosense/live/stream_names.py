"""Names of the streams within a run: each its own, whatever their senders call them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from biosense.core.device_state import DeviceState
from biosense.core.own_streams import OWN_PREFIX
from biosense.core.source import Source
from biosense.core.types import Event, Item, StreamInfo


class StreamNames:
    """Give every stream a name of its own: the second `ECG` becomes `ECG (2)`.

    Names of streams that a run writes itself count as taken.

    Parameters
    ----------
    sources
        Entered, so that their streams are known.
    """

    def __init__(self, sources: Iterable[Source]) -> None:
        self._own: dict[tuple[int, str], StreamInfo] = {}
        taken: set[str] = set()
        for source in sources:
            for info in source.infos:
                name = _free(info.name, taken)
                taken.add(name)
                own = info if name == info.name else replace(info, name=name)
                self._own[id(source), info.name] = own

    @property
    def infos(self) -> list[StreamInfo]:
        """All streams under their names within the run."""
        return list(self._own.values())

    def of(self, source: Source) -> list[StreamInfo]:
        """Return the streams of one source; none of a source that was not there."""
        return [info for (owner, _), info in self._own.items() if owner == id(source)]

    def renamed(self, source: Source, item: Item) -> Item:
        """Return an item of a source under the name of its stream within the run."""
        if isinstance(item, Event | DeviceState):
            known = self._own.get((id(source), item.stream))
            return replace(item, stream=known.name) if known else item
        own = self._own[id(source), item.info.name]
        return item if own == item.info else replace(item, info=own)


def _free(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate in taken or (number == 1 and name.startswith(OWN_PREFIX)):
        number += 1
        candidate = f"{name} ({number})"
    return candidate
