"""A data set of your own: list the people at once, load each as one recording in SI units.

Files s01.npz, s02.npz .. hold `eda` (microsiemens, 4 Hz) and `ratings` (of trials of 40 s, 1-9).
It is studied as DEAP is, `biosense study beeps --root FOLDER ..`, once the package is installed:
pyproject.toml names the class. Try it before: `biosense.testing.check_dataset("beeps")`.
"""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from biosense.core.errors import BadInput, DatasetDamaged, DatasetIncomplete
from biosense.core.recording import Rating, Recording, Trial
from biosense.core.types import Chunk, Modality, StreamInfo
from biosense.datasets.base import About
from biosense.datasets.registry import register_dataset

EDA, TRIAL_S = StreamInfo("eda", Modality.EDA, ("eda",), 4.0, "S"), 40.0
PEOPLE = [f"s{number:02}" for number in range(1, 13)]


@register_dataset("beeps")
class Beeps:
    about = About("beeps", "12 people", "You (2026)", "https://example.org/beeps", False, 12)

    def __init__(self, folder: Path) -> None:
        self._files = {path.stem: path for path in sorted(folder.glob("*.npz"))}
        self.subjects = [name for name in self._files if name in PEOPLE]
        if not self.subjects:
            raise DatasetIncomplete(f"no s01.npz, s02.npz .. in {folder}: see {self.about.access}")
        odd = sorted(set(PEOPLE) ^ set(self._files))
        self.missing = [f"{name}.npz is missing, or nobody's" for name in odd]
        self.subject_groups: dict[str, str] = {}  # who was recorded together
        self.stated_folds: dict[str, int] = {}  # the publishers' own split

    def files(self, subject: str) -> list[Path]:
        if subject not in self.subjects:
            raise BadInput(f"no person {subject!r}; there are: {', '.join(self.subjects)}")
        return [self._files[subject]]

    def load(self, subject: str) -> Recording:
        (path,) = self.files(subject)
        try:
            with path.open("rb") as raw, np.load(raw) as file:
                eda, ratings = 1e-6 * file["eda"], (file["ratings"] - 5) / 4
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise DatasetDamaged(f"{path.name} cannot be read: {error}") from error
        stream = Chunk.of(EDA, np.arange(len(eda)) / EDA.sfreq, eda)
        said = [Rating(TRIAL_S * (k + 1), *row) for k, row in enumerate(ratings)]
        trials = [Trial(r.time - TRIAL_S, r.time, f"beep {r.time:g}", rating=r) for r in said]
        return Recording((stream,), subject=subject, trials=tuple(trials))

    @staticmethod
    def fabricate(folder: Path, people: int, seed: int) -> None:
        for name, rng in zip(PEOPLE, np.random.default_rng(seed).spawn(people), strict=False):
            ratings = rng.uniform(1, 9, (4, 2))
            eda = 5 + ratings[:, 1].repeat(160) / 9 + 0.1 * rng.standard_normal(640)
            np.savez(folder / f"{name}.npz", eda=eda, ratings=ratings)
