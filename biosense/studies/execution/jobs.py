"""One job of a study: fit a candidate in one fold with one seed, ask it, give back arrays."""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.models.registry import MODELS
from biosense.models.sequences import LabelledSequence
from biosense.studies.base import Fold, Prediction, Predictor, StudyData
from biosense.studies.candidates.corruptions import Variant, scale_of
from biosense.studies.candidates.fit_folds import blind
from biosense.studies.code_hash import foreign_code, library_versions, running_code
from biosense.studies.execution.calibration import calibrate, sides_of
from biosense.studies.execution.plan import Entry, Plan
from biosense.studies.kept_files import UNREADABLE, CacheDamaged, write_atomically
from biosense.studies.leak_checks.lookahead import lookahead
from biosense.studies.scoring.series import series_of
from biosense.studies.scoring.variant_scores import series_moments

STUDY_CODE = (
    *("core", "models", "studies/base.py", "studies/candidates", "studies/code_hash.py"),
    *("studies/execution", "studies/kept_files.py", "studies/leak_checks", "studies/scoring"),
    "studies/splits",
)
"""What a fit and its answers are computed by, below the package."""

LIBRARIES = ("numpy", "safetensors", "scipy", "sklearn", "torch")


@dataclass(frozen=True)
class Job:
    """Name one fit: entry of the plan, fold of the split, seed."""

    entry: int
    fold: int
    seed: int


@dataclass(frozen=True, eq=False)
class JobResult:
    """Hold what a fit said of the test sequences of its fold, in their order.

    Parameters
    ----------
    mean, sd
        (time, 2) for each sequence.
    moments
        For each variant and sequence, (variants, sequences, 2, 6): what every score is made of.
    seconds
        That the fit and its answers took.
    calibrated
        As of `calibrate`; without steps where nothing was calibrated.
    lookahead
        By how much later features changed earlier estimates of the first test sequence.
    """

    job: Job
    mean: tuple[Floats, ...]
    sd: tuple[Floats, ...]
    moments: Floats
    seconds: float
    calibrated: Floats = field(default_factory=lambda: np.empty((0, 0, 0, 2)))
    lookahead: float = 0.0


def jobs_of(plan: Plan, folds: Sequence[Fold]) -> list[Job]:
    """Return all jobs, fold by fold, so that what is there early is whole."""
    return [
        Job(number, fold, seed)
        for fold in range(len(folds))
        for number, entry in enumerate(plan.entries)
        for seed in entry.seeds
    ]


def carry_out(shared: tuple[StudyData, Plan], job: Job) -> JobResult:
    """Fit and ask; the candidate never holds a target of a test sequence in its hands."""
    data, plan = shared
    began = time.monotonic()
    entry, fold = plan.entries[job.entry], plan.split.of(data)[job.fold]
    predictor = entry.candidate.fit(fold.train, fold.validation, job.seed)
    said = _ask(predictor, entry, fold.test)
    asked = _ask_variants(predictor, entry, fold)
    personal = _calibrated(data, plan, entry, predictor, fold)
    ahead = lookahead(predictor, fold.test[0])
    means, sds = (tuple(part) for part in zip(*said, strict=True))
    return JobResult(job, means, sds, asked, time.monotonic() - began, personal, ahead)


def _calibrated(
    data: StudyData, plan: Plan, entry: Entry, predictor: Predictor, fold: Fold
) -> Floats:
    if entry.calibration is None:
        return np.empty((0, 0, 0, 2))
    sides = sides_of(data, plan.split.protocol, fold, entry.calibration)
    return calibrate(predictor, sides, entry.calibration)


@runtime_checkable
class PredictsMany(Protocol):
    """A predictor that is faster with several sequences at once."""

    def predict_all(self, sequences: Sequence[LabelledSequence]) -> Sequence[tuple[Floats, Floats]]:
        """Return mean and standard deviation for each sequence, both (time, 2)."""
        ...


