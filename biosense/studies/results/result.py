"""What a study found, as values: to JSON and back, and all that a report is made of."""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from biosense.core.errors import BadInput
from biosense.studies.bounds import Bounds as Bounds
from biosense.studies.results.calibration_result import CalibrationTrack
from biosense.studies.scoring.scores import jsonable

FORMAT = 1
Values = Mapping[str, Mapping[str, float | None]]
"""Numbers by target and name; None where there is nothing to score."""


@dataclass(frozen=True)
class Row:
    """Hold the scores of one entry.

    Parameters
    ----------
    name, kind, about, modalities
        As in the plan.
    metrics
        Means over seeds. "ccc", "pearson", "rmse" and "mae" are on the level of the study.
    intervals
        Of some of them.
    spread
        Standard deviation of the headline score over seeds, by target.
    controls
        What each control reaches on the same sequences.
    """

    name: str
    kind: str
    about: str
    modalities: tuple[str, ...]
    seeds: tuple[int, ...]
    metrics: Values
    intervals: Mapping[str, Mapping[str, Bounds]]
    spread: Mapping[str, float | None]
    controls: Mapping[str, Values] = field(default_factory=dict)


@dataclass(frozen=True)
class Compared:
    """Hold the chosen entry's headline score minus that of another, paired by person.

    `p` is that of the sign-flip permutation, `p_holm` adjusted for all comparisons of the study;
    `beats` says that the interval excludes no difference.
    """

    against: str
    kind: str
    target: str
    difference: Bounds
    p: float | None
    p_holm: float | None
    beats: bool


@dataclass(frozen=True)
class Verdict:
    """Hold a sentence and whether it is good news: "good", "bad" or "plain"."""

    tone: str
    text: str


@dataclass(frozen=True)
class SubsetScore:
    """Hold what a subset of the modalities reaches; `refit` where it was fitted anew."""

    modalities: tuple[str, ...]
    refit: bool
    scores: Mapping[str, Bounds]


@dataclass(frozen=True)
class Damage:
    """Hold what a failing modality does to a family: its score then, and the change."""

    family: str
    variant: str
    scores: Mapping[str, Bounds]
    changes: Mapping[str, Bounds]


@dataclass(frozen=True)
class Person:
    """Hold one person's headline scores, by target and entry."""

    subject: str
    sequences: int
    scores: Values


@dataclass(frozen=True)
class Curve:
    """Hold what was said of one sequence beside what the person said; columns are the targets."""

    subject: str
    stimulus: str
    why: str
    time: tuple[float, ...]
    target: Mapping[str, tuple[float | None, ...]]
    mean: Mapping[str, tuple[float | None, ...]]
    sd: Mapping[str, tuple[float | None, ...]]


@dataclass(frozen=True)
class Point:
    """Hold the means of one sequence: what the person said, and what the chosen entry said."""

    subject: str
    target: tuple[float | None, float | None]
    mean: tuple[float | None, float | None]


@dataclass(frozen=True)
class Reliability:
    """Hold how often the chosen entry's intervals of a level held the target: of all, of the worst.

    `below` is the share of people whom the intervals of this level failed by more than 0.1.
    """

    target: str
    level: float
    pooled: float | None
    worst: float | None
    below: float | None
    width: float | None


@dataclass(frozen=True)
class Chance:
    """Hold the chosen entry's score beside that of labels shifted in time."""

    target: str
    value: float | None
    limit: float | None
    p: float | None


@dataclass(frozen=True)
class FoldSize:
    """Hold how many sequences, and of how many people, a fold has on each side."""

    name: str
    train: int
    validation: int
    test: int
    train_people: int
    test_people: int


@dataclass(frozen=True)
class Origin:
    """Hold what a result rests on, and how it is made again."""

    command: str
    versions: Mapping[str, str]
    fingerprints: Mapping[str, str]
    split: str
    training: str
    seconds: float


@dataclass(frozen=True)
class StudyResult:
    """Hold everything that a study found.

    `level` is "sequence" (scores follow the time course within each sequence) or "trial" (one
    rating each; scores follow the trials); `metric` names the headline score in `METRICS`.
    `calibration` is a track of its own: no other score of a model rests on labels of test people.
    """

    dataset: str
    title: str
    fabricated: bool
    protocol: str
    protocol_level: str
    question: str
    level: str
    metric: str
    chosen: str
    people: int
    sequences: int
    hours: float
    features: Mapping[str, int]
    seeds: tuple[int, ...]
    folds: tuple[FoldSize, ...]
    verdicts: tuple[Verdict, ...]
    results: tuple[Row, ...]
    comparisons: tuple[Compared, ...]
    subsets: tuple[SubsetScore, ...]
    robustness: tuple[Damage, ...]
    table: tuple[Person, ...]
    curves: tuple[Curve, ...]
    plane: tuple[Point, ...]
    reliability: tuple[Reliability, ...]
    chance: tuple[Chance, ...]
    origin: Origin
    notes: tuple[str, ...] = ()
    calibration: CalibrationTrack | None = None
    format: int = FORMAT

    def row(self, name: str) -> Row:
        """Return the row of an entry."""
        for row in self.results:
            if row.name == name:
                return row
        raise BadInput(f"no result {name!r}; there are: {[row.name for row in self.results]}")

    def as_dict(self) -> dict[str, Any]:
        """Return everything by name, as JSON wants it."""
        plain: dict[str, Any] = jsonable(asdict(self))
        return plain

    def write(self, path: Path) -> None:
        """Write as JSON."""
        text = json.dumps(self.as_dict(), indent=1, allow_nan=False)
        path.write_text(text + "\n", encoding="utf-8")


def read_result(path: Path) -> StudyResult:
    """Read what `StudyResult.write` wrote.

    Raises
    ------
    BadInput
        It is no result, or one of another version.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if said["format"] != FORMAT:
            raise BadInput(f"{path} has format {said['format']}, this version reads {FORMAT}")
        result: StudyResult = _decoded(StudyResult, said)
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{path} is not the result of a study: {error!r}") from error
    return result


def _decoded(kind: Any, value: Any) -> Any:
    """Return a JSON value as a dataclass, mapping, tuple or plain value."""
    origin, inside = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return kind(**{name: _decoded(hints[name], item) for name, item in value.items()})
    if origin in (Union, types.UnionType):
        (kind,) = (each for each in inside if each is not type(None))
        return None if value is None else _decoded(kind, value)
    if origin is tuple:
        kinds = inside[:1] * len(value) if inside[-1] is Ellipsis else inside
        return tuple(_decoded(each, item) for each, item in zip(kinds, value, strict=True))
    if origin is Mapping:
        return {name: _decoded(inside[1], item) for name, item in value.items()}
    return kind(value) if kind is float else value
