"""Which data set a study reads: a folder or a fabricated miniature, and where features are kept."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from biosense.core.errors import BadInput
from biosense.datasets.base import Dataset
from biosense.datasets.opening import MINIATURE_PEOPLE
from biosense.datasets.registry import DATASETS
from biosense.studies.base import StudyData
from biosense.studies.executor import Executor
from biosense.studies.features.cache import FeatureCache, default_folder
from biosense.studies.features.extract import ExtractSettings
from biosense.studies.features.load import LoadSettings, load_study

FABRICATED = "FABRICATED DATA: made up to try the program. No number says anything about people."


@dataclass(frozen=True)
class DataSource:
    """Say which data set is read, and how its features come about.

    Parameters
    ----------
    dataset
        A key of `DATASETS`.
    root
        Folder with its files; None only where `fabricate` is set.
    fabricate
        Make up a miniature and read that.
    people
        So many people only, the first; how many are made up (6).
    cache
        Folder where features are kept; None: the user's, and nowhere where data are made up.
    keep
        False keeps no features, and uses none.
    extract
        What changes the features.

    Raises
    ------
    BadInput
        The data set is unknown, or there is no folder, or one for made-up data.
    """

    dataset: str
    root: Path | None = None
    fabricate: bool = False
    people: int | None = None
    cache: Path | None = None
    keep: bool = True
    extract: ExtractSettings = field(default_factory=ExtractSettings)

    def __post_init__(self) -> None:
        kind = DATASETS[self.dataset]
        if self.people is not None and self.people < 1:
            raise BadInput(f"people={self.people} must be at least 1")
        if self.fabricate and self.root is not None:
            raise BadInput(f"a miniature has its own files: leave out the folder {self.root}")
        if not self.fabricate and self.root is None:
            raise BadInput(
                f"no folder with the files of {self.dataset!r} was named: {kind.about.access} "
                "(a fabricated miniature tries the program without them)"
            )

    @contextmanager
    def open(self) -> Iterator[Dataset]:
        """Open the data set; a made-up miniature is gone afterwards.

        Yields
        ------
        Dataset
            Its listing; people are read one by one.

        Raises
        ------
        DatasetIncomplete
            Nothing in the folder can be used.
        """
        kind = DATASETS[self.dataset]
        if self.root is not None:
            yield kind.open(self.root)
            return
        with tempfile.TemporaryDirectory(prefix="biosense-") as folder:
            yield kind.miniature(Path(folder), self.people or MINIATURE_PEOPLE, 0)

    def load(
        self, dataset: Dataset, executor: Executor, log: Callable[[str], None] = lambda _: None
    ) -> StudyData:
        """Compute the features of everybody, or find them again.

        Parameters
        ----------
        dataset
            As `open` gave it.
        executor
            Where people are extracted, one job each.
        log
            Told a line about everything that takes time.

        Returns
        -------
        StudyData
            One sequence for each trial.
        """
        people = tuple(dataset.subjects[: self.people]) if self.people else ()
        settings = LoadSettings(self.extract, self._cache(), executor, people)
        return load_study(dataset, settings, log=log)

    def _cache(self) -> FeatureCache | None:
        # What was made up is not worth keeping, unless somebody asks for it.
        if not self.keep or (self.fabricate and self.cache is None):
            return None
        return FeatureCache(self.cache or default_folder())
