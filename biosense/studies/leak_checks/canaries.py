"""Canaries: procedures with a known answer, which a leak changes; a failing one blocks a result.

Each takes what is to be examined (a candidate, a splitter, a fitting procedure) and returns a
`Verdict`. `run_canaries` runs all that a candidate needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from biosense.core.affect import TARGETS
from biosense.core.errors import LeakFound
from biosense.core.types import Floats
from biosense.models.sequences import LabelledSequence
from biosense.studies.base import Candidate, Fold, Prediction, Predictor, StudyData
from biosense.studies.candidates.fit_folds import Fit, blind, fit_of, predict_folds
from biosense.studies.candidates.without_signal import Permuted
from biosense.studies.leak_checks.synthetic_data import (
    duplicated,
    followed_labels,
    trial_offset_noise,
)
from biosense.studies.scoring.predictions import Predictions
from biosense.studies.splits.protocols import PROTOCOLS, folds

Split = Callable[[StudyData], Sequence[Fold]]

POISON = 1e9
SURE = 0.995  # that chance stays below the limit
LIMITS = (0.05, 0.4)  # CCC: below the first nothing is claimed, the second no chance reaches
LEAST_REPEATS = 3
REPEATS = 6
SAME = 1e-5  # what streaming may differ from offline
GAP_S = 5.0  # of the made-up sessions, whose noise remembers nothing


@dataclass(frozen=True)
class Verdict:
    """Hold what a canary saw.

    Parameters
    ----------
    name
        Of the canary.
    passed
        False: there is a leak, and no score of the procedure counts.
    value, limit
        What was measured, and what it must not exceed.
    detail
        What it means.
    """

    name: str
    passed: bool
    value: float
    limit: float
    detail: str

    def demand(self) -> None:
        """Raise `LeakFound` unless the canary passed."""
        if not self.passed:
            raise LeakFound(f"{self.name}: {self.detail} ({self.value:.3g} > {self.limit:.3g})")


def split_by(protocol: str, seed: int = 0, n_folds: int = 3) -> Split:
    """Return the splitter of a protocol, for the made-up data of canaries."""
    return lambda data: folds(data, protocol, n_folds=n_folds, seed=seed, gap_s=GAP_S)


def random_labels(fit: Fit, split: Split, *, repeats: int = REPEATS, seed: int = 0) -> Verdict:
    """Demand chance on noise that carries a trace of each trial, with a random rating of each.

    Whatever has steps of one trial on both sides recognises the trial and knows its rating.

    Parameters
    ----------
    repeats
        Data sets, each made and fitted anew.
    """
    values = [
        _by_trial(predict_folds(fit, split(_noise(k)), k)) for k in range(seed, seed + repeats)
    ]
    return at_chance("random labels", values)


def permuted_labels(
    candidate: Candidate, made: Sequence[Fold], *, repeats: int = REPEATS, seed: int = 0
) -> Verdict:
    """Demand chance of a candidate fitted to labels permuted between each person's trials.

    Parameters
    ----------
    made
        Folds of real data, or of made-up data that can be learnt.
    repeats
        Permutations, each with a full refit.
    """
    fit = fit_of(Permuted(candidate))
    values = [_by_trial(predict_folds(fit, made, k)) for k in range(seed, seed + repeats)]
    return at_chance("permuted labels", values)


def at_chance(name: str, values: Sequence[float]) -> Verdict:
    """Demand that scores whose chance level is 0 are on average no higher than chance makes them.

    The spread over repeats decides, not that over people: everybody in a fold shares the luck of
    its fit.
    """
    from scipy.special import stdtrit

    known = np.array([value for value in values if np.isfinite(value)])
    if len(known) < LEAST_REPEATS:
        detail = f"{len(known)} scores; chance is known from {LEAST_REPEATS} repeats on"
        return Verdict(name, False, float("nan"), 0.0, detail)
    error = float(known.std(ddof=1) / np.sqrt(len(known)))
    limit = float(np.clip(stdtrit(len(known) - 1, SURE) * error, *LIMITS))
    value = float(known.mean())
    detail = f"mean CCC by trial of {len(known)} scores on labels that say nothing"
    return Verdict(name, value <= limit, value, limit, detail)


def _by_trial(predicted: Sequence[Prediction]) -> float:
    """Average over targets: both share the luck of one fit."""
    grouped = Predictions.of(predicted)
    return float(np.mean([grouped.sums("trial_ccc", target).value for target in TARGETS]))


def poison(fit: Fit, fold: Fold, *, seed: int = 0) -> Verdict:
    """Demand that test features of 1e9 change nothing that was fitted, to the bit."""
    ill = tuple(
        replace(s, data={m: np.full_like(x, POISON) for m, x in s.data.items()}) for s in fold.test
    )
    detail = "test features changed what was fitted"
    return _same_fit("poison", detail, fit, fold, replace(fold, test=ill), seed)


def selection_audit(fit: Fit, fold: Fold, *, seed: int = 0) -> Verdict:
    """Demand that negated test targets change nothing that was fitted or chosen, to the bit.

    A procedure that keeps its best test epoch keeps another one then.
    """
    turned = tuple(replace(s, target=-s.target) for s in fold.test)
    detail = "test targets changed what was fitted or chosen"
    return _same_fit("selection audit", detail, fit, fold, replace(fold, test=turned), seed)


class Epoch(Protocol):
    """What the log of a training says of one epoch."""

    @property
    def validation_ccc(self) -> float:
        """Score of the validation side."""
        ...

    @property
    def best_ccc(self) -> float:
        """Best one so far, whose weights are kept."""
        ...


def log_audit(history: Sequence[Epoch]) -> Verdict:
    """Demand that the score by which weights were kept is the validation side's best, throughout.

    Together with `selection_audit` it proves that no test score was read before the selection.
    """
    known = [np.nan_to_num(epoch.validation_ccc, nan=-np.inf) for epoch in history]
    kept = [epoch.best_ccc for epoch in history]
    wrong = sum(a != b for a, b in zip(np.maximum.accumulate(known).tolist(), kept, strict=True))
    detail = "epochs whose kept score is not the best of the validation side so far"
    return Verdict("log audit", bool(history) and wrong == 0, float(wrong), 0.0, detail)


def future_edit(
    predictor: Predictor, sequence: LabelledSequence, *, seed: int = 0, same: float = SAME
) -> Verdict:
    """Demand that features altered after a step change no estimate up to it."""
    rng = np.random.default_rng(seed)
    before = predictor.predict(blind(sequence))
    worst = 0.0
    for step in sorted({sequence.n // 4, sequence.n // 2, sequence.n - 2} - {-1}):
        after = predictor.predict(blind(_edited(sequence, step, rng)))
        worst = max(
            worst, *(_gap(a[: step + 1], b[: step + 1]) for a, b in zip(before, after, strict=True))
        )
    return Verdict("future edit", worst <= same, worst, same, "later features changed estimates")


def targets_unread(predictor: Predictor, sequence: LabelledSequence) -> Verdict:
    """Demand that estimates are the same whatever the targets of the sequence are."""
    pairs = zip(predictor.predict(sequence), predictor.predict(blind(sequence)), strict=True)
    worst = max(_gap(a, b) for a, b in pairs)
    return Verdict("targets unread", worst == 0, worst, 0.0, "targets changed estimates")


def duplicate_caught(
    data: StudyData, split: Split, *, noise: float = 0.01, seed: int = 0
) -> Verdict:
    """Demand that a splitter refuses a data set in which a person occurs under a second name."""
    detail = "a person under a second name went through"
    try:
        split(duplicated(data, noise=noise, seed=seed))
    except LeakFound:
        return Verdict("duplicate", True, 0.0, 0.0, detail)
    return Verdict("duplicate", False, 1.0, 0.0, detail)


def run_canaries(
    candidate: Candidate,
    protocols: Sequence[str] = tuple(PROTOCOLS),
    *,
    repeats: int = REPEATS,
    seed: int = 0,
) -> list[Verdict]:
    """Run every canary on a candidate, over made-up data.

    Parameters
    ----------
    protocols
        In which random labels must score at chance. With all four and six repeats it takes about
        120 fits to at most 80 short sequences.
    """
    fit, verdicts = fit_of(candidate), []
    for protocol in protocols:
        split = split_by(protocol, seed)
        found = random_labels(fit, split, repeats=repeats, seed=seed)
        caught = duplicate_caught(_noise(seed), split, seed=seed)
        verdicts += [replace(v, name=f"{v.name}, {protocol}") for v in (found, caught)]
    made = split_by("subject", seed)(followed_labels(10, 6, n_steps=40, seed=seed))
    verdicts.append(permuted_labels(candidate, made, repeats=repeats, seed=seed))
    verdicts += [poison(fit, made[0], seed=seed), selection_audit(fit, made[0], seed=seed)]
    fitted, test = fit(made[0], seed), made[0].test[0]
    return [*verdicts, future_edit(fitted, test, seed=seed), targets_unread(fitted, test)]


def _noise(seed: int) -> StudyData:
    return trial_offset_noise(10, 8, n_steps=20, seed=seed)


def _same_fit(name: str, detail: str, fit: Fit, fold: Fold, other: Fold, seed: int) -> Verdict:
    """Compare what two fits say of everything in the fold."""
    first, second = fit(fold, seed), fit(other, seed)
    asked = [blind(s) for s in (*fold.train, *fold.validation, *fold.test)]
    worst = max(
        _gap(a, b)
        for sequence in asked
        for a, b in zip(first.predict(sequence), second.predict(sequence), strict=True)
    )
    return Verdict(name, worst == 0, worst, 0.0, detail)


def _edited(sequence: LabelledSequence, step: int, rng: np.random.Generator) -> LabelledSequence:
    """Return the sequence with other features and qualities after a step."""
    after = np.arange(sequence.n) > step
    return replace(
        sequence,
        data={
            m: np.where(after[:, None], 1e3 * rng.standard_normal(x.shape), x)
            for m, x in sequence.data.items()
        },
        quality={
            m: np.where(after, rng.random(sequence.n), q) for m, q in sequence.quality.items()
        },
    )


def _gap(a: Floats, b: Floats) -> float:
    """Return the largest difference; infinite where only one of two is known."""
    if (np.isfinite(a) != np.isfinite(b)).any():
        return float("inf")
    known = np.isfinite(a)
    return float(np.abs(a[known] - b[known]).max(initial=0.0))
