"""The tables of CASE's official release, read in blocks and checked against each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from biosense.core.errors import DatasetDamaged
from biosense.core.types import Floats, Ints
from biosense.datasets.folder_listing import check_size

VIDEOS = tuple(range(1, 9))
START, BLANK, END = 10, 11, 12
"""What is no stimulus: the film at the start, the blank screen before each video, the end."""
TIMES = {"physiological": "daqtime", "annotations": "jstime"}
_MOST_BYTES = 2**30
_BLOCK = 200_000  # rows; bounds memory
_APART_S = 1.0  # the two tables of a person run on one clock and end together


@dataclass(frozen=True)
class Run:
    """Hold where something was on the screen.

    Parameters
    ----------
    video
        Its number.
    start, stop
        Session time, seconds.
    first
        Its first row of the table.
    """

    video: int
    start: float
    stop: float
    first: int


@dataclass(frozen=True, eq=False)
class Table:
    """Hold one table.

    Parameters
    ----------
    path
        The file.
    times
        Seconds, shape (n,).
    values
        Columns that were asked for, shape (n, columns).
    video
        What was shown, shape (n,).
    """

    path: Path
    times: Floats
    values: NDArray[np.float32]
    video: Ints

    def runs(self) -> list[Run]:
        """Return what was shown, in order; each video once.

        Raises
        ------
        DatasetDamaged
            A video is unknown, missing, or was shown twice; the start or end is missing.
        """
        edges = [0, *(np.flatnonzero(np.diff(self.video)) + 1).tolist(), len(self.video)]
        step = float(np.median(np.diff(self.times)))
        runs = [
            Run(
                int(self.video[first]),
                float(self.times[first]),
                float(self.times[stop - 1]) + step,
                first,
            )
            for first, stop in pairwise(edges)
        ]
        shown = [run.video for run in runs if run.video not in (START, BLANK, END)]
        if sorted(shown) != list(VIDEOS) or runs[-1].video != END:
            raise DatasetDamaged(
                f"{self.path} shows {[run.video for run in runs]}, wanted each of {VIDEOS} once "
                f"and {END} at the end: it is cut short or no table of CASE"
            )
        return runs


def read_table(path: Path, time: str, columns: Sequence[str]) -> Table:
    """Read some columns of a table, by their names.

    Parameters
    ----------
    path
        The file.
    time
        Name of the column of times, milliseconds.
    columns
        Names of those wanted.

    Returns
    -------
    Table

    Raises
    ------
    DatasetDamaged
        It is no such table, a number is missing, or its times do not rise.
    """
    check_size(path, _MOST_BYTES)
    try:
        blocks = list(_blocks(path, (time, "video", *columns)))
    except DatasetDamaged:
        raise
    except ValueError as error:
        raise DatasetDamaged(f"{path} is no table of numbers: {error}") from error
    if sum(len(times) for times, _, _ in blocks) < 2:
        raise DatasetDamaged(f"{path} has fewer than 2 rows")
    times, video, values = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    if not (np.diff(times) > 0).all():
        raise DatasetDamaged(f"{path}: the times in {time!r} do not rise")
    return Table(path, times, values.astype(np.float32, copy=False), video.astype(np.int64))


def _blocks(
    path: Path, wanted: Sequence[str]
) -> Iterator[tuple[Floats, Floats, NDArray[np.float32]]]:
    """Return times in seconds, what was shown, and the other columns, some rows at a time."""
    with path.open(encoding="utf-8") as file:
        names = [name.strip().strip('"') for name in file.readline().split(",")]
        if missing := [name for name in wanted if name not in names]:
            raise DatasetDamaged(f"{path} lacks the columns {missing}, it has {names[:12]}")
        places = [names.index(name) for name in wanted]
        while lines := list(islice(file, _BLOCK)):
            block = np.loadtxt(lines, delimiter=",", usecols=places, ndmin=2)
            yield block[:, 0] / 1000, block[:, 1].copy(), block[:, 2:].astype(np.float32)


def check_together(physiology: Table, annotations: Table) -> list[Run]:
    """Return what was shown, where both tables of a person agree on it.

    Parameters
    ----------
    physiology, annotations
        The tables of one person.

    Returns
    -------
    list of Run
        In order.

    Raises
    ------
    DatasetDamaged
        They differ by 1 s or more, or in what was shown.
    """
    runs, others = physiology.runs(), annotations.runs()
    same = [run.video for run in runs] == [run.video for run in others]
    apart = [
        max(abs(one.start - other.start), abs(one.stop - other.stop))
        for one, other in zip(runs, others, strict=False)
    ]
    if not same or max(apart) >= _APART_S:
        raise DatasetDamaged(
            f"{physiology.path} ends at {runs[-1].stop:.1f} s, {annotations.path} at "
            f"{others[-1].stop:.1f} s, or what they show differs: one is cut short"
        )
    return runs
