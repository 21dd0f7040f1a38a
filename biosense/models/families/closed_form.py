"""What models without gradient descent share: causal columns from features, a fit, an estimate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.core.types import Floats, Modality
from biosense.models.base import FusionModel, FusionOutput, State, TrainingRun
from biosense.models.batches import Augmentation
from biosense.models.evaluation.evaluate import subject_ccc
from biosense.models.families.regression import (
    Masking,
    Rows,
    mean_ccc,
    rescale,
    spread_gain,
    usable_rows,
)
from biosense.models.families.stepwise import masked_softmax
from biosense.models.layers.evidence import evidence, fade, next_age
from biosense.models.layers.feature_inputs import FeatureInputs
from biosense.models.layers.gaussian_head import LOG_VARIANCE, PriorBlend
from biosense.models.layers.running_columns import RunningColumns
from biosense.models.sequences import LabelledSequence
from biosense.models.training.settings import Progress


@dataclass(frozen=True)
class ClosedFormConfig:
    """Hold what defines a `ClosedForm` model besides what is fitted; serialisable as JSON.

    Parameters
    ----------
    modalities
        (name, number of features) of each modality, in the order of `present`.
    means_s
        Time constants, seconds, of the running means that stand beside each feature: what the
        model knows of the past.
    window_s
        Seconds without any input after which the output has faded to the prior.
    hop
        Seconds between two steps.
    gain
        "ccc": estimates have the spread of the targets of the validation subjects, which is best
        for CCC; "mse": they are shrunk as the least squared error wants.
    copies
        How often each training sequence is shown, each time with other inputs hidden.
    """

    modalities: tuple[tuple[str, int], ...]
    means_s: tuple[float, ...] = (10.0,)
    window_s: float = 8.0
    hop: float = HOP
    gain: Literal["ccc", "mse"] = "ccc"
    copies: int = 3

    def __post_init__(self) -> None:
        object.__setattr__(self, "means_s", tuple(self.means_s))  # JSON has lists only
        if round(self.window_s / self.hop) < 1:
            raise BadInput(f"window_s={self.window_s} must hold at least one hop of {self.hop} s")
        if any(not seconds > 0 for seconds in self.means_s):
            raise BadInput(f"means_s={self.means_s} must be positive")
        if self.gain not in ("ccc", "mse"):
            raise BadInput(f"gain={self.gain!r} must be 'ccc' or 'mse'")
        if self.copies < 1:
            raise BadInput(f"copies={self.copies} must be at least 1")


class ClosedForm(FusionModel):
    """Estimate from columns of each step; a family has to say how, and how that is fitted.

    Columns are the standardised features, a running mean of each for every time constant, and the
    quality and presence of each modality. A running mean holds still while its modality is absent,
    and starts at 0, the average. All that is fitted lies in buffers of sizes that the config tells.

    Parameters
    ----------
    config
        What defines it.
    """

    log_variance: Tensor
    importance: Tensor
    centre: Tensor
    gain: Tensor

    def __init__(self, config: ClosedFormConfig) -> None:
        super().__init__()
        self.config = config
        self.inputs = FeatureInputs(config.modalities)
        self.modalities = tuple(self.inputs.counts)
        self.window = round(config.window_s / config.hop)
        self.head = PriorBlend()
        sizes = tuple(self.inputs.counts.values())
        self.table = RunningColumns(sizes, config.means_s, config.hop)
        self.columns = self.table.count
        self.register_buffer("centre", torch.zeros(2))
        self.register_buffer("gain", torch.ones(2))
        self.register_buffer("log_variance", torch.log(self.head.prior_variance))
        self.register_buffer("importance", torch.full((len(sizes),), 1 / len(sizes)))

    def raw(self, columns: Tensor) -> Tensor:
        """Estimate from columns, before the gain.

        Parameters
        ----------
        columns
            Shape (.., columns).

        Returns
        -------
        Tensor
            Valence and arousal, (.., 2).
        """
        raise NotImplementedError

    def fit_rows(self, fit: Rows, held: Rows) -> None:
        """Fit what `raw` uses, choose its complexity, and set `importance`.

        Parameters
        ----------
        fit
            Rows that are learnt from.
        held
            Rows of the validation subjects, which choose.
        """
        raise NotImplementedError

    def fit_closed(
        self,
        fit: Sequence[LabelledSequence],
        held: Sequence[LabelledSequence],
        *,
        augmentation: Augmentation,
        seed: int = 0,
    ) -> None:
        """Fit on `fit`; complexity, gain and variance rest on `held`.

        The scale of features and the prior must have been set.

        Parameters
        ----------
        fit
            What is learnt from.
        held
            Of the validation subjects.
        augmentation
            How inputs are masked in the copies of a sequence.
        seed
            Of what is masked.

        Raises
        ------
        BadInput
            One side has no step with a target and a modality.
        """
        rng = np.random.default_rng(seed)
        train = self._rows(fit, Masking(augmentation, self.config.copies, rng))
        test = self._rows(held, None)
        self.fit_rows(train, test)
        said = self.raw(torch.from_numpy(test.columns).float()).double().numpy()
        for column in range(2):
            self._calibrate(column, said[:, column], test.target[:, column])

    def fit(self, run: TrainingRun) -> tuple[Progress, ...]:
        """Solve at once; see `FusionModel.fit`.

        Parameters
        ----------
        run
            What there is to fit on.

        Returns
        -------
        tuple of Progress
            One epoch, whose loss is the held-out squared error.
        """
        started = run.clock()
        settings = run.settings
        self.fit_closed(
            run.training, run.validation, augmentation=settings.augmentation, seed=settings.seed
        )
        loss, reached = float(self.log_variance.exp().mean()), subject_ccc(self, run.validation)
        done = Progress(1, 1, loss, reached, reached, run.clock() - started, 0.0)
        run.report(done)
        return (done,)

    def forward(self, x: Mapping[Modality, Tensor], present: Tensor) -> FusionOutput:
        """Estimate at every step of whole sequences; see `FusionModel.forward`."""
        columns, quality = self.all_columns(x, present)
        return self._output(columns, quality, evidence(quality, self.window))

    def begin(self, batch: int = 1) -> State:
        """Return running means at the average, and the age of inputs.

        Parameters
        ----------
        batch
            Number of sequences that are followed at once.

        Returns
        -------
        State
            Running means (batch, means, features) and ages (batch,).
        """
        return self.table.begin(batch), self.head.prior_mean.new_full((batch,), self.window)

    def step(
        self, x: Mapping[Modality, Tensor], present: Tensor, state: State
    ) -> tuple[FusionOutput, State]:
        """Estimate one step from and to a carried state; see `FusionModel.step`."""
        means, age = state
        values, quality = self.inputs(x, present)
        columns, means = self.table.step(values, quality, means)
        age = next_age(quality, age, self.window)
        return self._output(columns, quality, fade(age, self.window)), (means, age)

    def all_columns(self, x: Mapping[Modality, Tensor], present: Tensor) -> tuple[Tensor, Tensor]:
        """Return the columns of whole sequences.

        Parameters
        ----------
        x, present
            As for `FusionModel.forward`.

        Returns
        -------
        tuple of Tensor
            Columns (batch, time, columns) and quality (batch, time, modalities).
        """
        values, quality = self.inputs(x, present)
        return self.table(values, quality), quality

    def _output(self, columns: Tensor, quality: Tensor, share: Tensor) -> FusionOutput:
        own = self.centre + self.gain * (self.raw(columns) - self.centre)
        mean, log_variance = self.head.blend(
            own.clamp(-1, 1), self.log_variance.expand_as(own), share
        )
        weight = masked_softmax(torch.log(self.importance), quality)
        return FusionOutput(mean, log_variance, weight)

    def score(self, said: Floats, held: Rows) -> float:
        """Say how good estimates (n, 2) of the validation subjects are, in the sense of `gain`.

        Parameters
        ----------
        said
            Estimates of valence and arousal, (n, 2).
        held
            The rows that they are of.

        Returns
        -------
        float
            Mean CCC after the gain, or minus the mean squared error: more is better.
        """
        if self.config.gain == "mse":
            return -float(np.nanmean((said - held.target) ** 2))
        scaled = [
            rescale(said[:, k], *spread_gain(said[:, k], held.target[:, k])) for k in range(2)
        ]
        return mean_ccc(np.stack(scaled, 1), held)

    def _rows(self, sequences: Sequence[LabelledSequence], masking: Masking | None) -> Rows:
        return usable_rows(
            sequences,
            self.all_columns,
            self.config.modalities,
            hop=self.config.hop,
            masking=masking,
        )

    def _calibrate(self, column: int, said: Floats, target: Floats) -> None:
        """Set gain and variance of a target from what is said of the validation subjects."""
        if not np.isfinite(target).any():
            return
        centre, gain = spread_gain(said, target)
        if self.config.gain == "ccc":
            self.centre[column], self.gain[column] = centre, gain
            said = rescale(said, centre, gain)
        error = max(float(np.nanmean((said.clip(-1, 1) - target) ** 2)), 1e-12)
        self.log_variance[column] = float(np.clip(np.log(error), *LOG_VARIANCE))
