"""CASE as derived series at 20 Hz: 50 s of each video, with continuous valence and arousal.

The file is `case_dev.npz` (or any with its keys): physiology derived by an entry of the EPiC 2023
challenge from CASE (Sharma et al. 2019, Scientific Data 6:196), beside the joystick's valence and
arousal. Its heart rate and skin conductance are turned back into what sensors send, so that the
features are those of every other recording.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from biosense.core.affect import TARGETS
from biosense.core.errors import BadInput, DatasetDamaged, DatasetIncomplete
from biosense.core.preprocessed_streams import EMG_ENVELOPE
from biosense.core.recording import Recording, Trial
from biosense.core.types import Chunk, Floats, Modality, StreamInfo
from biosense.datasets.base import About, Dataset
from biosense.datasets.folder_listing import listed

ABOUT = About(
    "case_derived",
    "CASE, 20 Hz derived series: 8 videos, continuous joystick ratings",
    "Sharma et al. (2019), A dataset of continuous affect annotations and physiological signals "
    "for emotion analysis, Scientific Data 6:196, doi 10.1038/s41597-019-0209-0",
    "one .npz with X, Y, subject, video, fold, start_ms, cols and fs; physiology from "
    "https://github.com/Emognition/EPiC-2023-competition (branch code-Cafeteros, MIT), labels from "
    "CASE's interpolated annotations; cite the paper, do not redistribute the labels",
    continuous=True,
    people=30,
)
_KEYS = ("X", "Y", "subject", "video", "fold", "start_ms", "cols", "fs")
_MUSCLES = {"ZEMGEnv": "zygomaticus", "CEMGEnv": "corrugator", "TEMGEnv": "trapezius"}
_COLUMNS = ("IHR", "EDAPh", "EDATon", "TEMP", *_MUSCLES)
_EMG_UNIT = 1e-5  # volts
_ENVELOPES = StreamInfo(
    "muscles", Modality.EMG, tuple(_MUSCLES.values()), 20.0, "V", content_type=EMG_ENVELOPE
)
_PLAUSIBLE_BPM = (40.0, 180.0)  # splines overshoot: beyond this the rate is none
_MIDDLE, _HALF = 5.0, 4.5  # of the joystick's scale, 0.5 to 9.5


@dataclass(frozen=True, eq=False)
class CaseDerived(Dataset):
    """Read the derived series of CASE, one recording a person.

    What becomes of the columns:

    - `IHR` (beats/min, a spline through beat-by-beat rates) is integrated; a beat lies wherever the
      integral passes a whole number. The stream "heart" holds the intervals, as a strap sends them.
      Where the rate lies outside 40 to 180 there is no beat. The order of the true intervals is
      kept, their beat-to-beat variability is smoothed by the spline: HRV features are too small.
    - `EDAPh + EDATon` is skin conductance in microsiemens: the stream "eda" at 20 Hz, in S. cvxEDA,
      which made them, left out noise, and saw the whole 50 s: it is not causal.
    - `TEMP` is the stream "temp".
    - `ZEMGEnv`, `CEMGEnv` and `TEMGEnv` are the envelopes "muscles". Their unit is unknown; one is
      taken for 10 uV, which puts muscles at rest near 1 uV.
    - `RESP` (15 % implausible by overshoot) and `PTT` are kept in a stream without a modality:
      recorded, not processed.

    Session time is the file's `start_ms`: the order of the videos differs from person to person. A
    trial is the 50 s that the file holds of a video, from second 68.6 on. Ratings map 0.5 .. 9.5 to
    [-1, 1].

    Parameters
    ----------
    path
        The file.
    """

    path: Path
    about: About = ABOUT

    @classmethod
    def open(cls, root: Path) -> CaseDerived:
        """Find the file in a folder.

        Raises
        ------
        DatasetIncomplete
            There is none, or more than one.
        """
        files = [*listed(root, r"case\w*\.npz", also=r"(README|LICENSE).*").values()]
        if len(files) != 1:
            raise DatasetIncomplete(
                f"{root} holds {len(files)} files named case*.npz, wanted 1: {ABOUT.access}"
            )
        one = cls(files[0])
        one._read()
        return one

    @property
    def subjects(self) -> Sequence[str]:
        """CASE's numbers as text, two digits."""
        return tuple(sorted({_name(number) for number in self._read()["subject"].tolist()}))

    @property
    def missing(self) -> Sequence[str]:
        """Say how many of CASE's people the file has not."""
        lacking = ABOUT.people - len(self.subjects)
        return (
            (f"{lacking} of {ABOUT.people} people are not in {self.path.name}",) if lacking else ()
        )

    @property
    def stated_folds(self) -> Mapping[str, int]:
        """Fold of each person in EPiC's scenario 2."""
        table = self._read()
        pairs = zip(table["subject"].tolist(), table["fold"].tolist(), strict=True)
        return {_name(subject): int(fold) for subject, fold in pairs}

    def files(self, subject: str) -> Sequence[Path]:
        """Return the one file."""
        return (self.path,)

    def load(self, subject: str) -> Recording:
        """Read one person's videos, in the order in which they were shown."""
        table = self._read()
        rows = [k for k, one in enumerate(table["subject"].tolist()) if _name(one) == subject]
        if not rows:
            raise BadInput(f"{self.path} has nobody {subject!r}; there are: {self.subjects}")
        rows.sort(key=lambda row: int(table["start_ms"][row]))
        columns = {name: k for k, name in enumerate(table["cols"].tolist())}
        segments = [_Segment(table, row, columns) for row in rows]
        return Recording(
            (
                _joined(StreamInfo("heart", None, ("rr",), 0.0, "s", f"{subject}-ecg"), segments),
                _joined(StreamInfo("eda", Modality.EDA, ("eda",), 20.0, "S"), segments),
                _joined(StreamInfo("temp", Modality.TEMP, ("skin",), 20.0, "degC"), segments),
                _joined(_ENVELOPES, segments),
                _joined(StreamInfo("rest", None, _others(columns), 20.0), segments),
            ),
            annotations=(_joined(StreamInfo("joystick", None, TARGETS, 20.0), segments),),
            subject=subject,
            trials=tuple(segment.trial for segment in segments),
            notes=tuple(note for segment in segments for note in segment.notes),
        )

    def _read(self) -> Mapping[str, NDArray[np.generic]]:
        try:
            # A file of our own: numpy leaves its own open where it is no archive.
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                table = {key: archive[key] for key in _KEYS}
        except (ValueError, KeyError, BadZipFile, OSError, EOFError, zlib.error) as error:
            raise DatasetDamaged(f"{self.path} is no table of CASE: {error}") from error
        _check(self.path, table)
        return table


