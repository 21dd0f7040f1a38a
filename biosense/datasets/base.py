"""What a data set is: people who were recorded, listed at once and read one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from biosense.core.errors import BadInput
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
        (folder, number of people, seed). Its signals and labels are made up. None where there is
        no such function.
    """

    about: About
    open: Callable[[Path], Dataset]
    fabricate: Callable[[Path, int, int], None] | None = None

    def miniature(self, folder: Path, people: int, seed: int) -> Dataset:
        """Fabricate a miniature in an empty folder, and open it.

        Raises
        ------
        BadInput
            Nobody has written down how.
        """
        if self.fabricate is None:
            raise BadInput(
                f"no miniature of data set {self.about.name!r} can be made up: name the folder "
                f"with its files ({self.about.access})"
            )
        self.fabricate(folder, people, seed)
        return self.open(folder)


def as_kind(part: Any) -> DatasetKind:
    """Return the `DatasetKind` of what a plug-in or a user hands in.

    Parameters
    ----------
    part
        A `DatasetKind`; or a class that takes the folder, with an `About` as the class attribute
        `about`, and a static method `fabricate` if a miniature can be made.

    Returns
    -------
    DatasetKind

    Raises
    ------
    BadInput
        It is neither.
    """
    if isinstance(part, DatasetKind):
        return part
    about = getattr(part, "about", None)
    if not callable(part) or not isinstance(about, About):
        raise BadInput(
            f"got {part!r} as a data set, wanted a class that takes its folder and has an `About` "
            "as class attribute `about` (or a DatasetKind)"
        )
    return DatasetKind(about, part, getattr(part, "fabricate", None))
