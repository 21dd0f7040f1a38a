"""The stage contract and the pipeline: the one code path for live and offline processing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Protocol, TypeVar, runtime_checkable

from biosense.core.types import StreamInfo

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)

_TOGETHER = 16  # items that pass the stages together: what one hands to the next is still in cache


class Stage(Protocol[In, Out]):
    """Turn items into items, the same however the stream is cut.

    However a stream is cut into chunks (also empty ones), the results of `push` plus `flush` equal
    those of one push of the whole stream. State starts from the first sample, positions are integer
    counters, waiting is measured in stream time, inputs are never written to, and a gap resets
    filters.

    Stages are dataclasses: parameters are fields, state is made in `start`. Their `repr` names
    every parameter, which is what the fingerprint of a pipeline is made of.
    """

    def start(self, info: StreamInfo) -> StreamInfo:
        """Validate the stream, forget everything, describe the output."""
        ...

    def push(self, item: In) -> Sequence[Out]:
        """Take one item and return what became known by it."""
        ...

    def flush(self) -> Sequence[Out]:
        """Return what is left at the end of the stream."""
        ...


@runtime_checkable
class ManyAtOnce(Protocol):
    """A stage that is much faster when it takes what is there at once; results are the same."""

    def push_all(self, items: Sequence[Any]) -> Sequence[Any]:
        """Return what `push` would return for one item after the other."""
        ...


@runtime_checkable
class FollowsTime(Protocol):
    """A stage whose stream is silent for a while now and then: others tell it that time passes."""

    @property
    def follows_time(self) -> bool:
        """True where time alone can bring something."""
        ...

    def advance(self, time: float) -> Sequence[Any]:
        """Return what is known by session time `time`, seconds, without another item."""
        ...


class Pipeline:
    """Chain stages; a pipeline is itself a stage.

    Examples
    --------
    >>> pipeline = Pipeline()
    >>> pipeline.push(1)
    [1]
    """

    def __init__(self, *stages: Stage[Any, Any]) -> None:
        self.stages = stages

    def __repr__(self) -> str:
        return f"Pipeline({', '.join(map(repr, self.stages))})"

    @property
    def fingerprint(self) -> str:
        """Hash of every stage and parameter: equal pipelines give equal features."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]

    def start(self, info: StreamInfo) -> StreamInfo:
        """Start every stage with the output of the one before."""
        for stage in self.stages:
            info = stage.start(info)
        return info

    def push(self, item: Any) -> list[Any]:
        """Pass an item through all stages."""
        return self._through([item], 0)

    def flush(self) -> list[Any]:
        """Empty the stages in order, each through the ones behind it."""
        left: list[Any] = []
        for stage in self.stages:
            left = self._push_all(stage, left)
            left.extend(stage.flush())
        return left

    @property
    def follows_time(self) -> bool:
        """True where a stage can go on without items of its own, see `advance`."""
        return any(isinstance(s, FollowsTime) and s.follows_time for s in self.stages)

    def advance(self, time: float) -> list[Any]:
        """Tell the stages that `FollowsTime` that session time is `time`; return what it brings."""
        results: list[Any] = []
        for stage in self.stages:
            results = self._push_all(stage, results)
            if isinstance(stage, FollowsTime):
                results.extend(stage.advance(time))
        return results

    def run(self, items: Iterable[Any], info: StreamInfo) -> list[Any]:
        """Process a whole stream: start, push every item, flush."""
        self.start(info)
        results = [result for item in items for result in self.push(item)]
        results.extend(self.flush())
        return results

    def _through(self, items: list[Any], first: int) -> list[Any]:
        for number in range(first, len(self.stages)):
            if len(items) > _TOGETHER:
                starts = range(0, len(items), _TOGETHER)
                parts = [self._through(items[at : at + _TOGETHER], number) for at in starts]
                return list(chain.from_iterable(parts))
            if not items:
                return items
            items = self._push_all(self.stages[number], items)
        return items

    @staticmethod
    def _push_all(stage: Stage[Any, Any], items: list[Any]) -> list[Any]:
        # As `isinstance(stage, ManyAtOnce)`, which takes longer than many a stage.
        at_once = getattr(stage, "push_all", None)
        if at_once is not None:
            return list(at_once(items)) if items else []
        return [result for item in items for result in stage.push(item)]
