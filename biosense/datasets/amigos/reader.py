"""AMIGOS, preprocessed: 40 people, 16 short and 4 long videos, rated by them and by others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from biosense.core.errors import BadInput, DatasetDamaged
from biosense.core.recording import Recording, Trial
from biosense.core.types import Chunk, Floats, Modality, StreamInfo
from biosense.datasets.amigos.files import ABOUT, AmigosFolder, find
from biosense.datasets.amigos.labels import (
    ANSWERS,
    PERCEIVED,
    check_answers,
    frames,
    mapped,
)
from biosense.datasets.base import About, Dataset
from biosense.datasets.formats.mat_values import Value, cells, is_empty, numbers, word
from biosense.datasets.formats.matlab import read_mat
from biosense.datasets.skin_signals import conductance, unit_by_size
from biosense.datasets.trial_concatenation import TrialConcatenation, silent_channels

SFREQ = 128.0
BASELINE = 640
"""Samples before the video: 5 s of rest."""
EEG = (*("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4"),)
SHORT_VIDEOS = (
    *("4", "5", "9", "10", "13", "18", "19", "20", "23", "30", "31", "34", "36", "58", "80"),
    "138",
)
LONG_VIDEOS = ("N1", "P1", "B1", "U1")
VIDEOS = SHORT_VIDEOS + LONG_VIDEOS
COLUMNS = len(EEG) + 3
VARIABLES = ("joined_data", "labels_selfassessment", "labels_ext_annotation", "VideoIDs")
_STREAMS = (
    StreamInfo("eeg", Modality.EEG, EEG, SFREQ, "V"),
    StreamInfo("ecg", Modality.ECG, ("right", "left"), SFREQ, "V"),
    StreamInfo("eda", Modality.EDA, ("eda",), SFREQ, "S"),
)
_LEAST_S = 1.0
_NOTES = (
    "the file does not tell the order in which the videos were shown: they stand in the order of "
    "the data set's list, a made-up minute apart",
    "annotations are affect as three others perceived it in the face and the video, one value for "
    "20 s, stamped at the end; the first and last row of each video are left out, because they "
    "hold rest and overlap",
    "films are taken to begin with the video",
)
_ECG_LARGE = 50.0  # an R wave has 1 to 2 mV; what is larger is in microvolts


@dataclass(frozen=True, eq=False)
class _Shown:
    """Hold what the file has of one video."""

    video: str
    data: Floats
    answers: Floats
    annotation: Floats | None


class Amigos(Dataset):
    """AMIGOS as its makers preprocessed it, one MATLAB file for each person.

    - Videos are joined by their id, never by the place of their cell. Videos without data or
      without a self-report are left out, and listed.
    - Each record begins with 5 s of rest: `Trial.baseline`.
    - Self-reports put *arousal first*; 1 to 9 becomes (r - 5) / 4, `Trial.raw` has all 12 answers.
    - The external annotation, valence first, is the annotation "perceived": every 20 s, at the end
      of each frame.
    - The units of ECG and skin are not documented: they are told from the size of the values, and
      the notes say what was taken.
    - 20 people watched the long videos in groups of four: `subject_groups`.

    Parameters
    ----------
    root
        The folder with `Data_Preprocessed_P01` (or the `.mat` files themselves), or the one above.

    Raises
    ------
    DatasetIncomplete
        If there is no recording in it.
    DatasetDamaged
        If there are MATLAB files that are no part of it.
    """

    def __init__(self, root: Path) -> None:
        self._folder: AmigosFolder = find(root)

    @property
    def about(self) -> About:
        """What it is."""
        return ABOUT

    @property
    def subjects(self) -> Sequence[str]:
        """Participants, from "P01"."""
        return tuple(self._folder.recordings)

    @property
    def missing(self) -> Sequence[str]:
        """Files that the complete set has and this copy has not."""
        return self._folder.missing

    @property
    def subject_groups(self) -> Mapping[str, str]:
        """The people who watched the long videos together."""
        return self._folder.groups

    def files(self, subject: str) -> Sequence[Path]:
        """Return what `load` reads, and the films."""
        return (self._path(subject), *self._folder.films.get(subject, {}).values())

    def load(self, subject: str) -> Recording:
        """Read a participant: 128 Hz streams in SI units, a minute between the videos."""
        path = self._path(subject)
        shown, notes = _read(path)
        volts, said_ecg = _ecg_scale([one.data[:, len(EEG) : -1] for one in shown])
        skin, said_skin = unit_by_size(np.concatenate([one.data[:, -1] for one in shown]))
        whole, trials, annotations = TrialConcatenation(), [], []
        for one in shown:
            where = f"{path.name} video {one.video}"
            start = _append(whole, one, volts, skin, notes, where)
            trials.append(self._trial(subject, one, start))
            times, values, said = frames(one.annotation, trials[-1].start, trials[-1].stop, where)
            annotations.append((times, values))
            notes += said
        return Recording(
            whole.streams(),
            annotations=_joined(annotations),
            ratings=tuple(trial.rating for trial in trials if trial.rating),
            subject=subject,
            trials=tuple(trials),
            notes=(*notes, *_NOTES, said_ecg, said_skin),
        )

    def _path(self, subject: str) -> Path:
        if subject not in self._folder.recordings:
            raise BadInput(f"no participant {subject!r}, there are: {', '.join(self.subjects)}")
        return self._folder.recordings[subject]

    def _trial(self, subject: str, one: _Shown, begin: float) -> Trial:
        start, stop = begin + BASELINE / SFREQ, begin + len(one.data) / SFREQ
        return Trial(
            start,
            stop,
            stimulus=one.video,
            baseline=begin,
            rating=mapped(one.answers, stop),
            raw=dict(zip(ANSWERS, one.answers.tolist(), strict=True)),
            video=self._folder.films.get(subject, {}).get(one.video),
            video_start=start,
        )


def _read(path: Path) -> tuple[list[_Shown], list[str]]:
    """Return the videos that can be used, in the order of the list, and what cannot."""
    found = read_mat(path, VARIABLES)
    count = len(cells(found["VideoIDs"], f"{path}: VideoIDs"))
    columns = [cells(found[name], f"{path}: {name}", count) for name in VARIABLES]
    notes: list[str] = []
    shown: dict[str, _Shown] = {}
    seen: set[str] = set()
    for place, row in enumerate(zip(*columns, strict=True)):
        if is_empty(row[-1]) and is_empty(row[0]):
            notes.append(f"{path.name}: cell {place} is empty")
            continue
        video = word(row[-1], f"{path}: VideoIDs {place}")
        if video not in VIDEOS or video in seen:
            raise DatasetDamaged(f"{path}: video {video!r} of cell {place} is unknown or doubled")
        seen.add(video)
        one = _one(f"{path} video {video}", video, row, notes)
        if one is not None:
            shown[video] = one
    if not shown:
        raise DatasetDamaged(f"{path} has no video with both data and a self-report")
    notes += [f"{path.name}: nothing of video {video}" for video in VIDEOS if video not in seen]
    return [shown[video] for video in VIDEOS if video in shown], sorted(notes)


def _one(where: str, video: str, row: Sequence[Value], notes: list[str]) -> _Shown | None:
    """Return a video, or None where it cannot be used, which `notes` then tell."""
    data, answers, annotation, _ = row
    name = where.rsplit("/", 1)[-1]
    if is_empty(data) or is_empty(answers):
        what = "data" if is_empty(data) else "self-report"
        notes.append(f"{name}: left out, it has no {what}")
        return None
    samples = numbers(data, f"{where}: joined_data", COLUMNS)
    said = numbers(answers, f"{where}: self-report", len(ANSWERS))
    if len(samples) < BASELINE + _LEAST_S * SFREQ:
        notes.append(f"{name}: left out, it has {len(samples)} samples, {BASELINE} are rest")
        return None
    if not np.isfinite(said).all():
        notes.append(f"{name}: left out, answers are missing from its self-report")
        return None
    if is_empty(annotation):
        notes.append(f"{name}: no external annotation")
    table = None if is_empty(annotation) else numbers(annotation, f"{where}: annotation", 3)
    return _Shown(video, samples, check_answers(said, where), table)


def _append(
    whole: TrialConcatenation, one: _Shown, volts: float, skin: str, notes: list[str], where: str
) -> float:
    """Put a video and the rest before it behind the others, and return when they begin."""
    start, brain = whole.begin(len(one.data) / SFREQ), len(EEG)
    parts = (
        one.data[:, :brain] * 1e-6,
        one.data[:, brain:-1] * volts,
        conductance(one.data[:, -1:], skin)[0],
    )
    for info, part in zip(_STREAMS, parts, strict=True):
        whole.add(info, start, part)
        notes += silent_channels(info, part, where)
    return start


def _joined(parts: Sequence[tuple[Floats, Floats]]) -> tuple[Chunk, ...]:
    times = np.concatenate([times for times, _ in parts])
    if not len(times):
        return ()
    return (Chunk.of(PERCEIVED, times, np.concatenate([values for _, values in parts])),)


def _ecg_scale(parts: Sequence[Floats]) -> tuple[float, str]:
    """Return what brings the ECG to volts, and how that was told."""
    size = float(np.nanmedian([_spread(part) for part in parts]))
    unit, factor = ("microvolts", 1e-6) if size > _ECG_LARGE else ("millivolts", 1e-3)
    return factor, f"ecg: its unit is not documented; it spans {size:.3g}, taken as {unit}"


def _spread(part: Floats) -> float:
    finite = part[np.isfinite(part)]
    return float(np.ptp(np.percentile(finite, (0.1, 99.9)))) if finite.size else np.nan