def _ask(
    predictor: Predictor, entry: Entry, sequences: Sequence[LabelledSequence]
) -> list[tuple[Floats, Floats]]:
    blinded = [blind(sequence) for sequence in sequences]
    if isinstance(predictor, PredictsMany):
        said = list(predictor.predict_all(blinded))
    else:
        said = [predictor.predict(sequence) for sequence in blinded]
    for sequence, (mean, sd) in zip(blinded, said, strict=True):
        if mean.shape != (sequence.n, 2) or sd.shape != (sequence.n, 2):
            raise BadInput(
                f"{entry.name!r} said {mean.shape} and {sd.shape} of a sequence of {sequence.n} "
                f"steps; wanted ({sequence.n}, 2) twice"
            )
    return said


def _ask_variants(predictor: Predictor, entry: Entry, fold: Fold) -> Floats:
    sums = np.zeros((len(entry.variants), len(fold.test), 2, 6))
    scale = scale_of(fold.train) if entry.variants else {}
    for row, variant in enumerate(entry.variants):
        changed = [variant.apply(sequence, scale) for sequence in fold.test]
        said = _ask(predictor, entry, changed)
        for column, (sequence, (mean, sd)) in enumerate(zip(fold.test, said, strict=True)):
            sums[row, column] = series_moments(series_of(Prediction(sequence, mean, sd, fold.name)))
    return sums


def job_key(data: StudyData, plan: Plan, job: Job) -> str:
    """Return a hash of everything that the result of a job depends on."""
    entry = plan.entries[job.entry]
    variants: tuple[Variant, ...] = entry.variants
    parts = (
        data.fingerprint,
        sorted(data.subject_groups.items()),
        sorted(data.stated_folds.items()),
        plan.split,
        entry.candidate,
        variants,
        entry.calibration,
        job.fold,
        job.seed,
        running_code(STUDY_CODE),
        foreign_code(family.model for family in MODELS.foreign().values()),
        foreign_code(_classes(entry.candidate)),
        library_versions(LIBRARIES),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _classes(part: object) -> Iterator[type]:
    """Return the classes that a candidate is made of: somebody's own may lie anywhere in it."""
    if is_dataclass(part):
        yield type(part)
        for inner in fields(part):
            yield from _classes(getattr(part, inner.name))


@dataclass(frozen=True)
class JobStore:
    """Keep results of jobs in a folder, so that a study that was stopped goes on where it was."""

    folder: Path

    def get(self, key: str, job: Job) -> JobResult | None:
        """Return what was kept, or None.

        Raises
        ------
        CacheDamaged
            There is a file that cannot be read.
        """
        path = self._path(key)
        if not path.is_file():
            return None
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
                about = json.loads(str(file["about"]))
                if about["key"] != key:
                    raise CacheDamaged("it belongs to another job")
                cuts = np.cumsum(file["lengths"])[:-1]
                mean, sd = (tuple(np.split(file[name], cuts)) for name in ("mean", "sd"))
                seconds, ahead = float(about["seconds"]), float(about["lookahead"])
                moments, calibrated = file["moments"], file["calibrated"]
                return JobResult(job, mean, sd, moments, seconds, calibrated, ahead)
        except (*UNREADABLE, CacheDamaged) as error:
            raise CacheDamaged(f"{path} is damaged and is computed again: {error!r}") from error

    def put(self, key: str, result: JobResult) -> None:
        """Keep a result, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        about = {"key": key, "seconds": result.seconds, "lookahead": result.lookahead}
        content: dict[str, Any] = {
            "about": np.array(json.dumps(about)),
            "lengths": np.array([len(mean) for mean in result.mean]),
            "mean": np.concatenate(result.mean),
            "sd": np.concatenate(result.sd),
            "moments": result.moments,
            "calibrated": result.calibrated,
        }
        file = io.BytesIO()
        np.savez_compressed(file, allow_pickle=False, **content)
        write_atomically(self._path(key), file.getvalue())

    def _path(self, key: str) -> Path:
        return self.folder / f"{key[:40]}.npz"
