"""The folder of a recording: its name, and the sidecar that says who, when and with what."""

from __future__ import annotations

import json
import logging
import os
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from biosense import __version__
from biosense.acquisition.xdf.append_file import sync_folder
from biosense.core.errors import BadInput
from biosense.core.types import StreamInfo

XDF_NAME = "recording.xdf"
SIDECAR_NAME = "recording.json"

_log = logging.getLogger(__name__)
_PARTICIPANT = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")


@dataclass(frozen=True)
class Sidecar:
    """Hold what a recording says about itself beside its samples.

    Parameters
    ----------
    participant
        Pseudonym, never a name; letters, digits and ``. _ -`` within.
    started
        Wall time of the beginning.
    consent
        What the participant agreed to, by word ("video": False).
    devices
        Devices in use, by name, with what is known of them (model, serial number, firmware).
    software
        Versions, by package.
    config
        Fingerprint of the settings and pipelines.
    preset
        Text of the preset that the run was set up by, empty without one.

    Examples
    --------
    >>> Sidecar("P07").participant
    'P07'
    >>> Sidecar("../etc")
    Traceback (most recent call last):
    biosense.core.errors.BadInput: participant='../etc' must be 1 to 64 letters, digits, '.', '_' \
or '-', starting and ending with a letter or digit: it becomes part of a folder name
    """

    participant: str = ""
    started: datetime | None = None
    consent: Mapping[str, bool] = field(default_factory=dict)
    devices: Mapping[str, str] = field(default_factory=dict)
    software: Mapping[str, str] = field(default_factory=dict)
    config: str = ""
    preset: str = ""
    lost: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.participant:
            check_participant(self.participant)


def check_participant(participant: str) -> None:
    """Raise BadInput unless a participant's pseudonym can be part of a folder name.

    Parameters
    ----------
    participant
        A pseudonym.
    """
    if not _PARTICIPANT.fullmatch(participant):
        raise BadInput(
            f"participant={participant!r} must be 1 to 64 letters, digits, '.', '_' or '-', "
            "starting and ending with a letter or digit: it becomes part of a folder name"
        )


def new_folder(folder: Path, participant: str, now: datetime) -> Path:
    """Make and return a new folder for a recording below `folder`: date-time[_participant][-n].

    Parameters
    ----------
    folder
        Of all recordings; it is made if there is none.
    participant
        Pseudonym; may be empty.
    now
        Wall time of the beginning.

    Returns
    -------
    Path
        A folder that is new.

    Examples
    --------
    >>> import tempfile
    >>> below, noon = Path(tempfile.mkdtemp()), datetime(2026, 11, 20, 12, 0, 0)
    >>> [new_folder(below, "P07", noon).name for _ in range(2)]
    ['20261120-120000_P07', '20261120-120000_P07-2']
    """
    if participant:
        check_participant(participant)
    name = f"{now:%Y%m%d-%H%M%S}" + (f"_{participant}" if participant else "")
    folder.mkdir(parents=True, exist_ok=True)
    copy = 1
    while True:
        made = folder / (name if copy == 1 else f"{name}-{copy}")
        try:
            made.mkdir()
        except FileExistsError:
            copy += 1
            continue
        sync_folder(folder)
        return made


def installed_software(*packages: str) -> dict[str, str]:
    """Return the versions of biosense, Python, the system and `packages`, importing nothing."""
    found = {
        "biosense": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
    }
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def write_sidecar(
    folder: Path, sidecar: Sidecar, streams: Sequence[StreamInfo], **more: object
) -> None:
    """Write the sidecar so that there is always a whole one: the old one or the new one.

    Parameters
    ----------
    more
        What else is known by now, as JSON values: counts at the end of the recording.
    """
    started = None if sidecar.started is None else sidecar.started.isoformat()
    content = asdict(sidecar) | {"started": started}
    content |= {"streams": [_described(info) for info in streams]} | more
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    draft = folder / f"{SIDECAR_NAME}.part"
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / SIDECAR_NAME)
    except OSError:
        draft.unlink(missing_ok=True)  # half a draft helps nobody, least of all on a full disk
        raise
    sync_folder(folder)


def read_sidecar(folder: Path) -> Sidecar:
    """Read the sidecar of a recording folder; an empty one, with a warning, where it is damaged.

    Parameters
    ----------
    folder
        Of a recording.

    Returns
    -------
    Sidecar
        What is known; defaults where the file says nothing.
    """
    path = folder / SIDECAR_NAME
    if not path.is_file():
        return Sidecar()
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        known = {key.name: content[key.name] for key in fields(Sidecar) if key.name in content}
        if known.get("started"):
            known["started"] = datetime.fromisoformat(known["started"])
        return Sidecar(**known)
    except (ValueError, TypeError) as error:
        _log.warning("%s cannot be read and is left out: %s", path, error)
        return Sidecar()


def _described(info: StreamInfo) -> dict[str, object]:
    return {
        "name": info.name,
        "modality": info.modality,
        "content_type": info.content_type,
        "channels": list(info.channels),
        "sfreq": info.sfreq,
        "unit": info.unit,
        "dtype": info.dtype,
        "source_id": info.source_id,
        "lossy": info.lossy,
    }
