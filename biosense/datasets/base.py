"""What a data set is: people who were recorded, listed at once and read one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from biosense.core.recording import Recording


@dataclass(frozen=True)
class About:
    """Say what a data set is and how to come by it.

    Parameters
    ----------
    name
        Its key in `DATASETS`.
    title
        In a line.
    citation
        What to cite.
    access
        Where it is given out and on which terms, and which files are needed.
    continuous
        Whether valence and arousal were rated continuously; otherwise once per trial.
    people
        How many there are in the complete set.
    """

    name: str
    title: str
    citation: str
    access: str
    continuous: bool
    people: int


class Dataset(Protocol):
    """A data set on disk.

    Opening it lists what is there and raises `DatasetIncomplete` where nothing of it can be used.
    Listings are sorted, unknown files are refused, and everything is joined by identifier.
    """

    @property
    def about(self) -> About:
        """What it is."""
        ...

    @property
    def subjects(self) -> Sequence[str]:
        """Who can be loaded, sorted."""
        ...

    @property
    def missing(self) -> Sequence[str]:
        """What the complete set has and this copy has not, one line each."""
        ...

    @property
    def subject_groups(self) -> Mapping[str, str]:
        """People who must stay on one side of a split, with the name of their group; others lack.

        They were recorded together, for instance, so that what moved one moved the others.
        """
        return {}

    @property
    def stated_folds(self) -> Mapping[str, int]:
        """Fold of each person where the publishers, or a challenge, gave one; else empty."""
        return {}

    def files(self, subject: str) -> Sequence[Path]:
        """Return what `load` reads, for keys of caches."""
        ...

    def load(self, subject: str) -> Recording:
        """Read all that was recorded of one person, as one recording.

        Trials follow each other in the order in which they were shown, where that is known, with
        gaps between them. What had to be left out is told by `Recording.notes`.

        Raises
        ------
        DatasetDamaged
            A file is truncated, misshapen, hostile or not what its name says.
        """
        ...


@dataclass(frozen=True)
class DatasetKind:
    """Hold how a data set is opened and how a miniature of it is made.

    Parameters
    ----------
    about
        What it is.
    open
        Takes the folder with the data set and returns a `Dataset`.
    fabricate
        Writes a miniature with the layout and every quirk of the real files into an empty folder:
        (folder, number of people, seed). Its signals and labels are made up.
    """

    about: About
    open: Callable[[Path], Dataset]
    fabricate: Callable[[Path, int, int], None]
