"""Run a model over whole sequences, score it, and make its standard deviations honest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch

from biosense.core.affect import TARGETS
from biosense.core.types import Floats
from biosense.models.base import FusionModel
from biosense.models.batches import collate, presence
from biosense.models.evaluation.conformal import Intervals, fit_intervals
from biosense.models.evaluation.metrics import (
    COVERAGE_LEVELS,
    Scores,
    ccc,
    coverage,
    mean_over_subjects,
    nll,
    score,
)
from biosense.models.sequences import LabelledSequence

MAX_LOG_TEMPERATURE = 3.0  # beyond a factor of 20 the model, not its calibration, is at fault


@dataclass(frozen=True, eq=False)
class Prediction:
    """Hold what a model says of one sequence.

    Parameters
    ----------
    mean, sd
        Valence and arousal, (time, 2).
    weight
        Share of each modality, (time, modalities).
    """

    mean: Floats
    sd: Floats
    weight: Floats


@dataclass(frozen=True)
class TargetEvaluation:
    """Hold the scores of one target with the uncertainty's: all are means over subjects.

    Parameters
    ----------
    scores
        CCC, Pearson, RMSE, MAE.
    nll
        Negative log-likelihood, nats.
    mean_sd
        Mean claimed standard deviation.
    coverage
        Share of targets inside the central interval of each level.
    """

    scores: Scores
    nll: float
    mean_sd: float
    coverage: Mapping[float, float]

    def as_dict(self) -> dict[str, float | None]:
        """Return all numbers by name, as JSON wants them.

        Returns
        -------
        dict
            Coverage under "coverage_50" and so on; None for NaN.
        """
        flat = {**asdict(self.scores), "nll": self.nll, "mean_sd": self.mean_sd}
        flat |= {f"coverage_{round(100 * level)}": share for level, share in self.coverage.items()}
        return {name: value if math.isfinite(value) else None for name, value in flat.items()}


def predict(model: FusionModel, sequence: LabelledSequence) -> Prediction:
    """Estimate at every step of a sequence; the model is left in evaluation mode.

    Parameters
    ----------
    model
        On whatever device it is.
    sequence
        Of one recording.

    Returns
    -------
    Prediction
        Of every step.
    """
    model.eval()
    batch = collate([sequence], model.config.modalities).to(model.head.prior_mean.device)
    with torch.inference_mode():
        output = model(batch.x, batch.present)
    arrays = (output.mean, output.sd, output.weight)
    return Prediction(*[tensor[0].double().cpu().numpy() for tensor in arrays])


def evaluate(
    model: FusionModel, sequences: Sequence[LabelledSequence]
) -> dict[str, TargetEvaluation]:
    """Score a model on labelled sequences.

    Parameters
    ----------
    model
        Of any family.
    sequences
        Of people who were not trained on, for an honest answer.

    Returns
    -------
    dict
        One evaluation for each of `TARGETS`.
    """
    predictions = [predict(model, sequence) for sequence in sequences]
    return {
        target: _evaluate_target(predictions, sequences, column)
        for column, target in enumerate(TARGETS)
    }


def subject_ccc(model: FusionModel, sequences: Sequence[LabelledSequence]) -> float:
    """Return the CCC over each subject's sequences together, averaged over subjects and targets.

    Training stops by this number: unlike the mean over sequences it is also defined where each
    trial has a single rating.

    Parameters
    ----------
    model
        Of any family.
    sequences
        Of whatever subjects.

    Returns
    -------
    float
        In [-1, 1]; NaN where nothing can be scored.
    """
    groups: dict[str, list[tuple[Floats, Floats]]] = {}
    for sequence in sequences:
        pair = (predict(model, sequence).mean, sequence.target)
        groups.setdefault(sequence.subject, []).append(pair)
    values: list[float] = []
    for pairs in groups.values():
        means, targets = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
        values.extend(ccc(means[:, column], targets[:, column]) for column in range(len(TARGETS)))
    return float(np.nanmean(values)) if np.isfinite(values).any() else math.nan


def calibrate_variance(model: FusionModel, sequences: Sequence[LabelledSequence]) -> None:
    """Scale the model's variances so that its standard deviation is the RMS error on `sequences`.

    Every subject weighs the same. Steps without any modality are left out: there the variance is
    the prior's, which needs no calibration.

    Parameters
    ----------
    model
        The temperature of its head is changed in place, not beyond `MAX_LOG_TEMPERATURE`.
    sequences
        Of people who were not trained on.
    """
    ratios = [np.square(score) for score in _standardised_errors(model, sequences)]
    subjects = [sequence.subject for sequence in sequences]
    for column in range(len(TARGETS)):
        means = [_mean_known(ratio[:, column]) for ratio in ratios]
        ratio = mean_over_subjects(means, subjects)
        if ratio > 0:
            shifted = model.head.log_temperature[column] + math.log(ratio)
            model.head.log_temperature[column] = shifted.clamp(
                -MAX_LOG_TEMPERATURE, MAX_LOG_TEMPERATURE
            )


def calibrate_intervals(
    model: FusionModel, sequences: Sequence[LabelledSequence]
) -> Intervals | None:
    """Calibrate intervals on people who were not trained on, after the variance if that is.

    Steps without any modality are left out, as in `calibrate_variance`.

    Parameters
    ----------
    model
        Left as it is.
    sequences
        Of people who were not trained on.

    Returns
    -------
    Intervals or None
        None where no such step has a target of valence, or none of arousal.
    """
    scores = [np.abs(score) for score in _standardised_errors(model, sequences)]
    if not np.isfinite(np.concatenate(scores)).any(0).all():
        return None
    return fit_intervals(scores, [sequence.subject for sequence in sequences])


def _standardised_errors(model: FusionModel, sequences: Sequence[LabelledSequence]) -> list[Floats]:
    """Return (mean - target) / sd of each sequence, (time, 2); NaN where nothing is present."""
    scores = []
    for sequence in sequences:
        said = predict(model, sequence)
        present = presence(sequence, model.config.modalities).max(1) > 0
        scores.append(np.where(present[:, None], (said.mean - sequence.target) / said.sd, np.nan))
    return scores


def _evaluate_target(
    predictions: Sequence[Prediction], sequences: Sequence[LabelledSequence], column: int
) -> TargetEvaluation:
    means = [said.mean[:, column] for said in predictions]
    sds = [said.sd[:, column] for said in predictions]
    targets = [sequence.target[:, column] for sequence in sequences]
    subjects = [sequence.subject for sequence in sequences]
    covered = [coverage(*triple) for triple in zip(means, sds, targets, strict=True)]
    return TargetEvaluation(
        score(means, targets, subjects),
        mean_over_subjects([nll(*t) for t in zip(means, sds, targets, strict=True)], subjects),
        mean_over_subjects([float(sd.mean()) for sd in sds], subjects),
        {
            level: mean_over_subjects([shares[level] for shares in covered], subjects)
            for level in COVERAGE_LEVELS
        },
    )


def _mean_known(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else math.nan
