"""What MAHNOB-HCI is, how its folders look, and what its session files say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from biosense.core.errors import DatasetDamaged, DatasetIncomplete
from biosense.datasets.base import About
from biosense.datasets.folder_listing import check_size, listed

RATED = {**dict.fromkeys((*range(1, 12), *range(13, 15), *range(16, 31)), 20), 3: 17, 9: 14, 16: 16}
"""How many rated sessions the complete set has of each participant; 12 and 15 have none."""
FELT = {
    "valence": "feltVlnc",
    "arousal": "feltArsl",
    "control": "feltCtrl",
    "predictability": "feltPred",
    "emotion": "feltEmo",
}
"""Names of what people said, and the attributes that hold it."""
ABOUT = About(
    "mahnob",
    "MAHNOB-HCI, emotion part: EEG, body signals and films of faces of 28 people",
    "M. Soleymani et al., A Multimodal Database for Affect Recognition and Implicit Tagging, "
    "IEEE Trans. Affective Computing 3(1), 42-55, 2012, doi:10.1109/T-AFFC.2011.25",
    "https://mahnob-db.eu/hci-tagging/ gives it out to holders of an academic post who sign its "
    "licence; needed: Sessions/*/session.xml and Part_*_emotion.bdf, the C1 films if wanted",
    continuous=False,
    people=len(RATED),
)
_BDF = r"Part_\d+_[NS]_Trial\d+_emotion\.bdf"
_FILM = r"P\d+-Rec\d+-.*_C1 trigger _C_Section_\d+\.avi"
_BESIDE = r".*(?<!\.bdf)(?<!\.xml)"
_MOST_XML = 2**20


@dataclass(frozen=True)
class Session:
    """Hold what a session file says, and the files beside it.

    Parameters
    ----------
    number
        Of the session.
    subject
        Who.
    media
        What was shown.
    felt
        Answers by name; empty for recordings without a self-report: rest before a stimulus, or
        tagging.
    xml
        The session file.
    bdf
        The recording, where there is one.
    film
        Of the face, where there is one.
    """

    number: int
    subject: str
    media: str
    felt: Mapping[str, float]
    xml: Path
    bdf: Path | None
    film: Path | None


def find(root: Path) -> list[Session]:
    """Read the session files of a folder, by number.

    Parameters
    ----------
    root
        The folder with the copy.

    Returns
    -------
    list of Session

    Raises
    ------
    DatasetIncomplete
        If there is no session with a self-report and a recording.
    DatasetDamaged
        If a session file cannot be trusted, or there are recordings that are no part of the set.
    """
    folder = root / "Sessions" if (root / "Sessions").is_dir() else root
    names = listed(folder, r"\d+", also=r".*(?<!\.bdf)(?<!\.xml)")
    sessions = [_session(path) for path in names.values() if (path / "session.xml").is_file()]
    if not any(session.felt and session.bdf for session in sessions):
        raise DatasetIncomplete(
            f"{root} has no session with a self-report (feltArsl) and a .bdf: {ABOUT.access}"
        )
    return sorted(sessions, key=lambda session: session.number)


def without_xml(root: Path) -> list[str]:
    """Return the session folders that lack their session file, by number.

    Parameters
    ----------
    root
        The folder with the copy.

    Returns
    -------
    list of str
        What is missing, a line each.
    """
    folder = root / "Sessions" if (root / "Sessions").is_dir() else root
    paths = listed(folder, r"\d+", also=r".*(?<!\.bdf)(?<!\.xml)").values()
    lacking = [path.name for path in paths if not (path / "session.xml").is_file()]
    return [f"Sessions/{name}/session.xml" for name in sorted(lacking, key=int)]


def _session(folder: Path) -> Session:
    path = folder / "session.xml"
    root, subject = read_attributes(path)
    felt = {name: _felt(path, root, name) for name in FELT if FELT[name] in root}
    if "arousal" not in felt:
        felt = {}
    elif not ("valence" in felt and "mediaFile" in root and "id" in subject):
        raise DatasetDamaged(f"{path} has feltArsl but not all of feltVlnc, mediaFile, subject id")
    files = listed(folder, rf"session\.xml|{_BDF}|{_FILM}", also=_BESIDE)
    bdfs = [one for name, one in files.items() if name.endswith(".bdf")]
    films = [one for name, one in files.items() if name.endswith(".avi")]
    if len(bdfs) > 1:
        raise DatasetDamaged(f"{folder} holds {len(bdfs)} recordings, wanted 1")
    number = subject.get("id", "0")
    if not number.isdecimal() or (felt and int(number) not in range(1, 31)):
        raise DatasetDamaged(f"{path}: subject {number!r}, wanted 1 to 30")
    return Session(
        int(folder.name),
        f"{int(number):02d}",
        Path(root.get("mediaFile", "")).stem,
        felt,
        path,
        bdfs[0] if bdfs else None,
        films[0] if films else None,
    )


def _felt(path: Path, root: Mapping[str, str], name: str) -> float:
    text = root[FELT[name]].strip()
    low, high = (0, 12) if name == "emotion" else (1, 9)
    if not text.isdecimal() or not low <= int(text) <= high:
        raise DatasetDamaged(f"{path}: {FELT[name]} is {text!r}, wanted {low} to {high}")
    return float(text)


def read_attributes(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the attributes of the root and of the first `subject` of a session file.

    A document type is refused: it could pull in other files, or grow without end.

    Parameters
    ----------
    path
        The session file.

    Returns
    -------
    root, subject : dict of str to str

    Raises
    ------
    DatasetDamaged
        For a file that is no XML, is too large or declares a document type.
    """
    check_size(path, _MOST_XML)
    elements: list[tuple[str, dict[str, str]]] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        if not elements or name == "subject":
            elements.append((name, attributes))

    def refuse(*_: object) -> None:
        raise DatasetDamaged(f"{path} declares a document type, which no session file does")

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(path.read_bytes(), True)
    except expat.ExpatError as error:
        raise DatasetDamaged(f"{path} is no XML: {error}") from error
    except (ValueError, LookupError) as error:
        if isinstance(error, DatasetDamaged):
            raise
        raise DatasetDamaged(f"{path} is no XML: {error}") from error
    subjects = [attributes for name, attributes in elements[1:] if name == "subject"]
    return elements[0][1], subjects[0] if subjects else {}
