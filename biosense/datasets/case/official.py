"""CASE, official release: 30 people, 8 videos, body signals at 1 kHz, a joystick at 20 Hz."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from biosense.core.affect import TARGETS
from biosense.core.errors import BadInput, DatasetDamaged, DatasetIncomplete
from biosense.core.recording import Recording, Trial
from biosense.core.types import Chunk, Modality, StreamInfo
from biosense.datasets.base import About, Dataset
from biosense.datasets.case.tables import (
    BLANK,
    TIMES,
    VIDEOS,
    Run,
    Table,
    check_together,
    read_table,
)
from biosense.datasets.folder_listing import listed

PEOPLE = 30
SFREQ, JOYSTICK_HZ = 1000.0, 20.0
KINDS = dict(
    zip(
        map(str, VIDEOS),
        ("amusing", "amusing", "boring", "boring", "relaxing", "relaxing", "scary", "scary"),
        strict=True,
    )
)
"""What each video is meant to be, by the makers of the set."""
ABOUT = About(
    "case",
    "CASE: body signals at 1 kHz and continuous joystick ratings of 30 people, 8 videos",
    "K. Sharma et al., A dataset of continuous affect annotations and physiological signals for "
    "emotion analysis, Scientific Data 6:196, 2019, doi:10.1038/s41597-019-0209-0",
    "https://doi.org/10.6084/m9.figshare.c.4260668 and https://gitlab.com/karan-shr/case_dataset; "
    "needed: data/interpolated/physiological/sub_1.csv to sub_30.csv and "
    "data/interpolated/annotations/sub_1.csv to sub_30.csv",
    continuous=True,
    people=PEOPLE,
)
JOYSTICK = StreamInfo("joystick", None, TARGETS, JOYSTICK_HZ)
_MIDDLE, _HALF = 5.0, 4.5  # of the joystick's scale, 0.5 to 9.5
_FILE = r"sub_([1-9]|[12]\d|30)\.csv"
_BESIDE = r"(?i:readme).*|metadata.*"
_NOTES = (
    "annotations outside of the videos are not trusted: the joystick rests there",
    "emg: microvolts as documented, though the size of the values suggests another unit",
)


@dataclass(frozen=True)
class _Signal:
    """Say which columns become a stream, and what brings them to its unit."""

    name: str
    modality: Modality
    columns: Mapping[str, str]  # of the table, with the names of channels
    unit: str
    factor: float = 1.0

    @property
    def info(self) -> StreamInfo:
        channels = tuple(self.columns.values())
        return StreamInfo(self.name, self.modality, channels, SFREQ, self.unit, dtype="float32")


_EMG = {"emg_zygo": "zygomaticus", "emg_coru": "corrugator", "emg_trap": "trapezius"}
_SIGNALS = (
    _Signal("ecg", Modality.ECG, {"ecg": "ecg"}, "V", 1e-3),
    _Signal("ppg", Modality.PPG, {"bvp": "ppg"}, "%"),
    _Signal("eda", Modality.EDA, {"gsr": "eda"}, "S", 1e-6),
    _Signal("resp", Modality.RESP, {"rsp": "belt"}, "%"),
    _Signal("temp", Modality.TEMP, {"skt": "skin"}, "degC"),
    _Signal("emg", Modality.EMG, _EMG, "V", 1e-6),
)
COLUMNS = tuple(column for signal in _SIGNALS for column in signal.columns)


class Case(Dataset):
    """CASE as its makers interpolated it, two tables for each person.

    - Body signals and joystick run on one clock, which becomes session time. A recording is whole:
      the film at the start, blank screens and the end are in it, but are no trials.
    - A trial begins with the first sample of its video; `Trial.baseline` is the start of the two
      minutes of blank screen before it.
    - The joystick's 0.5 to 9.5 becomes (x - 5) / 4.5, in the annotation "joystick", trusted while
      a video runs.
    - Samples are float32: the amplifier had 16 bits. A person takes about 100 MB.
    - The raw tables (volts, irregular steps, no video numbers) are not read.

    Parameters
    ----------
    root
        The folder with `data`, or one below it.

    Raises
    ------
    DatasetIncomplete
        If nobody has both tables.
    DatasetDamaged
        If there are files that are no part of it.
    """

    def __init__(self, root: Path) -> None:
        places = [root / part for part in ("data/interpolated", "interpolated", ".")]
        folder = next((place for place in places if (place / "physiological").is_dir()), root)
        tables = {kind: listed(folder / kind, _FILE, also=_BESIDE) for kind in TIMES}
        both = set(tables["physiological"]) & set(tables["annotations"])
        if not both:
            raise DatasetIncomplete(f"{root} {_what_there_is(root, folder)}: {ABOUT.access}")
        self._paths = {
            _name(file): {kind: tables[kind][file] for kind in TIMES} for file in sorted(both)
        }
        self._missing = tuple(
            f"interpolated/{kind}/sub_{number}.csv"
            for kind in TIMES
            for number in range(1, PEOPLE + 1)
            if f"sub_{number}.csv" not in tables[kind]
        )

    @property
    def about(self) -> About:
        """What it is."""
        return ABOUT

    @property
    def subjects(self) -> Sequence[str]:
        """CASE's numbers as text, two digits."""
        return tuple(sorted(self._paths))

    @property
    def missing(self) -> Sequence[str]:
        """Tables that the complete set has and this copy has not."""
        return self._missing

    def files(self, subject: str) -> Sequence[Path]:
        """Return the two tables."""
        if subject not in self._paths:
            raise BadInput(f"no participant {subject!r}, there are: {', '.join(self.subjects)}")
        return tuple(self._paths[subject].values())

    def load(self, subject: str) -> Recording:
        """Read a participant: one recording without gaps, 1 kHz and 20 Hz, in SI units."""
        physiology_path, annotation_path = self.files(subject)
        annotations = read_table(annotation_path, TIMES["annotations"], JOYSTICK.channels)
        physiology = read_table(physiology_path, TIMES["physiological"], COLUMNS)
        runs = check_together(physiology, annotations)
        streams = tuple(_stream(signal, physiology) for signal in _SIGNALS)
        lost = [
            f"{path.name}: {column} lacks {count} samples"
            for path, column, count in _lost(physiology_path, physiology.values)
        ]
        return Recording(
            streams,
            annotations=(_joystick(annotations),),
            subject=subject,
            trials=tuple(_trials(runs)),
            notes=(*lost, *_NOTES),
        )


