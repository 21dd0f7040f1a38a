"""What every fusion model is: features of any subset of modalities in, a causal Gaussian out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import torch
from torch import Tensor, nn

from biosense.core.types import Modality
from biosense.models.layers.feature_inputs import FeatureInputs
from biosense.models.layers.gaussian_head import PriorBlend
from biosense.models.sequences import LabelledSequence
from biosense.models.training.settings import Progress, TrainingSettings

State = tuple[Tensor, ...]
"""What a model carries from one step to the next: tensors of constant shape, batch first."""


@dataclass(frozen=True, eq=False)
class FusionOutput:
    """Hold an estimate of valence and arousal, in the order of `TARGETS`.

    Parameters
    ----------
    mean
        In [-1, 1], shape (batch, time, 2); (batch, 2) for a step.
    log_variance
        Natural logarithm of the variance, the shape of `mean`.
    weight
        Share of the estimate that each modality carries, shape (batch, time, modalities); 0 for
        one that has been absent over the whole window. The shares sum to at most 1: the rest is
        what the model knew beforehand.
    penalty
        What training adds to the loss of the estimate, a scalar; None outside training, and for
        families that have none.
    unimodal
        What each modality says by itself, for families in which it does; in training only. Each is
        trained as the estimate is.
    reconstructed
        Share carried by what was guessed of absent modalities, the shape of `weight`; None for
        models that guess nothing.
    """

    mean: Tensor
    log_variance: Tensor
    weight: Tensor
    penalty: Tensor | None = None
    unimodal: tuple[FusionOutput, ...] = ()
    reconstructed: Tensor | None = None

    @property
    def sd(self) -> Tensor:
        """Standard deviation, the shape of `mean`."""
        return torch.exp(0.5 * self.log_variance)


class FusionModel(nn.Module):
    """Say what a fusion model can do; every family implements `forward`, `begin` and `step`.

    How it is made, fitted, and moved to a person has an answer here that suits most families.

    Every model obeys one contract (`biosense.testing.check_model`): the output at t never sees
    inputs after t; `step` over a sequence equals `forward` of it to 1e-5, at constant cost and
    memory; a feature that is NaN counts as its average; what an absent modality holds (NaN, 1e9)
    never matters; where nothing has been present for `window` steps the output is the prior.

    Attributes
    ----------
    config
        The family's frozen config.
    modalities
        Order of the last axis of `present` and `weight`.
    window
        Steps after which an input is forgotten as evidence.
    inputs, head
        The layers that hold what is fitted outside gradient descent: the scale of each feature, the
        prior and the calibration of the variance.
    """

    config: Any
    modalities: tuple[Modality, ...]
    window: int
    inputs: FeatureInputs
    head: PriorBlend

    @classmethod
    def assemble(cls, config: Any, build: MakeMember) -> Self:
        """Make an untrained model from its config; a family of members overrides it.

        Parameters
        ----------
        config
            The family's own.
        build
            Makes a member from the name of its family and those of the given settings that it has.

        Returns
        -------
        FusionModel
            With random weights.
        """
        return cls(config)

    def fit(self, run: TrainingRun) -> tuple[Progress, ...]:
        """Fit the weights; a family that gradient descent does not fit overrides it.

        The scale of features and the prior have been set, from the training sequences.

        Parameters
        ----------
        run
            What there is to fit on.

        Returns
        -------
        tuple of Progress
            One for each epoch.
        """
        return run.descend(self)

    def tokens(self, x: Mapping[Modality, Tensor], present: Tensor) -> tuple[Tensor, Tensor]:
        """Return what each modality says at each step by itself, where a family has such encoders.

        Parameters
        ----------
        x, present
            As for `forward` or `step`.

        Returns
        -------
        tuple of Tensor
            Tokens (.., modalities, width), meaningless where absent, and quality (.., modalities).
        """
        raise NotImplementedError

    def last_layer(self) -> nn.Linear | None:
        """Return the one linear layer whose output is squashed into the mean.

        Returns
        -------
        torch.nn.Linear or None
            None for a family that has no such layer.
        """
        return self.head.last_layer()

    def read_out(self) -> tuple[Tensor, Tensor] | None:
        """Return what is moved to fit the model to a person: the last map before the squashing.

        Returns
        -------
        tuple of Tensor or None
            Weight (.., 2) and constant (.., 2), targets last: written to in place, they change what
            the model says. None for a family that has no such map.
        """
        layer = self.last_layer()
        return None if layer is None else (layer.weight.data.T, layer.bias.data)

    def forward(self, x: Mapping[Modality, Tensor], present: Tensor) -> FusionOutput:
        """Estimate at every step of whole sequences.

        Parameters
        ----------
        x
            Features of each modality, (batch, time, features). A modality that is left out counts
            as absent throughout.
        present
            Quality in [0, 1], 0 = absent, shape (batch, time, modalities).

        Returns
        -------
        FusionOutput
            Means, variances and weights of every step, (batch, time, ..).
        """
        raise NotImplementedError

    def begin(self, batch: int = 1) -> State:
        """Return the state before the first step of `batch` sequences.

        Parameters
        ----------
        batch
            Number of sequences that are followed at once.

        Returns
        -------
        State
            Tensors whose shapes no step changes.
        """
        raise NotImplementedError

    def step(
        self, x: Mapping[Modality, Tensor], present: Tensor, state: State
    ) -> tuple[FusionOutput, State]:
        """Estimate one step: `forward` without the time axis, from and to a carried state.

        Parameters
        ----------
        x
            Features of each modality, (batch, features).
        present
            Quality in [0, 1], 0 = absent, (batch, modalities).
        state
            Of `begin`, or of the step before.

        Returns
        -------
        tuple
            The `FusionOutput` of the step, (batch, ..), and the state after it.
        """
        raise NotImplementedError


MakeMember = Callable[[str, Mapping[str, Any]], FusionModel]
"""Makes a member of a model from the name of its family and settings, of which it takes its own."""


class TrainingRun(Protocol):
    """Say what a family finds when it is asked to fit itself, and what it can have done for it."""

    @property
    def training(self) -> Sequence[LabelledSequence]:
        """What is learnt from."""

    @property
    def validation(self) -> Sequence[LabelledSequence]:
        """What chooses among fits; nobody is on both sides."""

    @property
    def settings(self) -> TrainingSettings:
        """How to train."""

    def descend(self, model: FusionModel) -> tuple[Progress, ...]:
        """Fit all parameters of a model by gradient descent and return its history.

        Parameters
        ----------
        model
            Changed in place: it ends with the weights of its best epoch.

        Returns
        -------
        tuple of Progress
            One for each epoch.
        """

    def fit_member(self, name: str, member: FusionModel) -> tuple[Progress, ...]:
        """Fit a member of a model, of the family of that name, as if it were alone.

        Parameters
        ----------
        name
            Of the member's family.
        member
            Its weights are replaced.

        Returns
        -------
        tuple of Progress
            One for each epoch.
        """

    def clock(self) -> float:
        """Return the time, seconds, of which differences count.

        Returns
        -------
        float
            Seconds since any fixed moment.
        """

    def report(self, progress: Progress) -> None:
        """Tell whoever listens of one epoch.

        Parameters
        ----------
        progress
            Of the epoch that has just ended.
        """
