"""Models of one modality: what each sensor is worth alone, by any family."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.models.sequences import LabelledSequence, feature_counts
from biosense.models.training.train import Trained, train


def restrict(
    sequences: Sequence[LabelledSequence], modalities: Iterable[Modality]
) -> list[LabelledSequence]:
    """Return the sequences with some modalities only; nothing is copied.

    A sequence without any of them stays, as one at which everything is absent: scores of different
    choices then rest on the same sequences.

    Raises
    ------
    BadInput
        A modality is in none of the sequences.

    Examples
    --------
    >>> import numpy as np
    >>> data = {Modality.EDA: np.zeros((3, 2)), Modality.ECG: np.zeros((3, 1))}
    >>> quality = {modality: np.ones(3) for modality in data}
    >>> whole = LabelledSequence("p01", np.arange(3) * 0.25, data, quality, np.zeros((3, 2)))
    >>> list(restrict([whole], [Modality.ECG])[0].data)
    [<Modality.ECG: 'ecg'>]
    """
    wanted = set(modalities)
    missing = wanted - {modality for sequence in sequences for modality in sequence.data}
    if missing:
        raise BadInput(f"no sequence has features of {', '.join(sorted(missing))}")
    return [
        replace(
            sequence,
            data={m: values for m, values in sequence.data.items() if m in wanted},
            quality={m: values for m, values in sequence.quality.items() if m in wanted},
        )
        for sequence in sequences
    ]


def train_unimodal(
    name: str,
    sequences: Sequence[LabelledSequence],
    *,
    validation: Sequence[LabelledSequence] = (),
    **options: Any,
) -> dict[Modality, Trained]:
    """Train a model of one family for each modality; see `train`, which takes the options."""
    trained = {}
    for word, _ in feature_counts([*sequences, *validation]):
        modality = Modality(word)
        held = restrict(validation, [modality]) if validation else ()
        trained[modality] = train(name, restrict(sequences, [modality]), validation=held, **options)
    return trained
