"""What every data set promises: SI units, rising times, ratings in [-1, 1], damage named."""

from __future__ import annotations

import gc
import re
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from biosense.core.affect import TARGETS
from biosense.core.errors import BadInput
from biosense.datasets.base import DatasetKind, as_kind
from biosense.datasets.registry import DATASETS
from biosense.testing.contract import Check, promise, require
from biosense.testing.dataset_damage import DAMAGE_CHECKS
from biosense.testing.dataset_example import DatasetExample, assert_equal, everything, listed

UNITS = ("V", "S", "degC", "s", "ohm", "bpm", "m", "px", "%", "")
"""Units of streams as readers give them; nothing for a signal without."""

_ROUNDING_S = 1e-6


def check_dataset(
    reader: str | DatasetKind | Callable[[Path], Any], root: str | Path | None = None
) -> None:
    """Try whether a data set does what every data set promises; the first promise broken is raised.

    These are the checks that biosense's own readers pass; features, splits and scores of studies
    rest on them. Some damage files: they work on a copy, so a few people are enough.

    Parameters
    ----------
    reader
        A registered name, a `DatasetKind`, or the class of a data set as `register_dataset` takes
        it.
    root
        Folder with files of the data set. None fabricates a miniature of two people, for a data set
        that can.

    Raises
    ------
    ContractBroken
        With the promise, what was got and wanted, and what to do.
    BadInput
        No root, and nothing that fabricates.

    Examples
    --------
    >>> check_dataset("dreamer")
    """
    name = reader if isinstance(reader, str) else ""
    kind = DATASETS[name] if name else as_kind(reader)
    if root is not None:
        _try_all(DatasetExample(kind, Path(root), name=name))
        return
    if kind.fabricate is None:
        raise BadInput(f"data set {kind.about.name!r} cannot be fabricated: name its folder, root=")
    with tempfile.TemporaryDirectory(prefix="biosense-") as folder:
        kind.fabricate(Path(folder), 2, 0)
        _try_all(DatasetExample(kind, Path(folder), people=2, seed=0, name=name))


def _try_all(example: DatasetExample) -> None:
    for check in DATASET_CHECKS:
        check(example)


@promise("fill every field of About: a name, title, citation, link, and at least as many people")
def _it_says_what_it_is(example: DatasetExample) -> None:
    """A data set says what it is, how it is cited and where it is given out."""
    about = example.kind.about
    named = about.name == (example.name or about.name)
    require(named, f"about.name {about.name!r}", f"{example.name!r}, as it is registered")
    for name in ("name", "title", "citation", "access"):
        require(bool(getattr(about, name)), f"an empty {name}", "some words")
    link = re.search(r"https?://", about.access)
    require(link is not None, f"access {about.access!r}", "an address where it is given out")
    opened = example.kind.open(example.folder)
    require(opened.about == about, opened.about, f"{about}, as before it is opened")
    people = len(opened.subjects)
    require(about.people >= people, f"people={about.people}", f"at least the {people} found")


@promise("sort subjects, list each once, and return from files() every file that load() reads")
def _people_are_listed_sorted_with_their_files(example: DatasetExample) -> None:
    """People are listed sorted, each with its files."""
    dataset = example.kind.open(example.folder)
    subjects = list(dataset.subjects)
    require(subjects == sorted(set(subjects)) != [], subjects, "people, sorted, each once")
    wanted = example.people
    require(wanted in (None, len(subjects)), f"{len(subjects)} people", f"{wanted}")
    strangers = set(dataset.subject_groups) - set(subjects)
    require(not strangers, f"groups of {sorted(strangers)}", "groups of people listed")
    for subject in subjects:
        files = list(dataset.files(subject))
        there = bool(files) and all(path.is_file() for path in files)
        require(there, f"files {files} of {subject!r}", "files that are there")


