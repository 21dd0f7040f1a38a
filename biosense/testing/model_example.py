"""A fusion family to be checked: a small model of it, fitted where only a fit gives it weights."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from biosense.core.errors import BadInput
from biosense.models.base import FusionModel
from biosense.models.families.table import Family
from biosense.models.registry import MODELS, build_model
from biosense.models.sequences import LabelledSequence
from biosense.models.training.settings import DEFAULTS, Progress, TrainingSettings
from biosense.testing.model_inputs import COUNTS, labelled

_PRIOR_MEAN, _PRIOR_VARIANCE = (0.25, -0.5), (0.4, 0.5)
_WIDTH = 16


@dataclass(frozen=True)
class ModelExample:
    """Show a registered family with some settings of its config.

    Parameters
    ----------
    name
        A key of `MODELS`.
    options
        Fields of its config beside modalities and width.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return ", ".join([f"model {self.name!r}", *map(str, self.options)])

    @property
    def family(self) -> Family:
        """Its entry in the table."""
        return MODELS[self.name]

    @property
    def settings(self) -> dict[str, Any]:
        """What it is built from."""
        return self.family.settings({"modalities": COUNTS, "width": _WIDTH, **self.options})

    def model(self) -> FusionModel:
        """Return a model with random weights, or fitted ones where there are none to draw."""
        torch.manual_seed(3)
        model = build_model(self.name, self.settings).eval()
        if self._fitted:
            model.load_state_dict(self._fitted)
        model.head.prior_mean[:] = torch.tensor(_PRIOR_MEAN)
        model.head.prior_variance[:] = torch.tensor(_PRIOR_VARIANCE)
        return model

    @cached_property
    def _fitted(self) -> dict[str, Tensor]:
        model = build_model(self.name, self.settings)
        if self.family.by_descent or list(model.parameters()):
            return {}
        sequences = [labelled(seed) for seed in range(3)]
        model.fit(_OwnFit(sequences[:2], sequences[2:]))
        return dict(model.state_dict())


@dataclass(frozen=True)
class _OwnFit:
    """What a family finds that fits itself, see `TrainingRun`; there is nothing to descend."""

    training: Sequence[LabelledSequence]
    validation: Sequence[LabelledSequence]
    settings: TrainingSettings = DEFAULTS

    def descend(self, model: FusionModel) -> tuple[Progress, ...]:
        raise BadInput(f"{type(model).__name__} has no parameters for gradient descent to move")

    def fit_member(self, name: str, member: FusionModel) -> tuple[Progress, ...]:
        return member.fit(self)

    def clock(self) -> float:
        return time.monotonic()

    def report(self, progress: Progress) -> None:
        return
