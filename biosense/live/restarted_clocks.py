"""Clocks that were measured before the run began: their times are computed anew by the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from biosense.core.clock import ClockFit
from biosense.core.types import Chunk, ClockOffset, Item


class RestartedClocks:
    """Give the samples of streams that were heard before the run the times that a reader computes.

    The fit inside such a source has mapped samples that are in no recording, and never lets times
    run backwards behind them. A fit that saw only what is recorded, fed in the order of the
    recording, is what `estimate` will have.

    Parameters
    ----------
    offsets
        The measurements from before the run by name of stream; they go into the recording first.

    Examples
    --------
    >>> from biosense.core import StreamInfo
    >>> info = StreamInfo("chest", None, ("ecg",), 130.0)
    >>> clocks = RestartedClocks({"chest": [ClockOffset(info, 100.0, 2.5)]})
    >>> sent = Chunk.of(info, [101.0], [[0.0]])
    >>> clocks.timed(replace(sent, stamps=sent.times)).times.tolist()
    [103.5]
    """

    def __init__(self, offsets: Mapping[str, Sequence[ClockOffset]]) -> None:
        self._fits: dict[str, ClockFit] = {}
        for name, measured in offsets.items():
            fit = self._fits[name] = ClockFit()
            for each in measured:
                fit.add(each.time, each.offset)

    def timed(self, item: Item) -> Item:
        """Return an item as the recording will have it."""
        if isinstance(item, ClockOffset) and item.info.name in self._fits:
            self._fits[item.info.name].add(item.time, item.offset)
        elif isinstance(item, Chunk) and item.stamps is not None:
            fit = self._fits.get(item.info.name)
            return item if fit is None else replace(item, times=fit.to_session(item.stamps))
        return item
