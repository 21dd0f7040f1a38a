"""Fusion families as candidates of a study: whole, or seeing some of the modalities only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import torch

from biosense.core.errors import BadInput
from biosense.core.types import Floats, Modality
from biosense.models.base import FusionModel
from biosense.models.batches import collate
from biosense.models.evaluation.evaluate import predict
from biosense.models.sequences import LabelledSequence
from biosense.models.training.personalise import can_be_personal, personalise
from biosense.models.training.train import TrainingSettings, train

_AT_ONCE = 16  # sequences in a forward pass; causal models do not see the padding behind them


@dataclass(frozen=True, eq=False)
class FittedModel:
    """Say what a trained model says; it sees the modalities that it was trained on."""

    model: FusionModel

    def predict(self, sequence: LabelledSequence) -> tuple[Floats, Floats]:
        """Return mean and standard deviation, both (time, 2)."""
        said = predict(self.model, sequence)
        return said.mean, said.sd

    def predict_all(self, sequences: Sequence[LabelledSequence]) -> list[tuple[Floats, Floats]]:
        """Return what `predict` does for each sequence, several at a time."""
        found: list[tuple[Floats, Floats]] = []
        for first in range(0, len(sequences), _AT_ONCE):
            part = sequences[first : first + _AT_ONCE]
            batch = collate(part, self.model.config.modalities)
            self.model.eval()
            with torch.inference_mode():
                output = self.model(batch.x, batch.present)
            mean, sd = (tensor.double().numpy() for tensor in (output.mean, output.sd))
            found += [(mean[k, : s.n], sd[k, : s.n]) for k, s in enumerate(part)]
        return found

    def personal(self, labelled: Sequence[LabelledSequence], strength: float) -> FittedModel | None:
        """Return the model for the person who rated these; None for a family without read-out."""
        if not can_be_personal(self.model):
            return None
        return FittedModel(personalise(self.model, labelled, strength=strength))


@dataclass(frozen=True)
class FamilyCandidate:
    """A fusion family of `MODELS` with its training settings.

    Parameters
    ----------
    family
        A key of `MODELS`.
    settings
        Of the training; the seed is that of each fit.
    modalities
        Those that it sees, in training and in tests; None: all that there are.

    Examples
    --------
    >>> FamilyCandidate("early").name
    'early'
    >>> FamilyCandidate("early", modalities=(Modality.EDA, Modality.ECG)).name
    'early: ecg + eda'
    """

    family: str
    settings: TrainingSettings = field(default_factory=TrainingSettings)
    modalities: tuple[Modality, ...] | None = None

    def __post_init__(self) -> None:
        if self.modalities is not None and not self.modalities:
            raise BadInput(f"a candidate of {self.family!r} must see at least one modality")

    @property
    def name(self) -> str:
        """The family, with its modalities where these are not all."""
        if self.modalities is None:
            return self.family
        return f"{self.family}: {subset_name(self.modalities)}"

    def fit(
        self,
        train_side: Sequence[LabelledSequence],
        validation: Sequence[LabelledSequence],
        seed: int,
    ) -> FittedModel:
        """Fit on the training side of a fold; the validation side chooses when to stop.

        Raises
        ------
        BadInput
            The training side has none of the modalities.
        """
        fit = [self._seen(sequence) for sequence in train_side]
        held = [self._seen(sequence) for sequence in validation]
        settings = replace(self.settings, seed=seed)
        return FittedModel(train(self.family, fit, validation=held, settings=settings).model)

    def _seen(self, sequence: LabelledSequence) -> LabelledSequence:
        return sequence if self.modalities is None else sequence.only(self.modalities)


def subsets(modalities: Sequence[Modality]) -> list[tuple[Modality, ...]]:
    """Return every subset with at least one modality, the small ones first.

    >>> [len(subset) for subset in subsets([Modality.EDA, Modality.ECG, Modality.EEG])]
    [1, 1, 1, 2, 2, 2, 3]
    """
    ordered = [modality for modality in Modality if modality in modalities]
    return [subset for size in range(1, len(ordered) + 1) for subset in combinations(ordered, size)]


def subset_name(modalities: Sequence[Modality]) -> str:
    """Return modalities as tables call them, always in the same order."""
    return " + ".join(modality for modality in Modality if modality in modalities)
