"""Connections between the pipelines of one run: declared by stages, made by whoever runs them.

A stage may offer what it finds beside its results (the R peaks of an ECG), and take what the
pipeline of another modality offers (a pulse wave takes R peaks, for the time that it needs from
there). Both are said by the stage itself, so that a run connects stages whose classes it does not
know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from biosense.core.stage import Pipeline
from biosense.core.types import Modality


@dataclass(frozen=True)
class Connection:
    """Say what a stage takes from the pipeline of another stream.

    Parameters
    ----------
    what
        Name under which it is offered, such as "beats".
    source
        Modality of the stream whose pipeline offers it.
    """

    what: str
    source: Modality


@runtime_checkable
class Offers(Protocol):
    """A stage that finds something which stages of other streams may take."""

    @property
    def offers(self) -> str:
        """Name of what it offers."""
        ...

    def offered(self) -> Sequence[Any]:
        """Return what was found since the last call, in order of time."""
        ...


@runtime_checkable
class Takes(Protocol):
    """A stage that takes what a stage of another stream found; without it, it does what it can."""

    @property
    def takes(self) -> Connection | None:
        """What it takes and from whom; None for nothing."""
        ...

    def take(self, items: Sequence[Any]) -> None:
        """Take what the other stage found since the last call, in order of time."""
        ...


class Connections:
    """Pass on what the pipelines of a run offer and take, one pipeline a modality.

    What passes depends on the order of items alone: all that was found by an item is passed on
    before the next item is processed, live and offline.

    Attributes
    ----------
    sources
        Modalities from whose pipelines others take something now.

    Examples
    --------
    >>> class Electrodes:
    ...     offers = "beats"
    ...     def offered(self):
    ...         return [0.8, 1.6]
    >>> class PulseWave:
    ...     takes = Connection("beats", Modality.ECG)
    ...     def take(self, items):
    ...         print(items)
    >>> connections = Connections()
    >>> connections.add(Modality.PPG, Pipeline(PulseWave()))
    >>> connections.add(Modality.ECG, Pipeline(Electrodes()))
    >>> connections.pass_on()
    [0.8, 1.6]
    """

    def __init__(self) -> None:
        self._pipelines: dict[Modality, Pipeline] = {}
        self._links: list[tuple[Offers, list[Takes]]] = []
        self.sources: frozenset[Modality] = frozenset()

    def add(self, modality: Modality, pipeline: Pipeline) -> None:
        """Connect the pipeline of a modality, in the place of the one that it had."""
        self._pipelines[modality] = pipeline
        found: dict[Connection, list[Takes]] = {}
        for stage in (stage for each in self._pipelines.values() for stage in each.stages):
            if isinstance(stage, Takes) and stage.takes is not None:
                found.setdefault(stage.takes, []).append(stage)
        made = [(want, source) for want in found for source in self._offering(want)]
        self._links = [(source, found[want]) for want, source in made]
        self.sources = frozenset(want.source for want, _ in made)

    def pass_on(self) -> None:
        """Hand over what was found since the last call."""
        for source, takers in self._links:
            items = source.offered()
            for taker in takers:
                taker.take(items)

    def _offering(self, want: Connection) -> list[Offers]:
        pipeline = self._pipelines.get(want.source, Pipeline())
        return [s for s in pipeline.stages if isinstance(s, Offers) and s.offers == want.what]
