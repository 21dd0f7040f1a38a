"""Run a fusion model along the session grid: joined features in, one estimate out for each."""

from __future__ import annotations

import numpy as np
import torch

from biosense.core.affect import Estimate, FusionInput
from biosense.core.errors import BadInput, CheckpointMismatch
from biosense.core.grid import HOP
from biosense.models.base import FusionOutput
from biosense.models.deployment.checkpoint import Loaded
from biosense.models.evaluation.contributions import Contributions, StreamingShapley


class StreamingEstimator:
    """Turn each `FusionInput` into an `Estimate`, carrying the model's state between them.

    Equal inputs in equal order give bit-identical estimates. Indices that are missing are steps at
    which everything was absent; after more of them than the model's window, it starts afresh.

    Parameters
    ----------
    loaded
        From `biosense.models.deployment.checkpoint.load`.
    hop
        Seconds between two indices; must be the checkpoint's.
    least_quality
        A modality below it counts as absent: where all are, the estimate has no weights, fades to
        the prior within the model's window, and is none for
        `biosense.models.evaluation.selective_prediction.abstains`. 0 leaves every modality to the
        model, which has learnt what quality means.
    contributions
        Whether to compute, beside each estimate, what every modality adds to it. The estimates stay
        bit-identical; a step takes several times as long.

    Attributes
    ----------
    conditioning
        What was done to the features that the model learnt from: inputs must have it done too.
    contributions
        Of the newest estimate; None before the first one, or where they are not computed.

    Raises
    ------
    CheckpointMismatch
        The checkpoint was trained with another hop.
    BadInput
        `least_quality` is not in [0, 1].

    Examples
    --------
    >>> from biosense.core.types import Modality
    >>> from biosense.models.deployment.checkpoint import Card, CheckpointInfo
    >>> from biosense.models.registry import build_model
    >>> settings = {"modalities": (("eda", 1),), "hop": 0.25}
    >>> model = build_model("early", settings).eval()
    >>> info = CheckpointInfo("early", settings, {Modality.EDA: ("scl",)}, {}, Card())
    >>> estimator = StreamingEstimator(Loaded(model, info))
    >>> item = FusionInput(8, 2.0, {Modality.EDA: np.zeros(1)}, {Modality.EDA: 0.9})
    >>> estimate = estimator.push(item)
    >>> estimate.time, list(estimate.weight)
    (2.0, [<Modality.EDA: 'eda'>])
    """

    def __init__(
        self,
        loaded: Loaded,
        hop: float = HOP,
        *,
        least_quality: float = 0.0,
        contributions: bool = False,
    ) -> None:
        if loaded.info.hop != hop:
            raise CheckpointMismatch(
                f"the checkpoint was trained with a hop of {loaded.info.hop} s, this run has {hop} "
                "s; use the same hop or train a model with it"
            )
        if not 0 <= least_quality <= 1:
            raise BadInput(f"least_quality={least_quality} must be in [0, 1]")
        self._model = loaded.model
        self._least = least_quality
        self._shapley = StreamingShapley(loaded.model) if contributions else None
        self.modalities = loaded.model.modalities
        self.conditioning = loaded.info.conditioning
        # Fixed tensors and their numpy views: a push only copies the new values into them.
        counts = loaded.model.inputs.counts
        self._x = {modality: torch.zeros(1, count) for modality, count in counts.items()}
        self._rows = {modality: x.numpy()[0] for modality, x in self._x.items()}
        self._present = torch.zeros(1, len(self.modalities))
        self._qualities = self._present.numpy()[0]
        self.reset()

    def reset(self) -> None:
        """Forget everything, as before the first input."""
        self._state = self._model.begin(1)
        self.contributions: Contributions | None = None
        if self._shapley is not None:
            self._shapley.reset()
        self._last: int | None = None

    def push(self, item: FusionInput) -> Estimate:
        """Estimate at the next input.

        Parameters
        ----------
        item
            Features of whatever modalities are there.

        Returns
        -------
        Estimate
            At the time of the input; weights of the modalities that are present.

        Raises
        ------
        BadInput
            The index does not rise, or a modality has another number of features than the model.
        """
        self._fill(item)
        self._cross_gap(item.index)
        output = self._step(self._present)
        valence, arousal = output.mean[0].tolist()
        sd_valence, sd_arousal = output.sd[0].tolist()
        shares = zip(self.modalities, output.weight[0].tolist(), self._qualities, strict=True)
        weight = {modality: share for modality, share, quality in shares if quality > 0}
        return Estimate(item.time, valence, arousal, sd_valence, sd_arousal, weight)

    def _fill(self, item: FusionInput) -> None:
        """Copy an input into the model's tensors; what is absent keeps old values of quality 0."""
        if self._last is not None and item.index <= self._last:
            raise BadInput(f"index {item.index} came after {self._last}; indices must rise")
        for column, modality in enumerate(self.modalities):
            values = item.data.get(modality)
            quality = item.quality.get(modality, 0.0)
            usable = values is not None and np.isfinite(quality) and quality >= self._least
            self._qualities[column] = quality if usable else 0.0
            if values is None:
                continue
            row = self._rows[modality]
            if values.shape != row.shape:
                raise BadInput(
                    f"features of {modality} at index {item.index} have shape {values.shape}, the "
                    f"model wants {row.shape}; check the checkpoint with `check_compatible`"
                )
            with np.errstate(over="ignore"):  # becomes infinite, which counts as missing
                row[:] = values

    def _cross_gap(self, index: int) -> None:
        missing = 0 if self._last is None else index - self._last - 1
        if missing > self._model.window:
            self.reset()
        else:
            absent = torch.zeros_like(self._present)
            for _ in range(missing):
                self._step(absent)
        self._last = index

    def _step(self, present: torch.Tensor) -> FusionOutput:
        with torch.inference_mode():
            output, self._state = self._model.step(self._x, present, self._state)
        if self._shapley is not None:
            self.contributions = self._shapley.push(self._x, present)
        return output
