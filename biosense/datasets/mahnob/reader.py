"""MAHNOB-HCI, emotion part: 28 people, 20 film clips, rated once per clip, faces filmed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosense.core.affect import TARGETS
from biosense.core.errors import BadInput, DatasetDamaged
from biosense.core.recording import Rating, Recording, Trial
from biosense.core.types import Modality, StreamInfo
from biosense.core.units import read_unit
from biosense.datasets.base import About, Dataset
from biosense.datasets.folder_listing import on_unit_scale
from biosense.datasets.formats.bdf import Bdf
from biosense.datasets.mahnob.files import ABOUT, RATED, Session, find, without_xml
from biosense.datasets.skin_signals import conductance, temperature_note, unit_by_size
from biosense.datasets.trial_concatenation import TrialConcatenation, silent_channels

EEG = (
    *("Fp1", "AF3", "F3", "F7", "FC5", "FC1", "C3", "T7", "CP5", "CP1", "P3", "P7", "PO3", "O1"),
    *("Oz", "Pz", "Fp2", "AF4", "Fz", "F4", "F8", "FC6", "FC2", "Cz", "C4", "T8", "CP6", "CP2"),
    *("P4", "P8", "PO4", "O2"),
)
SIGNALS = {
    Modality.EEG: (EEG, "V"),
    Modality.ECG: (("EXG1", "EXG2", "EXG3"), "V"),
    Modality.EDA: (("GSR1",), "S"),
    Modality.RESP: (("Resp",), ""),
    Modality.TEMP: (("Temp",), "degC"),
}
"""Channels of each stream, by the names in the file, and the unit that they get."""
_NOTES = (
    "sessions are in the order of their numbers, the time between them is made up",
    "films are taken to begin with the recording; some differ by more than a second",
    "respiration has no unit that anybody knows",
)


class Mahnob(Dataset):
    """MAHNOB-HCI, the sessions of its emotion part, several of which make one person's recording.

    - Only sessions with a self-report (`feltArsl`) are taken; the others of a person, rest and
      tagging, are listed in the notes.
    - The person is who the session file names, the rate is what the recording says, channels are
      found by name.
    - The first event of Status is the start of the clip, the second its end. What was recorded
      before it, 30 s, is `Trial.baseline`.
    - Answers from 1 to 9 become (r - 5) / 4. `Trial.raw` has valence, arousal, control,
      predictability and the code of the emotion (0 to 12).
    - Films are those of the colour camera C1.

    Parameters
    ----------
    root
        The folder with `Sessions`, or that folder.

    Raises
    ------
    DatasetIncomplete
        If there is no session with a self-report and a recording.
    DatasetDamaged
        If a session file cannot be trusted, or there are recordings that are no part of the set.
    """

    def __init__(self, root: Path) -> None:
        self._sessions = find(root)
        self._lacking = without_xml(root)

    @property
    def about(self) -> About:
        """What it is."""
        return ABOUT

    @property
    def subjects(self) -> Sequence[str]:
        """Participants with at least one rated recording, from "01"."""
        return tuple(sorted({one.subject for one in self._sessions if one.felt and one.bdf}))

    @property
    def missing(self) -> Sequence[str]:
        """Files, and rated sessions of people, that the complete set has and this copy has not."""
        lines = [*self._lacking]
        lines += [f"Sessions/{one.number}: .bdf" for one in self._rated() if one.bdf is None]
        here = Counter(one.subject for one in self._rated() if one.bdf)
        for number, count in sorted(RATED.items()):
            if (found := here[f"{number:02d}"]) < count:
                lines.append(f"participant {number:02d}: {found} of {count} rated sessions")
        return tuple(lines)

    def files(self, subject: str) -> Sequence[Path]:
        """Return session files, recordings and films of the sessions that are taken."""
        taken = [(one.xml, one.bdf, one.film) for one in self._of(subject) if one.bdf]
        return tuple(path for paths in taken for path in paths if path)

    def load(self, subject: str) -> Recording:
        """Read a participant: all streams at the rate of the recordings, a minute between."""
        taken = self._of(subject)
        notes = [
            f"session {one.number}: left out, no self-report (rest or tagging)"
            for one in self._sessions
            if one.subject == subject and not one.felt
        ]
        notes += [f"session {one.number}: left out, no .bdf" for one in taken if not one.bdf]
        parts = [(one, Bdf(one.bdf)) for one in taken if one.bdf]
        whole, trials = TrialConcatenation(), []
        sfreq = Counter(bdf.sfreq(0) for _, bdf in parts).most_common(1)[0][0]
        for one, bdf in parts:
            if bdf.sfreq(0) != sfreq:
                notes.append(f"session {one.number}: left out, {bdf.sfreq(0):g} Hz not {sfreq:g}")
            elif (trial := _append(whole, one, bdf, notes)) is not None:
                trials.append(trial)
        if not trials:
            raise DatasetDamaged(f"participant {subject} has no session that can be used: {notes}")
        return Recording(
            whole.streams(),
            ratings=tuple(trial.rating for trial in trials if trial.rating),
            subject=subject,
            trials=tuple(trials),
            notes=(*notes, *_NOTES),
        )

    def _rated(self) -> list[Session]:
        return [one for one in self._sessions if one.felt]

    def _of(self, subject: str) -> list[Session]:
        if subject not in self.subjects:
            raise BadInput(f"no participant {subject!r}, there are: {', '.join(self.subjects)}")
        return [one for one in self._rated() if one.subject == subject]


def _append(
    whole: TrialConcatenation, session: Session, bdf: Bdf, notes: list[str]
) -> Trial | None:
    """Put a session behind the others and return its trial; None where it has no events."""
    where = f"session {session.number}"
    times = [time for time, _ in bdf.events()[:2]]
    if len(times) < 2 or times[1] <= times[0]:
        notes.append(f"{where}: left out, {len(times)} of 2 events tell its start and end")
        return None
    begin = whole.begin(bdf.seconds)
    for modality, (names, unit) in SIGNALS.items():
        data, said = _signal(bdf, modality, names)
        info = StreamInfo(str(modality), modality, names, bdf.sfreq(0), unit, dtype="float32")
        whole.add(info, begin, data)
        notes += [f"{where}: {line}" for line in said] + silent_channels(info, data, where)
    start, stop = begin + times[0], begin + times[1]
    valence, arousal = (on_unit_scale(session.felt[name], 1, 9) for name in TARGETS)
    return Trial(
        start,
        stop,
        stimulus=session.media,
        baseline=begin,
        rating=Rating(stop, valence, arousal),
        raw=dict(session.felt),
        video=session.film,
        video_start=begin,
    )


def _signal(
    bdf: Bdf, modality: Modality, names: Sequence[str]
) -> tuple[NDArray[np.float32], list[str]]:
    """Return channels in the unit of their stream, and what is to be said of it."""
    places = [bdf.index(name) for name in names]
    if bdf.sfreq(places[0]) != bdf.sfreq(0):
        raise DatasetDamaged(f"{bdf.path}: {names[0]} has another rate than the EEG")
    values: NDArray[Any] = bdf.read(places)
    if modality is Modality.EDA:
        unit, said = unit_by_size(values.astype(np.float64))
        return conductance(values.astype(np.float64), unit)[0].astype(np.float32), [said]
    if modality is Modality.TEMP:
        wrong = temperature_note(values.astype(np.float64))
        if wrong:
            return np.full_like(values, np.nan), [f"{wrong}: not trusted"]
        return values, []
    if modality in (Modality.EEG, Modality.ECG):
        units = {bdf.signals[place].unit for place in places}
        known = {read_unit(unit, modality) or (unit, 1.0) for unit in units}
        base, factor = known.pop()
        if known or base != "V":
            raise DatasetDamaged(f"{bdf.path}: {names[0]} and others are in {units}, wanted uV")
        return values * np.float32(factor), []
    return values, []
