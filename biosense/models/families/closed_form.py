"""What models without gradient descent share: causal columns from features, a fit, an estimate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.core.types import Floats, Ints, Modality
from biosense.models.base import FusionModel, FusionOutput, State, TrainingRun
from biosense.models.batches import Augmentation, collate, presence
from biosense.models.evaluation.evaluate import subject_ccc
from biosense.models.families.regression import Rows, mean_ccc, rescale, spread_gain
from biosense.models.families.stepwise import masked_softmax
from biosense.models.layers.blocks import LOG_VARIANCE, FeatureInputs, PriorBlend
from biosense.models.layers.evidence import evidence, fade, next_age
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
    """

    context: ClassVar[int] = 2  # bits of each modality: quality, presence
    log_variance: Tensor
    importance: Tensor
    centre: Tensor
    gain: Tensor
    _decay: Tensor

    def __init__(self, config: ClosedFormConfig) -> None:
        super().__init__()
        self.config = config
        self.inputs = FeatureInputs(config.modalities)
        self.modalities = tuple(self.inputs.counts)
        self.window = round(config.window_s / config.hop)
        self.head = PriorBlend()
        n, sizes = len(self.modalities), tuple(self.inputs.counts.values())
        self.features = sum(sizes)
        self.columns = self.features * (1 + len(config.means_s)) + self.context * n
        decay = torch.exp(-config.hop / torch.tensor(config.means_s, dtype=torch.float64))
        self.register_buffer("_decay", decay.float()[:, None], persistent=False)
        owner = torch.repeat_interleave(torch.arange(n), torch.tensor(sizes))
        self.register_buffer("_owner", owner, persistent=False)
        real = torch.arange(self.inputs.widest) < torch.tensor(sizes)[:, None]
        self.register_buffer("_real", real.flatten().nonzero()[:, 0], persistent=False)
        self.register_buffer("centre", torch.zeros(2))
        self.register_buffer("gain", torch.ones(2))
        self.register_buffer("log_variance", torch.log(self.head.prior_variance))
        self.register_buffer("importance", torch.full((n,), 1 / n))

    _owner: Tensor
    _real: Tensor

    def own(self, columns: Tensor) -> Tensor:
        """Return the estimate from columns (.., columns) before the gain, (.., 2)."""
        raise NotImplementedError

    def fit_rows(self, fit: Rows, held: Rows) -> None:
        """Fit what `own` uses on `fit`, choose its complexity by `held`, and set `importance`."""
        raise NotImplementedError

    def owners(self) -> Ints:
        """Return the modality of each column."""
        features = self._owner.numpy()
        bits = np.tile(np.arange(len(self.modalities)), self.context)
        return np.concatenate([np.tile(features, 1 + len(self.config.means_s)), bits])

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

        Raises
        ------
        BadInput
            One side has no step with a target and a modality.
        """
        rng = np.random.default_rng(seed)
        train = self._rows(fit, augmentation, rng)
        test = self._rows(held, None, rng)
        self.fit_rows(train, test)
        said = self.own(torch.from_numpy(test.columns).float()).double().numpy()
        for column in range(2):
            self._calibrate(column, said[:, column], test.target[:, column])

    def fit(self, run: TrainingRun) -> tuple[Progress, ...]:
        """Solve at once: a history of one epoch, whose loss is the held-out squared error."""
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
        """Return running means at the average, and the age of inputs."""
        like = self.head.prior_mean
        means = like.new_zeros(batch, len(self.config.means_s), self.features)
        return means, like.new_full((batch,), self.window)

    def step(
        self, x: Mapping[Modality, Tensor], present: Tensor, state: State
    ) -> tuple[FusionOutput, State]:
        """Estimate one step from and to a carried state; see `FusionModel.step`."""
        means, age = state
        values, quality = self._values(x, present)
        means = self._next(means, values, quality)
        age = next_age(quality, age, self.window)
        columns = self._columns(values, means, quality)
        return self._output(columns, quality, fade(age, self.window)), (means, age)

    def all_columns(self, x: Mapping[Modality, Tensor], present: Tensor) -> tuple[Tensor, Tensor]:
        """Return the columns (batch, time, columns) and quality of whole sequences."""
        values, quality = self._values(x, present)
        means, rows = self.begin(len(values))[0], []
        for t in range(values.shape[1]):
            means = self._next(means, values[:, t], quality[:, t])
            rows.append(means)
        return self._columns(values, torch.stack(rows, 1), quality), quality

    def _values(self, x: Mapping[Modality, Tensor], present: Tensor) -> tuple[Tensor, Tensor]:
        """Return features without padding, (.., features), and quality."""
        values, quality = self.inputs(x, present)
        return values.flatten(-2)[..., self._real], quality

    def _next(self, means: Tensor, values: Tensor, quality: Tensor) -> Tensor:
        """Return the running means (batch, means, features) after one step."""
        there = (quality > 0)[:, None, self._owner]
        now = values.unsqueeze(1)
        return torch.where(there, now + self._decay * (means - now), means)

    def _columns(self, values: Tensor, means: Tensor, quality: Tensor) -> Tensor:
        bits = (quality > 0).to(quality.dtype)
        return torch.cat((values, means.flatten(-2), quality, bits), -1)

    def _output(self, columns: Tensor, quality: Tensor, share: Tensor) -> FusionOutput:
        own = self.centre + self.gain * (self.own(columns) - self.centre)
        mean, log_variance = self.head.blend(
            own.clamp(-1, 1), self.log_variance.expand_as(own), share
        )
        weight = masked_softmax(torch.log(self.importance), quality)
        return FusionOutput(mean, log_variance, weight)

    def worth(self, said: Floats, held: Rows) -> float:
        """Say how good estimates (n, 2) of the validation subjects are, in the sense of `gain`."""
        if self.config.gain == "mse":
            return -float(np.nanmean((said - held.target) ** 2))
        scaled = [
            rescale(said[:, k], *spread_gain(said[:, k], held.target[:, k])) for k in range(2)
        ]
        return mean_ccc(np.stack(scaled, 1), held)

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

    def _rows(
        self,
        sequences: Sequence[LabelledSequence],
        augmentation: Augmentation | None,
        rng: np.random.Generator,
    ) -> Rows:
        parts = list(self._parts(sequences, augmentation, rng))
        if not any(len(part.target) for part in parts):
            raise BadInput("no step has both a target and a modality; a fit needs some")
        return Rows(
            np.concatenate([part.columns for part in parts]),
            np.concatenate([part.target for part in parts]),
            np.concatenate([part.subject for part in parts]),
        )

    def _parts(
        self,
        sequences: Sequence[LabelledSequence],
        augmentation: Augmentation | None,
        rng: np.random.Generator,
    ) -> Iterator[Rows]:
        """Yield the usable steps of each sequence, and of copies of it with inputs hidden."""
        counts = self.config.modalities
        subjects = sorted({sequence.subject for sequence in sequences})
        for sequence in sequences:
            batch = collate([sequence], counts)
            for copy in range(1 if augmentation is None else self.config.copies):
                present = batch.present
                if augmentation is not None and copy > 0:  # the first copy is as it was recorded
                    kept = augmentation.hide(presence(sequence, counts), self.config.hop, rng)
                    present = torch.from_numpy(kept).float().unsqueeze(0)
                with torch.inference_mode():
                    columns, quality = self.all_columns(batch.x, present)
                usable = (quality[0] > 0).any(-1).numpy() & np.isfinite(sequence.target).any(1)
                who = np.full(int(usable.sum()), float(subjects.index(sequence.subject)))
                yield Rows(columns[0].double().numpy()[usable], sequence.target[usable], who)
