"""Open a data set by name, or a fabricated miniature of it."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path

from biosense.core.errors import BadInput
from biosense.datasets.base import Dataset
from biosense.datasets.registry import DATASETS

MINIATURE_PEOPLE = 6  # enough for folds, few enough to wait for


def names() -> dict[str, str]:
    """Return the data sets that can be read by name, with their titles.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> import biosense as bs
    >>> "deap" in bs.datasets.names()
    True
    """
    return {name: DATASETS[name].about.title for name in DATASETS}


def open(
    name: str,
    path: str | Path | None = None,
    *,
    fabricate: bool = False,
    people: int = MINIATURE_PEOPLE,
) -> Dataset:
    """Open a data set: people are listed at once, and read one by one.

    Parameters
    ----------
    name
        One of `names`.
    path
        The folder with its files, as they are given out.
    fabricate
        Make up a miniature with the layout of the real files: its signals and labels are made up.
    people
        How many are made up.

    Returns
    -------
    Dataset
        `subjects`, `missing`, and `load(subject)`, which gives a recording with trials.

    Raises
    ------
    BadInput
        If there is no such data set, or neither a path nor `fabricate` is given.
    DatasetIncomplete
        If nothing in the folder can be used: the message says where the files are to be had.

    Examples
    --------
    >>> import biosense as bs
    >>> deap = bs.datasets.open("deap", fabricate=True, people=1)
    >>> deap.subjects, len(deap.load("s01").trials) > 0
    (('s01',), True)
    """
    kind = DATASETS[name]
    if fabricate == (path is not None):
        wanted = f"either the folder with its files ({kind.about.access}) or fabricate=True"
        raise BadInput(f"{name!r} needs {wanted}")
    if path is not None:
        return kind.open(Path(path))
    if kind.fabricate is None:
        raise BadInput(f"{name!r} has no miniature: name the folder with its files")
    folder = Path(tempfile.mkdtemp(prefix="biosense-"))
    kind.fabricate(folder, people, 0)
    dataset = kind.open(folder)
    weakref.finalize(dataset, shutil.rmtree, folder, ignore_errors=True)
    return dataset
