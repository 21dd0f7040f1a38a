"""What a result is made of, as values: rows, comparisons, people, curves, origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from biosense.studies.base import Bounds, Values


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
