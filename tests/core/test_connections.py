"""Connections between pipelines: made from what stages declare, whoever comes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import pytest

from biosense.core import Modality, Pipeline, StreamInfo
from biosense.core.connections import Connection, Connections

BEATS = Connection("beats", Modality.ECG)


@dataclass
class Stage:
    def start(self, info: StreamInfo) -> StreamInfo:
        return info

    def push(self, item: Any) -> Sequence[Any]:
        return [item]

    def flush(self) -> Sequence[Any]:
        return []


@dataclass
class Finder(Stage):
    offers: str = "beats"
    found: list[float] = field(default_factory=list)

    def offered(self) -> Sequence[float]:
        found, self.found = self.found, []
        return found


@dataclass
class Taker(Stage):
    takes: Connection | None = BEATS
    taken: list[float] = field(default_factory=list)

    def take(self, items: Sequence[float]) -> None:
        self.taken += items


@pytest.mark.parametrize("order", list(permutations((Modality.ECG, Modality.PPG, Modality.RPPG))))
def test_all_who_take_get_all_that_is_offered_once_whoever_comes_first(
    order: Sequence[Modality],
) -> None:
    finder, takers = Finder(), {Modality.PPG: Taker(), Modality.RPPG: Taker()}
    connections = Connections()
    for modality in order:
        connections.add(modality, Pipeline(Stage(), takers.get(modality, finder), Stage()))
    for found in ([1.0, 2.0], [], [3.0]):
        finder.found = found
        connections.pass_on()
    assert [taker.taken for taker in takers.values()] == [[1.0, 2.0, 3.0]] * 2
    assert connections.sources == {Modality.ECG}


def test_what_nobody_takes_stays_with_its_finder() -> None:
    finder, taker = Finder(found=[1.0]), Taker()
    connections = Connections()
    connections.add(Modality.PPG, Pipeline(finder))
    connections.add(Modality.RPPG, Pipeline(taker))
    connections.add(Modality.EDA, Pipeline(Taker(takes=None)))
    connections.pass_on()
    assert (finder.found, taker.taken, connections.sources) == ([1.0], [], frozenset())
    connections.add(Modality.ECG, Pipeline(Finder("breaths", [1.0])))
    connections.pass_on()
    assert taker.taken == [], "it is offered under another name"


def test_a_pipeline_takes_the_place_of_the_one_before_it() -> None:
    before, after, taker = Finder(found=[1.0]), Finder(found=[2.0]), Taker()
    connections = Connections()
    connections.add(Modality.PPG, Pipeline(taker))
    connections.add(Modality.ECG, Pipeline(before))
    connections.add(Modality.ECG, Pipeline(after))
    connections.pass_on()
    assert (before.found, taker.taken) == ([1.0], [2.0])