def _name(file: str) -> str:
    return f"{int(file.removeprefix('sub_').removesuffix('.csv')):02d}"


def _what_there_is(root: Path, folder: Path) -> str:
    if any((root / part / "physiological").is_dir() for part in ("data/raw", "raw")):
        return (
            "holds the raw tables, which have no video numbers and irregular steps, but not the "
            "interpolated ones of the same release"
        )
    there = [kind for kind in TIMES if (folder / kind).is_dir()]
    return f"holds only {there[0]}" if len(there) == 1 else "holds no tables of CASE"


def _stream(signal: _Signal, table: Table) -> Chunk:
    first = COLUMNS.index(next(iter(signal.columns)))
    part = table.values[:, first : first + len(signal.columns)]
    data = np.ascontiguousarray(part * np.float32(signal.factor))
    return Chunk.of(signal.info, table.times, data, np.isfinite(data).any(axis=1))


def _lost(path: Path, values: NDArray[np.float32]) -> list[tuple[Path, str, int]]:
    counts = (~np.isfinite(values)).sum(axis=0).tolist()
    return [(path, name, count) for name, count in zip(COLUMNS, counts, strict=True) if count]


def _joystick(table: Table) -> Chunk:
    """Return valence and arousal in [-1, 1], trusted where a video was shown."""
    values = (table.values.astype(np.float64) - _MIDDLE) / _HALF
    if not (np.abs(values) <= 1 + 1e-6).all():
        raise DatasetDamaged(
            f"{table.path}: ratings from {table.values.min():g} to {table.values.max():g}, "
            f"wanted {_MIDDLE - _HALF:g} to {_MIDDLE + _HALF:g}"
        )
    shown = np.isin(table.video, VIDEOS)
    return Chunk.of(JOYSTICK, table.times, np.clip(values, -1.0, 1.0), shown)


def _trials(runs: Sequence[Run]) -> list[Trial]:
    return [
        Trial(
            run.start,
            run.stop,
            stimulus=str(run.video),
            baseline=before.start if before is not None and before.video == BLANK else None,
        )
        for before, run in zip((None, *runs), runs, strict=False)
        if run.video in VIDEOS
    ]
