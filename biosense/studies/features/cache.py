"""Features kept on disk, and found again only if nothing that they depend on is different."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from biosense.core.errors import BiosenseError
from biosense.core.types import Modality
from biosense.models.sequences import LabelledSequence
from biosense.studies.features.extract import Extracted
from biosense.studies.kept_files import UNREADABLE, CacheDamaged, write_atomically


@dataclass(frozen=True)
class FeatureCache:
    """Keep the features of recordings below a folder, one file for each.

    A key is the SHA-256 of everything that features depend on: the contents of the files, the
    settings, the pipelines' fingerprints, the code and the numerical libraries. Nothing is ever
    unpickled, and an entry is written whole or not at all.

    Parameters
    ----------
    folder
        Made when something is kept.
    """

    folder: Path

    def get(self, key: str) -> Extracted | None:
        """Return what was kept under a key, or None.

        Raises
        ------
        CacheDamaged
            There is an entry that cannot be read.
        """
        path = self._path(key)
        if not path.is_file():
            return None
        try:
            content = io.BytesIO(path.read_bytes())  # np.load leaves a damaged file open
            with np.load(content, allow_pickle=False) as file:
                return _unpacked(file, key)
        except (*UNREADABLE, BiosenseError) as error:
            raise CacheDamaged(f"{path} is damaged and is computed again: {error!r}") from error

    def put(self, key: str, extracted: Extracted) -> Path:
        """Keep features under a key; whoever reads meanwhile sees the old entry or the new one."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        file = io.BytesIO()
        np.savez_compressed(file, allow_pickle=False, **_packed(extracted, key))
        write_atomically(path, file.getvalue())
        return path

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key[2:40]}.npz"


def default_folder() -> Path:
    """Return the folder for caches that this system gives to programs of a user."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "biosense" / "features"


def _packed(extracted: Extracted, key: str) -> dict[str, Any]:
    """Return arrays, and one text that says what they are."""
    arrays: dict[str, Any] = {}
    told = []
    for number, sequence in enumerate(extracted.sequences):
        arrays[f"{number}-time"], arrays[f"{number}-target"] = sequence.time, sequence.target
        for modality, values in sequence.data.items():
            arrays[f"{number}-{modality}"] = values
            arrays[f"{number}-{modality}-quality"] = sequence.quality[modality]
        told.append(
            {
                "subject": sequence.subject,
                "modalities": list(sequence.data),
                "stimulus": sequence.stimulus,
                "group": sequence.group,
                "position": sequence.position,
                "per_trial": sequence.per_trial,
            }
        )
    features = {modality.value: names for modality, names in extracted.features.items()}
    said = {"key": key, "sequences": told, "features": features, "notes": extracted.notes}
    return {"about": np.array(json.dumps(said)), **arrays}


def _unpacked(file: Mapping[str, Any], key: str) -> Extracted:
    said = json.loads(str(file["about"]))
    if said["key"] != key:
        raise CacheDamaged(f"the entry belongs to another key, {said['key'][:12]}..")
    sequences = []
    for number, told in enumerate(said["sequences"]):
        modalities = [Modality(name) for name in told.pop("modalities")]
        sequences.append(
            LabelledSequence(
                time=file[f"{number}-time"],
                target=file[f"{number}-target"],
                data={each: file[f"{number}-{each}"] for each in modalities},
                quality={each: file[f"{number}-{each}-quality"] for each in modalities},
                **told,
            )
        )
    features = {Modality(name): tuple(names) for name, names in said["features"].items()}
    return Extracted(tuple(sequences), features, tuple(said["notes"]))
