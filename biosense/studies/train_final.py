"""Train the model that is kept: on everybody in a data set but those who tell when to stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.models.sequences import LabelledSequence, restrict
from biosense.models.training.settings import STUDY, TrainingSettings
from biosense.models.training.train import Progress, Trained, train
from biosense.studies.base import StudyData


def fit_for_use(
    data: StudyData,
    family: str,
    *,
    modalities: Sequence[Modality] = (),
    pulse_as_ecg: bool = False,
    settings: TrainingSettings = STUDY,
    about: str = "",
    warning: str = "",
    progress: Callable[[Progress], None] | None = None,
) -> Trained:
    """Train a model for other people than those in the data; its scores are those of a study.

    Parameters
    ----------
    modalities
        Those that it learns from; empty: all.
    pulse_as_ecg
        Whether what was learnt of the heart from ECG is to hold for a pulse wave, of which the data
        have none: each sequence is shown once more with its heart as PPG, and once as both.
    about, warning
        For the card.
    """
    sequences = restrict(data.sequences, modalities) if modalities else list(data.sequences)
    if pulse_as_ecg:
        sequences = [shown for one in sequences for shown in with_pulse(one)]
    return train(
        family, sequences, settings=settings, data=about, warning=warning, progress=progress
    )


def with_pulse(sequence: LabelledSequence) -> list[LabelledSequence]:
    """Return a sequence as it is, with its ECG in the place of PPG, and with both.

    Raises
    ------
    BadInput
        It has PPG of its own, or no ECG.
    """
    if Modality.PPG in sequence.data or Modality.ECG not in sequence.data:
        raise BadInput(
            f"a pulse like the ECG needs sequences with ECG and without PPG; that of "
            f"{sequence.subject!r} has {', '.join(sequence.data)}"
        )

    def put(places: Sequence[Modality]) -> LabelledSequence:
        return replace(
            sequence,
            data={m: sequence.data[_HEART.get(m, m)] for m in places},
            quality={m: sequence.quality[_HEART.get(m, m)] for m in places},
        )

    others = [modality for modality in sequence.data if modality is not Modality.ECG]
    return [sequence, put([Modality.PPG, *others]), put([Modality.ECG, Modality.PPG, *others])]


_HEART = {Modality.PPG: Modality.ECG}
