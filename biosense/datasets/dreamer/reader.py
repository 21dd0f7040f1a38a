"""DREAMER: 23 people, 18 film clips, EEG and ECG of consumer devices, rated once per clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from biosense.core.affect import TARGETS
from biosense.core.errors import BadInput, DatasetDamaged, DatasetIncomplete
from biosense.core.recording import Rating, Recording, Trial
from biosense.core.types import Floats, Modality, StreamInfo
from biosense.datasets.base import About, Dataset
from biosense.datasets.folder_listing import listed, on_unit_scale
from biosense.datasets.formats.mat5 import Place
from biosense.datasets.formats.mat_values import Value, cells, is_empty, member, numbers, word
from biosense.datasets.formats.matlab import field_shape, read_mat
from biosense.datasets.trial_concatenation import TrialConcatenation, silent_channels

PEOPLE = 23
EEG = (*("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4"),)
EEG_HZ, ECG_HZ = 128.0, 256.0
SCORES = (*TARGETS, "dominance")
BREAK_S = 1.0
"""Made up, between the rest and the clip: the file does not tell how much time lay between."""
ABOUT = About(
    "dreamer",
    "DREAMER: EEG and ECG of consumer devices of 23 people, 18 film clips",
    "S. Katsigiannis, N. Ramzan, DREAMER: A Database for Emotion Recognition Through EEG and ECG "
    "Signals From Wireless Low-cost Off-the-Shelf Devices, IEEE J. Biomedical and Health "
    "Informatics 22(1), 98-107, 2018, doi:10.1109/JBHI.2017.2688239",
    "https://zenodo.org/records/546113 gives it out on request, for research; needed: DREAMER.mat",
    continuous=False,
    people=PEOPLE,
)
_NOTES = (
    "eeg and ecg have no common clock: they are aligned at the start of each clip only, expect an "
    "offset that grows",
    "the file does not tell when clips were shown: they stand in their own order, a made-up minute "
    "apart, and a second behind the rest before them",
    "eeg is the raw output of the headset, taken as microvolts, with its constant level",
    "ecg: its unit is not documented, values are as in the file",
)
_UNEQUAL_S = 1.0


@dataclass(frozen=True, eq=False)
class _Clip:
    """Hold what was recorded before and during one clip."""

    number: int
    eeg: tuple[Floats, Floats]
    ecg: tuple[Floats, Floats]
    scores: tuple[float, float, float]


class Dreamer(Dataset):
    """DREAMER as one MATLAB file, of which one person at a time is kept.

    - Everybody's data are in one packed variable: to load a person the file is unpacked up to its
      end, but memory holds no more than that person.
    - Before each clip 61 s of a neutral film were recorded: `Trial.baseline`. Clips differ in
      length.
    - Scores are whole numbers from 1 to 5, here (r - 3) / 2; anything else is damage.

    Parameters
    ----------
    root
        The folder with `DREAMER.mat`.

    Raises
    ------
    DatasetIncomplete
        If it is not there.
    DatasetDamaged
        If it is no such file, or others lie beside it.
    """

    def __init__(self, root: Path) -> None:
        found = listed(root, r"DREAMER\.mat", also=r".*(?<!\.mat)")
        if not found:
            raise DatasetIncomplete(f"{root} has no DREAMER.mat: {ABOUT.access}")
        self._path = found["DREAMER.mat"]
        shape = field_shape(self._path, "DREAMER", "Data")
        self._people = int(np.prod(shape))
        if not 1 <= self._people <= PEOPLE or 1 not in shape:
            raise DatasetDamaged(f"{self._path} has data of shape {shape}, wanted (1, {PEOPLE})")

    @property
    def about(self) -> About:
        """What it is."""
        return ABOUT

    @property
    def subjects(self) -> Sequence[str]:
        """Participants, from "01"."""
        return tuple(f"{number:02d}" for number in range(1, self._people + 1))

    @property
    def missing(self) -> Sequence[str]:
        """Participants who are not in the file."""
        numbers = range(self._people + 1, PEOPLE + 1)
        return tuple(f"DREAMER.mat: participant {number:02d}" for number in numbers)

    def files(self, subject: str) -> Sequence[Path]:
        """Return the one file."""
        if subject not in self.subjects:
            raise BadInput(f"no participant {subject!r}, there are: {', '.join(self.subjects)}")
        return (self._path,)

    def load(self, subject: str) -> Recording:
        """Read a participant: EEG at 128 Hz in volts, ECG at 256 Hz, a minute between clips."""
        self.files(subject)
        clips, electrodes, notes = _read(self._path, int(subject) - 1)
        infos = (
            StreamInfo("eeg", Modality.EEG, electrodes, EEG_HZ, "V"),
            StreamInfo("ecg", Modality.ECG, ("ecg1", "ecg2"), ECG_HZ, ""),
        )
        whole = TrialConcatenation()
        trials = [_append(whole, infos, clip, notes) for clip in clips]
        return Recording(
            whole.streams(),
            ratings=tuple(trial.rating for trial in trials if trial.rating),
            subject=subject,
            trials=tuple(trials),
            notes=(*notes, *_NOTES),
        )


def _append(
    whole: TrialConcatenation, infos: Sequence[StreamInfo], clip: _Clip, notes: list[str]
) -> Trial:
    """Put a clip and the rest before it behind the others, and return it as a trial."""
    rests, shown = zip(clip.eeg, clip.ecg, strict=True)
    rest_s, shown_s = (
        [len(part) / info.sfreq for part, info in zip(parts, infos, strict=True)]
        for parts in (rests, shown)
    )
    begin = whole.begin(max(rest_s) + BREAK_S + max(shown_s))
    start = begin + max(rest_s) + BREAK_S
    where = f"clip {clip.number}"
    for info, rest, part in zip(infos, rests, shown, strict=True):
        whole.add(info, begin, rest)
        whole.add(info, start, part)
        notes += silent_channels(info, part, where)
    if max(shown_s) - min(shown_s) > _UNEQUAL_S:
        notes.append(f"{where}: eeg of {shown_s[0]:.1f} s, ecg of {shown_s[1]:.1f} s")
    stop = start + min(shown_s)
    valence, arousal, _ = (on_unit_scale(score, 1, 5) for score in clip.scores)
    raw = dict(zip(SCORES, clip.scores, strict=True))
    rating = Rating(stop, valence, arousal)
    return Trial(start, stop, str(clip.number), baseline=begin, rating=rating, raw=raw)


def _read(path: Path, person: int) -> tuple[list[_Clip], tuple[str, ...], list[str]]:
    """Return the clips of a person, the names of the electrodes, and what was left out."""

    def wanted(place: Place) -> bool:
        return place[:2] != ("DREAMER", "Data") or len(place) < 3 or place[2] == person

    where = f"{path} DREAMER"
    top = read_mat(path, ("DREAMER",), wanted=wanted)["DREAMER"]
    for name, sfreq in (("EEG_SamplingRate", EEG_HZ), ("ECG_SamplingRate", ECG_HZ)):
        if (said := numbers(member(top, name, where), name, 1).tolist()) != [[sfreq]]:
            raise DatasetDamaged(f"{where}: {name} is {said}, wanted {sfreq:g}")
    names = cells(member(top, "EEG_Electrodes", where), f"{where}: electrodes", len(EEG))
    electrodes = tuple(word(name, f"{where}: electrode") for name in names)
    if sorted(electrodes) != sorted(EEG):
        raise DatasetDamaged(f"{where}: electrodes {electrodes}, wanted {EEG}")
    one = cells(member(top, "Data", where), f"{where}: Data")[person]
    clips, notes = _clips(one, f"{where} participant {person + 1}")
    return clips, electrodes, notes


def _clips(one: Value, where: str) -> tuple[list[_Clip], list[str]]:
    scores = [_scores(one, f"Score{name.capitalize()}", where) for name in SCORES]
    columns = []
    for modality, channels in (("EEG", len(EEG)), ("ECG", 2)):
        both = member(one, modality, where)
        for part in ("baseline", "stimuli"):
            name = f"{where}: {modality} {part}"
            tables = cells(member(both, part, where), name, len(scores[0]))
            columns.append([_table(table, name, channels) for table in tables])
    clips, notes = [], []
    for number, row in enumerate(zip(*columns, *scores, strict=True), 1):
        if not all(len(part) for part in row[:4]):
            notes.append(f"clip {number}: left out, a signal is empty")
            continue
        clips.append(_Clip(number, row[0:2], row[2:4], row[4:]))
    if not clips:
        raise DatasetDamaged(f"{where} has no clip with all signals")
    return clips, notes


def _table(table: Value, where: str, channels: int) -> Floats:
    if is_empty(table):
        return np.empty((0, channels))
    values = numbers(table, where, channels)
    return values * 1e-6 if channels == len(EEG) else values


def _scores(one: Value, name: str, where: str) -> list[float]:
    said = numbers(member(one, name, where), f"{where}: {name}", 1)[:, 0]
    if not np.isin(said, (1, 2, 3, 4, 5)).all():
        raise DatasetDamaged(f"{where}: {name} holds {said.tolist()}, wanted whole numbers 1 to 5")
    return [float(score) for score in said]
