"""Score a checkpoint on a data set that it was not trained on, beside what needs no model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from biosense.core.errors import BadInput
from biosense.models.deployment.checkpoint import Loaded, check_compatible
from biosense.processing.conditioning import conditioned_fingerprints
from biosense.studies.base import Bounds, Prediction, StudyData, Values
from biosense.studies.candidates.controls import CONTROLS, controls_for
from biosense.studies.candidates.families import FittedModel
from biosense.studies.candidates.fit_folds import blind
from biosense.studies.execution.collect_predictions import collect_predictions
from biosense.studies.execution.plan import Entry, Kind, Plan, Split
from biosense.studies.executor import Executor
from biosense.studies.run import RunSettings, run_jobs
from biosense.studies.scoring.predictions import Predictions
from biosense.studies.scoring.scores import jsonable, score
from biosense.studies.scoring.statistics import RESAMPLES
from biosense.studies.scoring.summary import control_scores, intervals, level_of, mean_scores
from biosense.studies.splits.protocols import LEAST_UNITS


@dataclass(frozen=True)
class Evaluation:
    """Hold the scores of a checkpoint on a data set.

    Parameters
    ----------
    metrics, intervals
        As of a row of a study.
    controls
        What needs no model reaches on the same sequences, each person's labels held out.
    """

    dataset: str
    model: str
    digest: str
    level: str
    people: int
    sequences: int
    fabricated: bool
    metrics: Values
    intervals: Mapping[str, Mapping[str, Bounds]]
    controls: Mapping[str, Values]
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return everything by name, as JSON wants it."""
        found: dict[str, Any] = jsonable(asdict(self))
        return found


def evaluate_checkpoint(
    loaded: Loaded,
    data: StudyData,
    *,
    fabricated: bool = False,
    executor: Executor | None = None,
    n_resamples: int = RESAMPLES,
) -> Evaluation:
    """Score a checkpoint; the controls are fitted to other people of the same data set.

    That people of the data set had no part in the training cannot be seen from a checkpoint: the
    notes say what its card says.

    Raises
    ------
    CheckpointMismatch
        The features at hand are not those that the checkpoint was trained on.
    """
    known = conditioned_fingerprints(loaded.info.conditioning)
    marks = {modality: mark for modality, mark in known.items() if modality in data.features}
    check_compatible(loaded.info, data.features, marks)
    fitted = FittedModel(loaded.model)
    said = fitted.predict_all([blind(sequence) for sequence in data.sequences])
    predictions = Predictions.of(
        Prediction(sequence, mean, sd, "all")
        for sequence, (mean, sd) in zip(data.sequences, said, strict=True)
    )
    level = level_of(predictions)
    controls, notes = _controls(data, level, executor or Executor())
    card = loaded.info.card
    trained = f"the checkpoint was trained on: {card.data or 'its card does not say what'}"
    same = "scores count only if nobody of this data set was among them"
    return Evaluation(
        dataset=data.name,
        model=loaded.info.model,
        digest=loaded.digest,
        level=level,
        people=len(data.subjects),
        sequences=len(data.sequences),
        fabricated=fabricated,
        metrics=_scores(predictions, level),
        intervals=intervals(predictions, level, n_resamples),
        controls=controls,
        notes=(
            f"{trained}; {same}",
            *([card.warning] if card.warning else []),
            *notes,
            *data.notes,
        ),
    )


def _controls(
    data: StudyData, level: str, executor: Executor
) -> tuple[dict[str, Values], tuple[str, ...]]:
    """Return what the controls that fit no model reach, by leaving people out."""
    if len(data.subjects) < LEAST_UNITS:
        few = f"{len(data.subjects)} people are too few for controls, which leave people out"
        return {}, (few,)
    made = controls_for(data, "subject")
    entries = tuple(
        Entry(Kind.CONTROL, name, candidate, (0,), CONTROLS[name].meaning)
        for name, candidate in made.items()
    )
    plan = Plan(Split("subject"), entries, entries[0].name)
    try:
        folds = plan.split.of(data)
    except BadInput as error:
        return {}, (f"no controls: {error}",)
    results = run_jobs(data, plan, folds, RunSettings(executor))
    found: dict[str, Values] = {
        name: control_scores(_scores(each.predictions, level))
        for name, each in collect_predictions(plan, folds, results).items()
    }
    return found, ()


def _scores(predictions: Predictions, level: str) -> Values:
    return mean_scores([score(own) for own in predictions.seeds], level)