@promise("compare what is there with about.people and list the rest, a line each")
def _what_is_missing_is_listed(example: DatasetExample) -> None:
    """What the complete set has and this copy lacks is listed."""
    dataset = example.kind.open(example.folder)
    missing, people = list(dataset.missing), len(dataset.subjects)
    complete = people >= example.kind.about.people
    told = bool(missing) or complete
    require(told, f"nothing, with {people} of {example.kind.about.people} people", "a line or more")
    lines = [line.strip() for line in missing]
    require(all(lines) and len(set(lines)) == len(lines), missing, "lines, each once")


@promise("convert to SI units in load(), make times rise, and tell the dtype in StreamInfo")
def _streams_are_in_si_units_on_rising_times(example: DatasetExample) -> None:
    """Streams are in SI units, on finite times that rise."""
    for subject, recording in example.recordings.items():
        require(recording.subject == subject, recording.subject, f"{subject!r}")
        names = [chunk.info.name for chunk in recording.streams]
        require(len(set(names)) == len(names) > 0, names, "streams, each by a name of its own")
        for chunk in everything(recording):
            where = f"in {chunk.info.name!r} of {subject!r}"
            require(chunk.info.unit in UNITS, f"unit {chunk.info.unit!r} {where}", f"{UNITS}")
            dtype = chunk.data.dtype.name
            require(dtype == chunk.info.dtype, f"{dtype} {where}", chunk.info.dtype)
            rising = np.isfinite(chunk.times).all() and (np.diff(chunk.times) > 0).all()
            require(bool(rising), f"times {chunk.times} {where}", "finite times that rise")
            some = np.isfinite(chunk.data[chunk.ok]).any()
            require(bool(some), f"no finite sample that is ok {where}", "some")


@promise("give each trial the session times of its own samples, in the order in which it was shown")
def _trials_lie_inside_of_the_streams(example: DatasetExample) -> None:
    """Trials follow each other without overlap, and every stream has samples in each."""
    for recording in example.recordings.values():
        require(bool(recording.trials), "no trials", "some")
        streams = recording.streams
        first = min(chunk.times[0] for chunk in streams) - _ROUNDING_S
        last = max(
            chunk.times[-1] + (1 / chunk.info.sfreq if chunk.info.sfreq else 1.0)
            for chunk in streams
        )
        before = -np.inf
        for trial in recording.trials:
            require(bool(trial.stimulus), f"{trial} without a stimulus", "what was shown")
            begin = trial.start if trial.baseline is None else trial.baseline
            inside = first <= begin <= trial.start < trial.stop <= last + _ROUNDING_S
            require(inside, trial, f"a trial between {first} and {last} s")
            require(trial.start >= before, trial, f"one that begins after {before} s")
            before = trial.stop
            for chunk in streams:
                there = (chunk.times >= trial.start) & (chunk.times < trial.stop)
                require(bool(there.any()), f"nothing of {chunk.info.name!r} in {trial}", "samples")


@promise("map ratings to [-1, 1]; annotations have the channels ('valence', 'arousal')")
def _what_people_said_is_on_the_scale(example: DatasetExample) -> None:
    """What people said of valence and arousal lies in [-1, 1]."""
    said = 0
    for recording in example.recordings.values():
        given = [trial.rating for trial in recording.trials if trial.rating]
        for rating in (*given, *recording.ratings):
            inside = -1 <= rating.valence <= 1 and -1 <= rating.arousal <= 1
            require(inside, rating, "valence and arousal in [-1, 1]")
        for chunk in recording.annotations:
            channels = chunk.info.channels
            require(channels == TARGETS, channels, str(TARGETS))
            values = chunk.data[chunk.ok]
            largest = np.abs(values[np.isfinite(values)]).max(initial=0.0)
            require(bool(largest <= 1), f"an annotation of size {largest}", "at most 1")
        said += len(given) + len(recording.ratings) + sum(c.n for c in recording.annotations)
        annotated = bool(recording.annotations) or not example.kind.about.continuous
        require(annotated, "no annotations", "some: about.continuous is True")
    require(said > 0, "no rating of anybody", "some: they are what is learnt")


