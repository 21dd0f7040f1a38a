"""Copies of a miniature of DEAP that tests may change."""

from __future__ import annotations

import csv
import pickle
import shutil
from pathlib import Path

import numpy as np

from biosense.datasets.deap.fabricate import python2_pickle
from biosense.datasets.deap.files import RATINGS


def copy_of_s03(made: Path, folder: Path) -> Path:
    """Return a folder with the smallest participant and the table of ratings."""
    (folder / "data_preprocessed_python").mkdir(parents=True)
    shutil.copy(made / RATINGS, folder)
    shutil.copy(dat(made, "s03"), dat(folder, "s03"))
    return folder


def dat(folder: Path, subject: str) -> Path:
    return folder / "data_preprocessed_python" / f"{subject}.dat"


def arrays(folder: Path, subject: str) -> dict[str, np.ndarray]:
    return dict(pickle.loads(dat(folder, subject).read_bytes(), encoding="latin1"))


def rewrite(folder: Path, subject: str, **changed: np.ndarray) -> None:
    dat(folder, subject).write_bytes(python2_pickle({**arrays(folder, subject), **changed}))


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / RATINGS).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_table(folder: Path, rows: list[dict[str, str]]) -> None:
    with (folder / RATINGS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
