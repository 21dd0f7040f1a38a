"""What every data set promises of files that are missing, cut short, strange or too many."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from biosense.core.errors import BiosenseError, DatasetDamaged, DatasetIncomplete
from biosense.testing.contract import Check, promise, require
from biosense.testing.dataset_example import DatasetExample, replaced

_KEPT = (0.02, 0.5, 0.98)


@promise("raise DatasetIncomplete with the folder and about.access where nobody can be loaded")
def _an_empty_folder_says_what_is_needed(example: DatasetExample) -> None:
    """A folder that is empty or not there is refused with what is needed and where it is."""
    with tempfile.TemporaryDirectory(prefix="biosense-") as empty:
        for folder in (Path(empty), Path(empty) / "nowhere"):
            try:
                opened: object = example.kind.open(folder)
            except DatasetIncomplete as error:
                for wanted in (str(folder), example.kind.about.access):
                    require(wanted in str(error), error, f"a message with {wanted!r}")
            else:
                require(False, f"{opened} of {folder}", "DatasetIncomplete")


@promise("list files by the pattern of their names, and refuse or tell those that fit no person")
def _a_stray_file_is_refused_or_told(example: DatasetExample) -> None:
    """A file that does not belong there is refused, or told in `missing` or notes."""
    with example.copy() as copy:
        subject, path = example.of_first_subject(copy)
        stray = path.with_name(f"stray copy{path.suffix}")
        stray.write_bytes(path.read_bytes())
        told: tuple[str, ...]
        try:
            dataset = example.kind.open(copy)
            told = (*dataset.missing, *dataset.load(subject).notes)
        except BiosenseError as error:
            told = (str(error),)
    named = any(stray.stem in line for line in told)
    require(named, f"{list(told)}", f"a word about {stray.name!r}")


def _truncation_check(kept: float) -> Check[DatasetExample]:
    def attempt(example: DatasetExample) -> None:
        """A file that was cut short is named."""
        with example.copy() as copy:
            subject, path = example.of_first_subject(copy)
            raw = path.read_bytes()
            replaced(path, raw[: int(kept * len(raw))])
            _is_named(example, copy, subject, path)

    advice = (
        "check lengths and read errors in load(), and raise DatasetDamaged with the file's name"
    )
    return replace(promise(advice)(attempt), name=f"a file cut to {kept:.0%} is named")


@promise("check shapes and read errors in load(), and raise DatasetDamaged with the file's name")
def _a_file_of_something_else_is_named(example: DatasetExample) -> None:
    """A file with other content is named."""
    with example.copy() as copy:
        subject, path = example.of_first_subject(copy)
        replaced(path, np.random.default_rng(1).bytes(path.stat().st_size))
        _is_named(example, copy, subject, path)


def _is_named(example: DatasetExample, folder: Path, subject: str, damaged: Path) -> None:
    try:
        loaded: object = example.kind.open(folder).load(subject)
    except DatasetDamaged as error:
        require(damaged.name in str(error), error, f"a message that names {damaged.name!r}")
    else:
        require(False, f"{loaded} from a damaged {damaged.name!r}", "DatasetDamaged")


DAMAGE_CHECKS: tuple[Check[DatasetExample], ...] = (
    _an_empty_folder_says_what_is_needed,
    _a_stray_file_is_refused_or_told,
    *map(_truncation_check, _KEPT),
    _a_file_of_something_else_is_named,
)
"""They write into a copy, never into the folder."""
