"""What AMIGOS is, how its folders look, and which of its files a copy has."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from biosense.core.errors import DatasetDamaged, DatasetIncomplete
from biosense.datasets.base import About
from biosense.datasets.folder_listing import listed

PEOPLE = 40
GROUPS = ((7, 1, 2, 16), (6, 32, 4, 3), (29, 5, 27, 21), (18, 14, 17, 22), (15, 11, 12, 10))
"""Who watched the long videos together."""
ABOUT = About(
    "amigos",
    "AMIGOS, preprocessed: EEG, ECG and EDA of 40 people who watched 16 short and 4 long videos",
    "J. A. Miranda-Correa et al., AMIGOS: A Dataset for Affect, Personality and Mood Research on "
    "Individuals and Groups, IEEE Trans. Affective Computing 12(2), 479-493, 2021, "
    "doi:10.1109/TAFFC.2018.2884461",
    "https://www.eecs.qmul.ac.uk/mmv/datasets/amigos/ gives it out to holders of an academic post "
    "who sign its licence; needed: Data_Preprocessed_P01.mat to P40.mat, in folders of the same "
    "name or not; Exp1_P01_face and so on for films of faces",
    continuous=False,
    people=PEOPLE,
)
_NAME = r"Data_Preprocessed_P(0[1-9]|[123]\d|40)"
_BESIDE = r"(?!Data_Preprocessed_).*(?<!\.mat)|Data_Original_P\d\d\.mat"
_FILM = re.compile(r"P(\d{1,2})_(\w+)_face\.(mov|mp4|avi)")


@dataclass(frozen=True)
class AmigosFolder:
    """Hold which files of AMIGOS a copy has.

    Parameters
    ----------
    recordings
        By participant ("P01").
    films
        Of faces, by participant and video.
    missing
        What the complete set has and this copy has not.
    """

    recordings: Mapping[str, Path]
    films: Mapping[str, Mapping[str, Path]]
    missing: Sequence[str]

    @property
    def groups(self) -> Mapping[str, str]:
        """Name of the group of those who are here and watched in one."""
        names = [tuple(f"P{number:02d}" for number in sorted(group)) for group in GROUPS]
        return {one: "-".join(group) for group in names for one in group if one in self.recordings}


def find(root: Path) -> AmigosFolder:
    """Look through a folder.

    Parameters
    ----------
    root
        The folder with the copy.

    Returns
    -------
    AmigosFolder

    Raises
    ------
    DatasetIncomplete
        If there is no recording in it.
    DatasetDamaged
        If there are MATLAB files that are no part of it, or two of one participant.
    """
    recordings: dict[str, Path] = {}
    for folder in (root, root / "data_preprocessed"):
        for name, path in listed(folder, rf"{_NAME}(\.mat)?", also=_BESIDE).items():
            inner = listed(path, rf"{name}\.mat") if path.is_dir() else {name: path}
            for file in inner.values():
                subject = file.stem.rsplit("_", 1)[-1]
                if subject in recordings:
                    raise DatasetDamaged(f"{recordings[subject]} and {file} are both {subject}")
                recordings[subject] = file
    if not recordings:
        raise DatasetIncomplete(f"{root} has no Data_Preprocessed_P??.mat: {ABOUT.access}")
    everybody = [f"P{number:02d}" for number in range(1, PEOPLE + 1)]
    missing = [f"Data_Preprocessed_{one}.mat" for one in everybody if one not in recordings]
    return AmigosFolder(dict(sorted(recordings.items())), _films(root), missing)


def _films(root: Path) -> dict[str, dict[str, Path]]:
    films: dict[str, dict[str, Path]] = {}
    for path in sorted(root.glob("*face*/*_face.*")):
        if fits := _FILM.fullmatch(path.name):
            films.setdefault(f"P{int(fits[1]):02d}", {})[fits[2]] = path
    return films
