"""What a study will do: which candidates, split how, fitted how often, and asked what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.models.registry import MODELS
from biosense.models.training.train import TrainingSettings
from biosense.studies.base import Candidate, Fold, StudyData
from biosense.studies.candidates.baselines import ForestCandidate, RidgeCandidate
from biosense.studies.candidates.controls import CONTROLS, controls_for
from biosense.studies.candidates.corruptions import Variant, corruptions, masks
from biosense.studies.candidates.families import FamilyCandidate, subsets
from biosense.studies.execution.calibration import Calibration, calibration_for
from biosense.studies.splits.protocols import GAP_S, folds

BESIDE = ("early", "late")
"""Families that the chosen one is always compared with: the plainest fusion, and none."""

_DRAWN = ("class prior",)  # of the controls that fit nothing anew, those that draw at random


class Kind(StrEnum):
    """Name what an entry is to a study."""

    MODEL = "model"
    PLAIN = "plain model"
    """Handcrafted summaries and a regression: what a network must justify itself against."""
    SINGLE = "single modality"
    SUBSET = "subset"
    CONTROL = "control"
    MARK = "mark"
    """A control that reads labels of the test person: no rival, only something to be seen."""


@dataclass(frozen=True)
class Split:
    """Say how a data set is split; equal splits of equal data give equal folds.

    Parameters
    ----------
    protocol
        A key of `PROTOCOLS`.
    n_folds, seed, validation, gap_s
        As of `folds`.
    """

    protocol: str
    n_folds: int = 5
    seed: int = 0
    validation: float = 0.2
    gap_s: float = GAP_S

    def of(self, data: StudyData) -> list[Fold]:
        """Split a data set."""
        return folds(
            data,
            self.protocol,
            n_folds=self.n_folds,
            seed=self.seed,
            validation=self.validation,
            gap_s=self.gap_s,
        )


@dataclass(frozen=True)
class Entry:
    """Hold a candidate, what it is to the study, and how often it is fitted.

    Parameters
    ----------
    kind, name, about
        For tables; names are unique within a plan.
    candidate
        What is fitted.
    seeds
        One fit each, in each fold.
    variants
        What is asked of each fit beside the test sequences as they are.
    modalities
        Those that it sees; empty: all, or none.
    calibration
        How each fit is calibrated to each test person; None: not at all.
    """

    kind: Kind
    name: str
    candidate: Candidate
    seeds: tuple[int, ...]
    about: str = ""
    variants: tuple[Variant, ...] = ()
    modalities: tuple[Modality, ...] = ()
    calibration: Calibration | None = None


@dataclass(frozen=True)
class Plan:
    """Hold everything that a study will do; `chosen` names the entry that the headline is about.

    It is chosen before anything is scored.
    """

    split: Split
    entries: tuple[Entry, ...]
    chosen: str

    def __post_init__(self) -> None:
        names = [entry.name for entry in self.entries]
        if len(set(names)) != len(names):
            raise BadInput(f"entries of a study need different names, got {names}")
        if self.chosen not in names:
            raise BadInput(f"{self.chosen!r} must be one of the entries, {names}")
        if any(not entry.seeds for entry in self.entries):
            raise BadInput("every entry of a study needs at least one seed")

    def of_kind(self, *kinds: Kind) -> list[Entry]:
        """Return the entries of these kinds."""
        return [entry for entry in self.entries if entry.kind in kinds]


@dataclass(frozen=True)
class PlanSettings:
    """Say what a study of fusion families looks at.

    Parameters
    ----------
    families
        Keys of `MODELS`; the headline is about the first. `BESIDE` is added.
    training
        Of every fit.
    seeds
        Of the fits.
    refit_subsets
        Fit the chosen family anew for every subset of modalities; otherwise its fits are asked with
        the others masked, which costs nothing.
    robustness
        Ask the chosen family and `BESIDE` what they make of modalities that fail.
    plain
        Regressions on running means of the features: the least that a network must beat.
    calibrate
        Numbers of labelled videos with which the chosen family is calibrated to each test person;
        none at all: no calibration; None: see `calibration_for`.
    """

    families: tuple[str, ...] = ("cross_attention",)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    refit_subsets: bool = False
    robustness: bool = True
    plain: tuple[RidgeCandidate | ForestCandidate, ...] = (RidgeCandidate(), ForestCandidate())
    calibrate: tuple[int, ...] | None = None


def modalities_of(data: StudyData) -> tuple[Modality, ...]:
    """Return the modalities that occur in a data set, in the order of `Modality`."""
    having = {modality for sequence in data.sequences for modality in sequence.data}
    return tuple(modality for modality in Modality if modality in having)


def plan_study(data: StudyData, split: Split, settings: PlanSettings) -> Plan:
    """Put a study together: families, single modalities, subsets, and the controls of the protocol.

    Raises
    ------
    BadInput
        A family is unknown or named twice, or none is named; or there is nobody to calibrate to.
    """
    if not settings.families or len(set(settings.families)) != len(settings.families):
        raise BadInput(f"a study needs different families, got {list(settings.families)}")
    for name in settings.families:
        MODELS[name]  # answers a wrong name with the right ones
    there = modalities_of(data)
    chosen = settings.families[0]
    beside = [name for name in BESIDE if name not in settings.families] if len(there) > 1 else []
    entries = [_family(name, settings, there) for name in (*settings.families, *beside)]
    calibration = calibration_for(data, split.protocol, settings.calibrate)
    entries[0] = replace(entries[0], calibration=calibration)
    if len(there) > 1:
        entries += _subsets(chosen, settings, there)
    entries += _plain(settings)
    return Plan(split, (*entries, *_controls(data, split, chosen, settings)), chosen)


def _family(name: str, settings: PlanSettings, there: Sequence[Modality]) -> Entry:
    asked: list[Variant] = []
    is_chosen = name == settings.families[0]
    if len(there) > 1 and is_chosen and not settings.refit_subsets:
        asked += masks(there)
    if len(there) > 1 and settings.robustness and (is_chosen or name in BESIDE):
        asked += corruptions(there)
    candidate = FamilyCandidate(name, settings.training)
    about = "fusion of all modalities" if len(there) > 1 else "the one modality that there is"
    return Entry(Kind.MODEL, name, candidate, settings.seeds, about, tuple(asked), tuple(there))


def _plain(settings: PlanSettings) -> list[Entry]:
    about = "regression on running means of all features"
    return [
        Entry(
            Kind.PLAIN,
            each.name,
            each,
            settings.seeds if isinstance(each, ForestCandidate) else settings.seeds[:1],
            about,
        )
        for each in settings.plain
    ]


def _subsets(chosen: str, settings: PlanSettings, there: Sequence[Modality]) -> list[Entry]:
    """Return the chosen family with one modality each; with every subset where that is wanted."""
    entries = []
    for subset in subsets(there):
        kind = Kind.SINGLE if len(subset) == 1 else Kind.SUBSET
        wanted = kind is Kind.SINGLE or settings.refit_subsets
        if wanted and len(subset) < len(there):
            candidate = FamilyCandidate(chosen, settings.training, subset)
            about = f"{chosen}, fitted to these modalities alone"
            entries.append(
                Entry(kind, candidate.name, candidate, settings.seeds, about, (), subset)
            )
    return entries


def _controls(data: StudyData, split: Split, chosen: str, settings: PlanSettings) -> list[Entry]:
    base = FamilyCandidate(chosen, settings.training)
    entries = []
    for name, candidate in controls_for(data, split.protocol, base).items():
        control = CONTROLS[name]
        kind = Kind.MARK if control.needs_labels else Kind.CONTROL
        drawn = control.needs_base or name in _DRAWN
        seeds = settings.seeds if drawn else settings.seeds[:1]
        entries.append(Entry(kind, name, candidate, seeds, control.meaning))
    return entries
