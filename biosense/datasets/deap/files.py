"""What DEAP is, how its folders look, and which of its files a copy has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from biosense.core.errors import BadInput, DatasetDamaged, DatasetIncomplete
from biosense.datasets.base import About, Dataset
from biosense.datasets.folder_listing import listed

PEOPLE, VIDEOS = 32, 40
FILMED = 22  # the face was filmed of the first participants only
NO_FILM = {3: 1, 5: 1, 14: 1, 11: 3}
"""How many trials have no film of the face, by participant; which, the copy at hand tells."""
FROM_TWENTE = 22  # participants up to here were recorded in Twente, the others in Geneva
RATINGS = "participant_ratings.csv"
WHERE = (
    "https://www.eecs.qmul.ac.uk/mmv/datasets/deap/ gives it out to holders of an academic post "
    "who sign its licence"
)
EEG = (
    *("Fp1", "AF3", "F3", "F7", "FC5", "FC1", "C3", "T7", "CP5", "CP1", "P3", "P7", "PO3", "O1"),
    *("Oz", "Pz", "Fp2", "AF4", "Fz", "F4", "F8", "FC6", "FC2", "Cz", "C4", "T8", "CP6", "CP2"),
    *("P4", "P8", "PO4", "O2"),
)
"""The electrodes in the order of Geneva and of the preprocessed files."""
_BESIDE = r"participant_.*|online_.*|video_list.*|face_video|metadata.*|data_.*|(?i:readme).*"
_CITATION = (
    "S. Koelstra et al., DEAP: A Database for Emotion Analysis using Physiological Signals, "
    "IEEE Trans. Affective Computing 3(1), 18-31, 2012, doi:10.1109/T-AFFC.2011.15"
)


def about(name: str, title: str, needed: str) -> About:
    """Return what is known of the data set, with what a reader needs of it.

    Parameters
    ----------
    name
        Key of the reader.
    title
        In a line.
    needed
        Files that it reads.

    Returns
    -------
    About
    """
    access = f"{WHERE}; needed: {needed}"
    return About(name, title, _CITATION, access, continuous=False, people=PEOPLE)


@dataclass(frozen=True)
class DeapFolder:
    """Hold which files of DEAP a copy has.

    Parameters
    ----------
    recordings
        By participant ("s01").
    ratings
        `participant_ratings.csv`, where there is one.
    films
        Of faces, by participant and trial in the order of presentation, from 1.
    missing
        What the complete set has and this copy has not.
    """

    recordings: Mapping[str, Path]
    ratings: Path | None
    films: Mapping[str, Mapping[int, Path]]
    missing: tuple[str, ...]

    def path(self, subject: str) -> Path:
        """Return the recording of a participant, or say whose there are."""
        if subject not in self.recordings:
            raise BadInput(f"no participant {subject!r}; there are: {', '.join(self.recordings)}")
        return self.recordings[subject]

    def files(self, subject: str) -> tuple[Path, ...]:
        """Return what is read of a participant."""
        films = self.films.get(subject, {}).values()
        beside = () if self.ratings is None else (self.ratings,)
        return (self.path(subject), *beside, *films)

    def film(self, subject: str, trial: int) -> Path | None:
        """Return the film of a face, by place in the order of presentation."""
        return self.films.get(subject, {}).get(trial)

    def film_notes(self, subject: str, trials: Sequence[int]) -> list[str]:
        """Say which trials of a participant whose face was filmed have no film."""
        lacking = sorted(set(trials) - set(self.films.get(subject, {})))
        if subject not in self.films or not lacking:
            return []
        known = NO_FILM.get(number(subject), 0)
        return [
            f"no film of the face for trial {', '.join(map(str, lacking))} "
            f"(the complete set lacks {known} of {subject})"
        ]


class DeapCopy(Dataset):
    """What readers of DEAP share: who is there, and in which files."""

    _about: About
    _folder: DeapFolder

    @property
    def about(self) -> About:
        """What it is."""
        return self._about

    @property
    def subjects(self) -> Sequence[str]:
        """Participants, from "s01"."""
        return tuple(self._folder.recordings)

    @property
    def missing(self) -> Sequence[str]:
        """Files that the complete set has and this copy has not."""
        return self._folder.missing

    def files(self, subject: str) -> Sequence[Path]:
        """Return what `load` reads, and the films."""
        return self._folder.files(subject)


def number(subject: str) -> int:
    """Return the number of a participant.

    Parameters
    ----------
    subject
        Such as "s07".

    Returns
    -------
    int

    Examples
    --------
    >>> number("s07")
    7
    """
    return int(subject[1:])


def site(subject: str) -> str:
    """Return where a participant was recorded.

    Parameters
    ----------
    subject
        Such as "s07".

    Returns
    -------
    str

    Examples
    --------
    >>> site("s22"), site("s23")
    ('Twente', 'Geneva')
    """
    return "Twente" if number(subject) <= FROM_TWENTE else "Geneva"


def find(root: Path, known: About, folder: str, suffix: str) -> DeapFolder:
    """Look through a copy of DEAP.

    Parameters
    ----------
    root
        The folder that holds `folder`, or `folder` itself.
    known
        The reader's own.
    folder, suffix
        Where its recordings lie and how their names end.

    Returns
    -------
    DeapFolder

    Raises
    ------
    DatasetIncomplete
        If there is no recording.
    DatasetDamaged
        If there are files that are no part of DEAP.
    """
    names = rf"s(0[1-9]|[12]\d|3[0-2])\.{suffix}"
    inside = (root / folder).is_dir()
    place = root / folder if inside else root
    also = "" if inside or not any(place.glob(f"s[0-3][0-9].{suffix}")) else _BESIDE
    found = listed(place, names, also=also) if inside or also else {}
    if not found:
        raise DatasetIncomplete(
            f"{root} holds no {folder}/s01.{suffix} to s{PEOPLE}.{suffix}: {known.access}"
        )
    recordings = {name.partition(".")[0]: path for name, path in found.items()}
    homes = [root, root.parent] if root.name == folder else [root]
    ratings = _ratings_file(homes)
    films = {one: each for home in homes for one, each in _films(home).items()}
    return DeapFolder(recordings, ratings, films, _missing(recordings, suffix, ratings, films))


def _ratings_file(homes: Sequence[Path]) -> Path | None:
    folders = [home / name for home in homes for name in ("", "metadata_csv", "metadata")]
    there = [folder / RATINGS for folder in folders if (folder / RATINGS).is_file()]
    return there[0] if there else None


def _films(home: Path) -> dict[str, dict[int, Path]]:
    films = {}
    for subject, folder in listed(home / "face_video", r"s(0[1-9]|1\d|2[0-2])").items():
        if not folder.is_dir():
            raise DatasetDamaged(f"{folder} is no folder with films of faces: move it elsewhere")
        there = listed(folder, rf"{subject}_trial(0[1-9]|[1-3]\d|40)\.avi")
        films[subject] = {int(name[-6:-4]): path for name, path in there.items()}
    return films


def _missing(
    recordings: Mapping[str, Path],
    suffix: str,
    ratings: Path | None,
    films: Mapping[str, Mapping[int, Path]],
) -> tuple[str, ...]:
    everybody = [f"s{k:02d}" for k in range(1, PEOPLE + 1)]
    lines = [f"{one}.{suffix}" for one in everybody if one not in recordings]
    if ratings is None:
        lines.append(f"{RATINGS}: order of presentation, times, familiarity")
    for one in everybody[:FILMED]:
        lacking = VIDEOS - NO_FILM.get(number(one), 0) - len(films.get(one, {}))
        if lacking > 0:
            lines.append(f"face_video/{one}: {lacking} films")
    return tuple(lines)