@promise("read from the files alone: no random numbers, no state kept from one load to the next")
def _each_load_gives_the_same(example: DatasetExample) -> None:
    """Each load of a person gives the same."""
    dataset = example.kind.open(example.folder)
    for subject in reversed(list(dataset.subjects)):
        assert_equal(dataset.load(subject), example.recordings[subject])


@promise("sort what glob(), iterdir() or listdir() return")
def _the_order_of_directories_changes_nothing(example: DatasetExample) -> None:
    """The order in which the system lists a folder changes nothing."""
    with listed(backwards=False):
        before = example.kind.open(example.folder)
        read = {subject: before.load(subject) for subject in before.subjects}
    with listed(backwards=True):
        dataset = example.kind.open(example.folder)
        for name in ("subjects", "missing"):
            got, wanted = list(getattr(dataset, name)), list(getattr(before, name))
            require(got == wanted, f"{name} {got}", f"{wanted}, as in the other order")
        for subject, recording in read.items():
            files, wanted = list(dataset.files(subject)), list(before.files(subject))
            require(files == wanted, files, f"{wanted}, as in the other order")
            assert_equal(dataset.load(subject), recording)


@promise("raise BadInput in load() for a person who is not listed, and name those who are")
def _nobody_is_loaded_who_is_not_there(example: DatasetExample) -> None:
    """Nobody is loaded who is not there."""
    dataset = example.kind.open(example.folder)
    try:
        loaded: object = dataset.load("nobody")
    except BadInput as error:
        named = dataset.subjects[0] in str(error)
        require(named, error, f"a BadInput that names who is there: {dataset.subjects[0]!r}, ..")
    else:
        require(False, loaded, "a BadInput from load('nobody')")


@promise("keep no recording in the data set: a study reads hundreds, one by one")
def _nothing_is_kept_of_what_was_read(example: DatasetExample) -> None:
    """A data set keeps nothing of what it has read."""
    dataset = example.kind.open(example.folder)
    dataset.load(dataset.subjects[0])
    gc.collect()
    tracemalloc.start()
    try:
        dataset.load(dataset.subjects[-1])
        gc.collect()
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    most = 0.1 * peak + 2**20
    require(kept < most, f"{kept / 2**20:.1f} MiB kept", f"less than {most / 2**20:.1f} MiB")


@promise("draw from default_rng(seed) only, and let the seed change the signals")
def _a_seed_makes_the_same_miniature_again(example: DatasetExample) -> None:
    """A seed fabricates the same miniature again, another seed another one."""
    if example.seed is None or example.kind.fabricate is None:
        return
    subject, recording = next(iter(example.recordings.items()))
    for seed, wanted in ((example.seed, "the same"), (example.seed + 1, "another")):
        with tempfile.TemporaryDirectory(prefix="biosense-") as folder:
            example.kind.fabricate(Path(folder), len(example.recordings), seed)
            made = example.kind.open(Path(folder)).load(subject)
        pairs = zip(everything(made), everything(recording), strict=True)
        equal = all(np.array_equal(one.data, two.data, equal_nan=True) for one, two in pairs)
        right = equal == (seed == example.seed)
        require(right, f"{'equal' if equal else 'other'} data with seed {seed}", wanted)


DATASET_CHECKS: tuple[Check[DatasetExample], ...] = (
    _it_says_what_it_is,
    _people_are_listed_sorted_with_their_files,
    _what_is_missing_is_listed,
    _streams_are_in_si_units_on_rising_times,
    _trials_lie_inside_of_the_streams,
    _what_people_said_is_on_the_scale,
    _each_load_gives_the_same,
    _the_order_of_directories_changes_nothing,
    _nobody_is_loaded_who_is_not_there,
    _nothing_is_kept_of_what_was_read,
    _a_seed_makes_the_same_miniature_again,
    *DAMAGE_CHECKS,
)
"""What `check_dataset` tries, in this order; the contract tests cross it with every data set."""
