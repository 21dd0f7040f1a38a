"""A committee: several families fitted apart, whose estimates are averaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Self, cast

import numpy as np
import torch
from torch import Tensor, nn

from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.core.types import Floats, Modality
from biosense.models.base import FusionModel, FusionOutput, MakeMember, State, TrainingRun
from biosense.models.evaluation.evaluate import predict
from biosense.models.families.regression import spread_gain
from biosense.models.layers.evidence import evidence, fade, next_age
from biosense.models.layers.feature_inputs import FeatureInputs, Standardised
from biosense.models.layers.gaussian_head import PriorBlend
from biosense.models.training.settings import Progress


@dataclass(frozen=True)
class CommitteeConfig:
    """Hold what defines a `Committee` besides its members' weights; serialisable as JSON.

    Parameters
    ----------
    modalities
        (name, number of features) of each modality, in the order of `present`.
    members
        Families, keys of `MODELS`.
    shares
        What each counts for; as many as members.
    width, window_s, hop, dropout
        Of the members that have them.
    """

    modalities: tuple[tuple[str, int], ...]
    members: tuple[str, ...] = ("ridge", "cross_attention")
    shares: tuple[float, ...] = (0.5, 0.5)
    width: int = 48
    window_s: float = 8.0
    hop: float = HOP
    dropout: float = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", tuple(self.members))  # JSON has lists only
        object.__setattr__(self, "shares", tuple(self.shares))
        if not self.members or len(self.shares) != len(self.members) or "committee" in self.members:
            raise BadInput(
                f"a committee needs members with one share each, none a committee itself; got "
                f"{self.members} and {self.shares}"
            )
        if min(self.shares) <= 0 or abs(sum(self.shares) - 1) > 1e-6:
            raise BadInput(f"shares={self.shares} must be positive and sum to 1")


class Committee(FusionModel):
    """Average what members of different families say, each fitted as if it were alone.

    A linear member and a network err differently, so that their mean errs less than each of them.
    The variance is that of the mixture: where members disagree, the committee is unsure. Averages
    are smaller than what is averaged; a gain fitted on the validation subjects makes up for it.

    Parameters
    ----------
    config
        What defines it.
    members
        As many as `config.members`, in their order.

    Examples
    --------
    >>> from biosense.models.registry import build_model
    >>> model = build_model("committee", {"modalities": [["eda", 2]], "width": 8}).eval()
    >>> [type(member).__name__ for member in model.members]
    ['Ridge', 'CrossAttention']
    >>> model({Modality.EDA: torch.zeros(1, 5, 2)}, torch.ones(1, 5, 1)).mean.shape
    torch.Size([1, 5, 2])
    """

    config: CommitteeConfig
    centre: Tensor
    gain: Tensor
    offset: Tensor
    _shares: Tensor

    def __init__(self, config: CommitteeConfig, members: Sequence[FusionModel]) -> None:
        super().__init__()
        self.config = config
        self.inputs = _SharedInputs(config.modalities, members)
        self.modalities = tuple(self.inputs.counts)
        self.window = round(config.window_s / config.hop)
        self.head = PriorBlend()
        self.seats = nn.ModuleList(members)
        self._sizes = [len(member.begin()) for member in members]
        self.register_buffer("centre", torch.zeros(2))
        self.register_buffer("gain", torch.ones(2))
        self.register_buffer("offset", torch.zeros(2))  # of a person: see models.personal
        self.register_buffer("_shares", torch.tensor(config.shares), persistent=False)

    @property
    def members(self) -> list[FusionModel]:
        """The members, in the order of the config."""
        return cast(list[FusionModel], list(self.seats))

    @classmethod
    def assemble(cls, config: CommitteeConfig, build: MakeMember) -> Self:
        """Make the members, then the committee; see `FusionModel.assemble`."""
        return cls(config, [build(name, asdict(config)) for name in config.members])

    def fit(self, run: TrainingRun) -> tuple[Progress, ...]:
        """Fit every member as if it were alone, then what they share; see `FusionModel.fit`.

        Parameters
        ----------
        run
            What there is to fit on.

        Returns
        -------
        tuple of Progress
            Histories of the members, one behind the other.
        """
        history: tuple[Progress, ...] = ()
        for name, member in zip(self.config.members, self.members, strict=True):
            history += run.fit_member(name, member)
        said = np.concatenate([predict(self, sequence).mean for sequence in run.validation])
        self.calibrate(said, np.concatenate([sequence.target for sequence in run.validation]))
        return history

    def read_out(self) -> tuple[Tensor, Tensor]:
        """Return gain and offset: the members stay; see `FusionModel.read_out`.

        Returns
        -------
        tuple of Tensor
            Both (2,).
        """
        return self.gain, self.offset

    def forward(self, x: Mapping[Modality, Tensor], present: Tensor) -> FusionOutput:
        """Estimate at every step of whole sequences; see `FusionModel.forward`."""
        x, quality = self._standardised(x, present)
        said = [member(x, present) for member in self.members]
        return self._combine(said, evidence(quality, self.window))

    def begin(self, batch: int = 1) -> State:
        """Return the states of all members, one behind the other, and the age of inputs.

        Parameters
        ----------
        batch
            Number of sequences that are followed at once.

        Returns
        -------
        State
            States of the members, then ages (batch,).
        """
        states = [tensor for member in self.members for tensor in member.begin(batch)]
        return (*states, self.head.prior_mean.new_full((batch,), self.window))

    def step(
        self, x: Mapping[Modality, Tensor], present: Tensor, state: State
    ) -> tuple[FusionOutput, State]:
        """Estimate one step from and to a carried state; see `FusionModel.step`."""
        x, quality = self._standardised(x, present)
        said: list[FusionOutput] = []
        after: list[Tensor] = []
        first = 0
        for member, size in zip(self.members, self._sizes, strict=True):
            output, moved = member.step(x, present, state[first : first + size])
            said.append(output)
            after += list(moved)
            first += size
        age = next_age(quality, state[-1], self.window)
        return self._combine(said, fade(age, self.window)), (*after, age)

    def calibrate(self, said: Floats, target: Floats) -> None:
        """Set centre and gain of the average from the validation subjects.

        Parameters
        ----------
        said
            Averages, (steps, 2).
        target
            Valence and arousal, (steps, 2); NaN where unknown.
        """
        for column in range(2):
            centre, gain = spread_gain(said[:, column], target[:, column])
            self.centre[column], self.gain[column] = centre, gain

    def _standardised(
        self, x: Mapping[Modality, Tensor], present: Tensor
    ) -> tuple[Standardised, Tensor]:
        """Return features on the scale that all members share, and quality."""
        known = self.inputs.standardise(x, present)
        return Standardised(x, known), known[1]

    def _combine(self, said: Sequence[FusionOutput], share: Tensor) -> FusionOutput:
        shares = self._shares.reshape(-1, *[1] * said[0].mean.dim())
        means = torch.stack([output.mean for output in said])
        mean = (shares * means).sum(0)
        spread = torch.stack([output.log_variance for output in said]).exp()
        variance = (shares * (spread + (means - mean).square())).sum(0)
        own = self.centre + self.gain * (mean - self.centre) + self.offset
        blended = self.head.blend(own.clamp(-1, 1), torch.log(variance.clamp(min=1e-8)), share)
        weight = torch.stack([output.weight for output in said])
        return FusionOutput(*blended, (shares * weight).sum(0))


class _SharedInputs(FeatureInputs):
    """The committee's own inputs; a scale set here is set for all members."""

    def __init__(
        self, modalities: tuple[tuple[str, int], ...], members: Sequence[FusionModel]
    ) -> None:
        super().__init__(modalities)
        self._others = [member.inputs for member in members]

    def set_scale(self, scale: Mapping[Modality, tuple[Tensor, Tensor]]) -> None:
        """Set centre and spread of each modality's features; see `FeatureInputs.set_scale`."""
        super().set_scale(scale)
        for inputs in self._others:
            inputs.set_scale(scale)