class _Segment:
    """One video of one person, as streams."""

    def __init__(
        self, table: Mapping[str, NDArray[np.generic]], row: int, columns: Mapping[str, int]
    ) -> None:
        x, y = (np.asarray(table[key][row], np.float64) for key in ("X", "Y"))
        video, rate = int(table["video"][row]), float(table["fs"])
        start = float(table["start_ms"][row]) / 1000.0
        self.times = start + np.arange(len(x)) / rate
        self.notes: list[str] = []
        heart = x[:, columns["IHR"]]
        beats = _beats(self.times, heart)
        self.parts: dict[str, tuple[Floats, Floats]] = {
            "heart": (beats[1:], np.diff(beats)[:, None]),
            "eda": (self.times, 1e-6 * x[:, [columns["EDAPh"], columns["EDATon"]]].sum(1)[:, None]),
            "temp": (self.times, x[:, [columns["TEMP"]]]),
            "muscles": (self.times, _EMG_UNIT * x[:, [columns[name] for name in _MUSCLES]]),
            "rest": (self.times, x[:, [columns[name] for name in _others(columns)]]),
            "joystick": (self.times, (y - _MIDDLE) / _HALF),
        }
        odd = float(np.mean(~_plausible(heart)))
        if odd > 0:
            self.notes.append(f"video {video}: {odd:.1%} of the heart rate is implausible")
        self.trial = Trial(
            start,
            float(self.times[-1]) + 1 / rate,
            str(video),
            raw={name: float(y[:, axis].mean()) for axis, name in enumerate(TARGETS)},
        )


def _beats(times: Floats, rate: Floats) -> Floats:
    """Return the times at which the integral of a rate passes whole numbers."""
    usable = np.where(_plausible(rate), rate, np.nan)
    known = np.flatnonzero(np.isfinite(usable))
    filled = np.interp(np.arange(len(rate)), known, usable[known]) if len(known) else usable
    phase = np.concatenate([[0.0], np.cumsum(np.diff(times) * (filled[1:] + filled[:-1]) / 120.0)])
    if not np.isfinite(phase[-1]):
        return np.empty(0)
    beats = np.interp(np.arange(np.ceil(phase[-1])), phase, times)
    nearest = np.clip(np.searchsorted(times, beats), 0, len(times) - 1)
    return beats[np.isfinite(usable[nearest])]


def _plausible(rate: Floats) -> NDArray[np.bool_]:
    low, high = _PLAUSIBLE_BPM
    return np.asarray((rate >= low) & (rate <= high))


def _joined(info: StreamInfo, segments: Sequence[_Segment]) -> Chunk:
    times, data = zip(*(segment.parts[info.name] for segment in segments), strict=True)
    return Chunk.of(info, np.concatenate(times), np.concatenate(data))


def _others(columns: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(name for name in columns if name not in _COLUMNS)


def _name(number: int) -> str:
    return f"{number:02d}"


def _check(path: Path, table: Mapping[str, NDArray[np.generic]]) -> None:
    x, y, n = table["X"], table["Y"], len(table["subject"])
    names = set(table["cols"].tolist())
    wrong = ""
    if x.ndim != 3 or y.shape != (*x.shape[:2], 2) or len(x) != n or x.shape[2] != len(names):
        wrong = f"X {x.shape} and Y {y.shape} do not fit {n} segments and {len(names)} columns"
    elif not set(_COLUMNS) <= names:
        wrong = f"the columns {sorted(set(_COLUMNS) - names)} are not there"
    elif not (np.isfinite(x).all() and np.isfinite(y).all()):
        wrong = "X or Y hold NaN or infinite numbers"
    elif np.abs(np.asarray(y, np.float64) - _MIDDLE).max() > _HALF:
        wrong = "Y leaves 0.5 to 9.5"
    elif set(table["video"].tolist()) - set(range(1, 9)):
        wrong = f"videos are {sorted(set(table['video'].tolist()))}, wanted 1 to 8"
    elif float(table["fs"]) != 20.0:
        wrong = f"fs is {table['fs']}, wanted 20"
    if wrong:
        raise DatasetDamaged(f"{path}: {wrong}")
