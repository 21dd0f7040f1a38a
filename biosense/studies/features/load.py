"""A data set as the features of everybody in it: read, extracted or found again, and told."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from biosense.core.errors import DatasetDamaged
from biosense.datasets.base import Dataset
from biosense.studies.base import StudyData
from biosense.studies.executor import Executor
from biosense.studies.features.cache import FeatureCache
from biosense.studies.features.extract import (
    Extracted,
    ExtractSettings,
    extract_trials,
    feature_names,
)
from biosense.studies.features.keys import Contents, feature_key
from biosense.studies.kept_files import CacheDamaged

Log = Callable[[str], None]


@dataclass(frozen=True)
class LoadSettings:
    """Say how features come about; none of it changes what they are but `extract`.

    Parameters
    ----------
    extract
        What changes the numbers.
    cache
        Where features are kept; None keeps nothing.
    executor
        Where people are extracted, one job each.
    subjects
        Who is read; empty: everybody.
    """

    extract: ExtractSettings = field(default_factory=ExtractSettings)
    cache: FeatureCache | None = None
    executor: Executor = field(default_factory=Executor)
    subjects: tuple[str, ...] = ()


def load_study(dataset: Dataset, settings: LoadSettings, *, log: Log = lambda _: None) -> StudyData:
    """Read a data set and compute the features of everybody in it.

    A person whose files are damaged is left out, and that is told in the notes.

    Parameters
    ----------
    log
        Told a line about everything that takes time, and about everything that is found again.

    Raises
    ------
    BadInput
        Nobody gave a sequence, or features of two people have different names.
    """
    subjects = [who for who in dataset.subjects if who in (settings.subjects or dataset.subjects)]
    keys = _keys(dataset, subjects, settings, log)
    found = _found(keys, settings.cache, log)
    if found:
        log(f"features of {len(found)} of {len(subjects)} people found again in the cache")
    extracted, notes = dict(found), _lacking(dataset)
    lacking = [subject for subject in subjects if subject not in found]
    shared = (dataset, settings.extract)
    for number, (subject, result) in enumerate(settings.executor.run(_extract, shared, lacking), 1):
        if isinstance(result, str):
            notes.append(f"{subject} is left out: {result}")
            log(notes[-1])
            continue
        extracted[subject] = result
        if settings.cache is not None:
            settings.cache.put(keys[subject], result)
        log(f"features of {subject} computed, {number} of {len(lacking)}")
    parts = [extracted[subject] for subject in subjects if subject in extracted]
    return _study_data(dataset, subjects, keys, parts, notes)


def _lacking(dataset: Dataset) -> list[str]:
    missing = dataset.missing
    return [f"not in this copy: {'; '.join(missing)}"] if missing else []


def _keys(
    dataset: Dataset, subjects: Sequence[str], settings: LoadSettings, log: Log
) -> dict[str, str]:
    log(f"looking at the files of {len(subjects)} people")
    contents = Contents(settings.cache.folder if settings.cache else None)
    name = dataset.about.name
    keys = {
        who: feature_key(name, who, dataset.files(who), settings.extract, contents, type(dataset))
        for who in subjects
    }
    contents.remember()
    return keys


def _found(keys: dict[str, str], cache: FeatureCache | None, log: Log) -> dict[str, Extracted]:
    found = {}
    for subject, key in keys.items() if cache else ():
        try:
            kept = cache.get(key) if cache else None
        except CacheDamaged as damage:
            log(str(damage))
            continue
        if kept is not None:
            found[subject] = kept
    return found


def _extract(shared: tuple[Dataset, ExtractSettings], subject: str) -> tuple[str, Extracted | str]:
    dataset, settings = shared
    try:
        return subject, extract_trials(dataset.load(subject), settings)
    except DatasetDamaged as error:
        return subject, str(error)


def _study_data(
    dataset: Dataset,
    subjects: Sequence[str],
    keys: dict[str, str],
    parts: Sequence[Extracted],
    notes: Sequence[str],
) -> StudyData:
    fingerprint = hashlib.sha256(repr([keys[who] for who in subjects]).encode()).hexdigest()[:16]
    sequences = [sequence for part in parts for sequence in part.sequences]
    groups, folds = dataset.subject_groups, dataset.stated_folds
    return StudyData(
        dataset.about.name,
        tuple(sorted(sequences, key=lambda each: (each.subject, each.position))),
        feature_names(parts),
        fingerprint,
        subject_groups={who: groups[who] for who in subjects if who in groups},
        stated_folds={who: folds[who] for who in subjects if who in folds},
        notes=(*notes, *(note for part in parts for note in part.notes)),
    )
