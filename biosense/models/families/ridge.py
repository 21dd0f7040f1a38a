"""Ridge regression, the baseline that deep models have to beat."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from biosense.core.types import Floats
from biosense.models.families.closed_form import ClosedForm, ClosedFormConfig
from biosense.models.families.regression import Rows, importance_shares

PENALTIES = tuple(float(penalty) for penalty in np.logspace(-5, 1, 13))
"""Candidates, as a share of the mean variance of a column."""


class Ridge(ClosedForm):
    """Map standardised features, their running means and mask bits to the targets linearly.

    The penalty is the one that serves the validation subjects best. Each target is fitted on the
    steps where it is known.

    Parameters
    ----------
    config
        What defines it.

    Examples
    --------
    >>> from biosense.core.types import Modality
    >>> model = Ridge(ClosedFormConfig((("eda", 2), ("ecg", 3)))).eval()
    >>> x = {Modality.EDA: torch.zeros(1, 5, 2), Modality.ECG: torch.zeros(1, 5, 3)}
    >>> model(x, torch.ones(1, 5, 2)).weight[0, 0]
    tensor([0.5000, 0.5000])
    """

    slope: Tensor
    constant: Tensor

    def __init__(self, config: ClosedFormConfig) -> None:
        super().__init__(config)
        self.register_buffer("slope", torch.zeros(self.columns, 2))
        self.register_buffer("constant", torch.zeros(2))

    def raw(self, columns: Tensor) -> Tensor:
        """Return the estimate before the gain; see `ClosedForm.raw`."""
        return columns @ self.slope + self.constant

    def read_out(self) -> tuple[Tensor, Tensor]:
        """Return slope and constant; see `FusionModel.read_out`."""
        return self.slope, self.constant

    def fit_rows(self, fit: Rows, held: Rows) -> None:
        """Solve for every penalty and keep the best; see `ClosedForm.fit_rows`."""
        lines = [_Line(fit.columns, fit.target[:, k]) for k in range(2)]
        best = -np.inf
        for penalty in PENALTIES:
            slope = np.stack([line.slope(penalty) for line in lines], 1)
            level = [line.mean - line.centre @ slope[:, k] for k, line in enumerate(lines)]
            constant = np.array(level)
            worth = self.score(held.columns @ slope + constant, held)
            if worth > best or not np.isfinite(best):
                best = worth
                self.slope.copy_(torch.from_numpy(slope))
                self.constant.copy_(torch.from_numpy(constant))
        size = np.abs(self.slope.double().numpy()).sum(1) * fit.columns.std(0)
        self.importance.copy_(importance_shares(size, self.table.owners(), len(self.modalities)))


class _Line:
    """Hold one target's least-squares problem, diagonal: every penalty is then one product."""

    def __init__(self, columns: Floats, target: Floats) -> None:
        known = np.isfinite(target)
        rows, n = columns[known], max(int(known.sum()), 1)
        self.centre = rows.mean(0) if known.any() else np.zeros(columns.shape[1])
        self.mean = float(target[known].mean()) if known.any() else 0.0
        off = rows - self.centre
        self._values, self._vectors = np.linalg.eigh(off.T @ off / n)
        self._moment = self._vectors.T @ (off.T @ (target[known] - self.mean)) / n

    def slope(self, penalty: float) -> Floats:
        floor = penalty * max(float(self._values.mean()), 1e-12)
        slope: Floats = self._vectors @ (self._moment / (self._values.clip(0) + floor))
        return slope
