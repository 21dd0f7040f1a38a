"""A data set that breaks a promise is told which, with what was got and wanted and what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biosense.core.errors import BadInput, DatasetDamaged
from biosense.core.recording import Rating, Recording
from biosense.core.types import Chunk
from biosense.datasets.base import DatasetKind
from biosense.datasets.registry import DATASETS
from biosense.testing.contract import ContractBroken
from biosense.testing.dataset_checks import check_dataset
from tests.support.examples import registered, template

Change = Callable[[Recording], Recording]
Sound: Any = template("own_dataset").Beeps


def read(self: Any, subject: str) -> Recording:
    """Load as the template does."""
    recording: Recording = Sound.load(self, subject)
    return recording


def changed(**changes: Any) -> type[Any]:
    """Return the template with some of its methods replaced."""
    return type("Changed", (Sound,), changes)


def loading(change: Change) -> type[Any]:
    def load(self: Any, subject: str) -> Recording:
        return change(read(self, subject))

    return changed(load=load)


def of_stream(change: Callable[[Chunk], Chunk]) -> type[Any]:
    return loading(lambda one: replace(one, streams=tuple(map(change, one.streams))))


def in_microsiemens(chunk: Chunk) -> Chunk:
    return replace(chunk, info=replace(chunk.info, unit="uS"))


def of_two(recording: Recording) -> Recording:
    first, second, *_ = recording.trials
    return replace(recording, trials=(second, first))


def as_given(recording: Recording) -> Recording:
    trials = [replace(trial, rating=Rating(trial.stop, 7.0, 3.0)) for trial in recording.trials]
    return replace(recording, trials=tuple(trials))


def keeping(self: Any, subject: str, kept: list[Any] = []) -> Recording:  # noqa: B006
    kept.append(np.zeros(1 << 20))
    return read(self, subject)


def by_first_listed(self: Any, subject: str) -> Recording:
    folder = self._files[self.subjects[0]].parent
    listed = next(folder.iterdir()).name
    return replace(read(self, subject), notes=(listed,))


def always_the_same(folder: Path, people: int, _: int) -> None:
    Sound.fabricate(folder, people, 0)


def careless(self: Any, folder: Path) -> None:
    Sound.__init__(self, folder)
    self.missing = ["ten people"]


noise = np.random.default_rng(1)
about = Sound.about

BROKEN: dict[str, tuple[type[Any], str]] = {
    "no link": (changed(about=replace(about, access="ask me")), "says what it is"),
    "units": (of_stream(in_microsiemens), "in SI units"),
    "times": (of_stream(lambda c: replace(c, times=c.times[::-1])), "times that rise"),
    "trials": (loading(of_two), "Trials follow each other"),
    "scale": (loading(as_given), r"valence and arousal in [-1, 1]"),
    "silent": (loading(lambda one: replace(one, trials=())), "got no trials"),
    "dice": (
        of_stream(lambda c: replace(c, data=c.data + noise.normal())),
        "Each load of a person gives the same",
    ),
    "order": (changed(load=by_first_listed), "order in which the system lists"),
    "keeps": (changed(load=keeping), "keeps nothing of what it has read"),
    "stray": (changed(__init__=careless), "A file that does not belong there"),
    "seed": (changed(fabricate=staticmethod(always_the_same)), "A seed fabricates the same"),
}


def test_a_sound_data_set_passes_by_name_and_by_class(tmp_path: Path) -> None:
    with registered("own_dataset"):
        check_dataset("beeps")
    assert "beeps" not in DATASETS
    Sound.fabricate(tmp_path, 2, 3)
    check_dataset(Sound, tmp_path)


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_promise_is_named(case: str) -> None:
    reader, promise = BROKEN[case]
    with pytest.raises(ContractBroken) as caught:
        check_dataset(reader)
    assert promise in str(caught.value)
    assert "data set 'beeps'" in str(caught.value)
    assert "What to do: " in str(caught.value)


def test_a_damaged_file_that_is_read_all_the_same_is_named() -> None:
    class Trusting(Sound):  # type: ignore[misc]
        def load(self, subject: str) -> Recording:
            try:
                recording: Recording = super().load(subject)
            except DatasetDamaged:
                recording = super().load(self.subjects[-1])
            return recording

    with pytest.raises(ContractBroken, match=r"from a damaged 's01.npz', wanted DatasetDamaged"):
        check_dataset(Trusting)


def test_without_files_and_miniature_there_is_nothing_to_try() -> None:
    with pytest.raises(BadInput, match="name its folder"):
        check_dataset(DatasetKind(about, Sound))


def test_what_is_no_data_set_is_refused_when_it_is_registered() -> None:
    with pytest.raises(BadInput, match="class attribute `about`"):
        DATASETS.register("odd", object())
