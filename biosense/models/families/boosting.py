"""Boosted trees, the other classical baseline: fitted by scikit-learn, evaluated as tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from biosense.core.errors import BadInput, MissingExtra
from biosense.core.types import Floats
from biosense.models.families.closed_form import ClosedForm, ClosedFormConfig
from biosense.models.families.regression import Rows, importance_shares
from biosense.models.layers.tree_ensemble import Forest, Tree


@dataclass(frozen=True)
class BoostingConfig(ClosedFormConfig):
    """Hold what defines a `Boosting` besides what is fitted.

    Parameters
    ----------
    trees
        Of each target, at most: the validation subjects say where to stop.
    leaves, depth
        Of a tree, at most.
    learning_rate
        Share of each tree's answer that is kept.
    least_s
        Seconds of rows that a leaf must hold: neighbours in time are nearly copies.
    """

    trees: int = 100
    leaves: int = 8
    depth: int = 4
    learning_rate: float = 0.08
    least_s: float = 20.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.trees, self.depth) < 1 or self.leaves < 2:
            raise BadInput(
                f"trees={self.trees} and depth={self.depth} must be at least 1, "
                f"leaves={self.leaves} at least 2"
            )


class Boosting(ClosedForm):
    """Sum small regression trees over features, their running means and mask bits.

    The trees are those of scikit-learn's `HistGradientBoostingRegressor`, one forest for each
    target; its answers are reproduced to rounding. Only a fit needs scikit-learn.

    Parameters
    ----------
    config
        What defines it.

    Examples
    --------
    >>> from biosense.core.types import Modality
    >>> model = Boosting(BoostingConfig((("eda", 2), ("ecg", 3)))).eval()
    >>> x = {Modality.EDA: torch.zeros(1, 5, 2), Modality.ECG: torch.zeros(1, 5, 3)}
    >>> model(x, torch.ones(1, 5, 2)).mean.shape
    torch.Size([1, 5, 2])
    """

    config: BoostingConfig
    base: Tensor

    def __init__(self, config: BoostingConfig) -> None:
        super().__init__(config)
        self.forest = Forest(config.trees, 2 * config.leaves - 1, config.depth)
        self.register_buffer("base", torch.zeros(2, dtype=torch.float64))

    def raw(self, columns: Tensor) -> Tensor:
        """Return the estimate before the gain; see `ClosedForm.raw`."""
        said: Tensor = (self.forest(columns) + self.base).to(columns.dtype)
        return said

    def fit_rows(self, fit: Rows, held: Rows) -> None:
        """Grow trees and keep as many as serve `held` best; see `ClosedForm.fit_rows`."""
        grown = [self._grow(fit, column) for column in range(2)]
        staged = zip(*[one.staged_predict(held.columns) for one in grown], strict=True)
        worth = [self.score(np.stack(said, 1), held) for said in staged]
        n = int(np.argmax(np.nan_to_num(worth, nan=-np.inf))) + 1
        self.load_trees(grown, n)

    def load_trees(self, grown: list[Any], n: int) -> None:
        """Take over the first n trees of scikit-learn's fitted regressor of each target.

        Parameters
        ----------
        grown
            Fitted `HistGradientBoostingRegressor`, one for each target.
        n
            Trees of each that are kept.
        """
        # scikit-learn has no public way to read these trees; a test holds it to what is read here.
        nodes = [[stage[0].nodes for stage in one._predictors[:n]] for one in grown]
        self.forest.load_trees([[_tree(table) for table in tables] for tables in nodes])
        self.base.copy_(torch.tensor([float(np.ravel(o._baseline_prediction)[0]) for o in grown]))
        gain = np.zeros(self.columns)
        for table in (table for tables in nodes for table in tables):
            split = table[table["is_leaf"] == 0]
            np.add.at(gain, split["feature_idx"].astype(int), split["gain"])
        self.importance.copy_(importance_shares(gain, self.table.owners(), len(self.modalities)))

    def _grow(self, fit: Rows, column: int) -> Any:
        try:
            from sklearn.ensemble import HistGradientBoostingRegressor
        except ImportError as error:
            raise MissingExtra(
                "fitting boosted trees needs scikit-learn: pip install 'biosense[ml]'"
            ) from error
        config, known = self.config, np.isfinite(fit.target[:, column])
        if not known.any():  # an unknown target gets a tree that says 0
            known, target = np.ones(len(known), bool), np.zeros(len(known))
        else:
            target = fit.target[:, column]
        model = HistGradientBoostingRegressor(
            max_iter=config.trees,
            max_leaf_nodes=config.leaves,
            max_depth=config.depth,
            learning_rate=config.learning_rate,
            min_samples_leaf=max(1, round(config.least_s / config.hop)),
            l2_regularization=1.0,
            early_stopping=False,
            random_state=0,
        )
        return model.fit(fit.columns[known], target[known])


def _tree(table: Any) -> Tree:
    """Read a node table of scikit-learn."""
    leaf, at = table["is_leaf"] == 1, np.arange(len(table))
    values: Floats = np.where(leaf, table["value"], 0.0)
    return Tree(
        feature=np.where(leaf, 0, table["feature_idx"]).astype(np.int64),
        threshold=np.where(leaf, 0.0, table["num_threshold"]).astype(np.float64),
        left=np.where(leaf, at, table["left"]).astype(np.int64),
        right=np.where(leaf, at, table["right"]).astype(np.int64),
        value=values.astype(np.float64),
    )
