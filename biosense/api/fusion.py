"""Every fusion family as a scikit-learn estimator, on arrays or tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from biosense.api.fusion_inputs import (
    Table,
    by_modality,
    is_by_modality,
    one_modality,
    sequences_of,
)
from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.core.types import Floats
from biosense.models.deployment.checkpoint import load, save
from biosense.models.evaluation.evaluate import predict
from biosense.models.registry import MODELS
from biosense.models.training.settings import STUDY
from biosense.models.training.train import train

_WITHIN = 0.9  # where targets beyond [-1, 1] are put: the estimate is squashed there
_ARRAY = "array"  # fingerprint of features that no pipeline computed


class Fusion(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A fusion family that is fitted to arrays, dictionaries of modalities, or tables.

    Parameters
    ----------
    family
        A name in `biosense.models.names()`.
    epochs
        At most, for families that are fitted by gradient descent.
    width, window_s, dropout, learning_rate
        Of the model and its training. `window_s` is how far back a step looks, in seconds of
        `groups`; rows that stand alone see themselves only.
    validation
        Share of the groups (or rows) that chooses the epoch and calibrates the standard deviation.
    random_state
        Of everything random: equal seeds, equal weights.
    options
        Further fields of the family's config.

    Attributes
    ----------
    model_ : FusionModel
        What was fitted.
    n_features_in_ : int
        Features of an array; of modalities, of all together.

    Notes
    -----
    Valence and arousal are in [-1, 1]. Other targets are shifted and scaled into [-0.9, 0.9] by the
    least and the greatest of the training, and predictions are scaled back: no prediction lies much
    beyond what was seen. NaN is a missing feature; a modality without any is absent. A single
    target is fitted as both of the model's outputs.

    Examples
    --------
    >>> import numpy as np
    >>> import biosense as bs
    >>> rng = np.random.default_rng(0)
    >>> x = {"ecg": rng.standard_normal((300, 3)), "eda": rng.standard_normal((300, 2))}
    >>> y = np.tanh(np.column_stack([x["ecg"][:, 0], x["eda"][:, 1]]))
    >>> bs.Fusion("ridge").fit(x, y).score(x, y) > 0.7
    True
    """

    def __init__(
        self,
        family: str = "deep_cca",
        *,
        epochs: int = 15,
        width: int = 32,
        window_s: float = 8.0,
        dropout: float = 0.1,
        learning_rate: float = 2e-3,
        validation: float = 0.2,
        random_state: int = 0,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.family = family
        self.epochs = epochs
        self.width = width
        self.window_s = window_s
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.validation = validation
        self.random_state = random_state
        self.options = options

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Fit the family.

        Parameters
        ----------
        X
            Features: an array (n, features), a mapping from modality to (n, features), or a table
            whose columns are (modality, feature), as `Features.wide` gives it.
        y
            Valence and arousal (n, 2), or one target (n,).
        groups
            Recording of each row, (n,): its rows are steps that follow each other. None: every row
            stands alone.

        Returns
        -------
        Fusion
            Itself.

        Raises
        ------
        BadInput
            If shapes disagree, there are fewer than two groups, or the family is unknown.
        """
        MODELS[self.family]  # answers a wrong name with the right ones
        table, target = self._training_data(X, y)
        if table.n < 2:
            raise BadInput(f"n_samples={table.n}: at least 2 rows are needed, some are held out")
        self._flat = target.ndim == 1
        whole = np.column_stack([target, target]) if self._flat else target
        if whole.shape[1] != 2:
            raise BadInput(f"y of shape {target.shape}; wanted (n, 2) or (n,)")
        self._centre, self._spread = _scale(whole)
        scaled = (whole - self._centre) / self._spread
        found = sequences_of(table, scaled, groups, self._seed)
        settings = replace(
            STUDY,
            epochs=self.epochs,
            width=self.width,
            window_s=HOP if groups is None else self.window_s,
            dropout=self.dropout,
            learning_rate=self.learning_rate,
            validation=self.validation,
            seed=self._seed,
        )
        sequences = [sequence for sequence, _ in found]
        trained = train(self.family, sequences, settings=settings, options=self.options or {})
        self.model_, self._card, self._names = trained.model, trained.card, table.names
        return self

    def predict(self, X: Any, groups: Any = None, *, return_std: bool = False) -> Any:
        """Predict, causally within each group.

        Parameters
        ----------
        X, groups
            As for `fit`.
        return_std
            Also return standard deviations.

        Returns
        -------
        numpy.ndarray, or a pair of them
            Shape (n, 2), or (n,) where one target was fitted.
        """
        check_is_fitted(self, "model_")
        table = self._table(X, reset=False)
        mean, sd = np.empty((table.n, 2)), np.empty((table.n, 2))
        for sequence, rows in sequences_of(table, None, groups, self._seed):
            said = predict(self.model_, sequence)
            mean[rows], sd[rows] = said.mean, said.sd
        mean, sd = mean * self._spread + self._centre, sd * self._spread
        if self._flat:
            mean, sd = mean[:, 0], sd[:, 0]
        return (mean, sd) if return_std else mean

    def save(self, path: str | Path) -> Path:
        """Write a checkpoint: weights as safetensors, beside them JSON.

        Parameters
        ----------
        path
            Where, without an ending.

        Returns
        -------
        Path
            The checkpoint. `Fusion.load` reads it; its features are known by their names only, so
            a live run refuses it.
        """
        check_is_fitted(self, "model_")
        about = {"centre": self._centre.tolist(), "spread": self._spread.tolist()}
        fitted = {"flat": self._flat, "arrays": hasattr(self, "n_features_in_"), **about}
        parameters = {name: value for name, value in self.get_params().items() if name != "options"}
        card = replace(self._card, settings={**self._card.settings, "fusion": fitted | parameters})
        marks = dict.fromkeys(self._names, _ARRAY)
        return save(
            path, self.family, self.model_, features=self._names, fingerprints=marks, card=card
        )

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a checkpoint that `save` wrote: its predictions are the same.

        Raises
        ------
        BadInput
            If there is none, or it was not written by `save`.
        """
        loaded = load(path)
        fitted = dict(loaded.info.card.settings.get("fusion", {}))
        if not fitted:
            raise BadInput(f"{path} was not written by Fusion.save: take biosense.load_model")
        made = cls()
        known = {name: fitted[name] for name in made.get_params() if name in fitted}
        made.set_params(**known)
        made.model_, made._card = loaded.model, loaded.info.card
        made._names = {m: tuple(names) for m, names in loaded.info.features.items()}
        made._centre, made._spread = np.array(fitted["centre"]), np.array(fitted["spread"])
        made._flat = bool(fitted["flat"])
        if fitted["arrays"]:
            made.n_features_in_ = sum(map(len, made._names.values()))
        return made

    @property
    def _seed(self) -> int:
        return 0 if self.random_state is None else int(self.random_state)

    def _training_data(self, X: Any, y: Any) -> tuple[Table, Floats]:
        if is_by_modality(X):
            table = by_modality(X)
            target = np.asarray(y, np.float64)
            if len(target) != table.n:
                raise BadInput(f"{table.n} rows of features but {len(target)} targets")
            return table, target
        X, y = validate_data(
            self,
            X,
            y,
            multi_output=True,
            y_numeric=True,
            dtype=np.float64,
            ensure_all_finite="allow-nan",
            ensure_min_samples=2,
        )
        target = np.asarray(y, np.float64)
        names = getattr(self, "feature_names_in_", None)
        return one_modality(X, names), target[:, 0] if target.shape[1:] == (1,) else target

    def _table(self, X: Any, *, reset: bool) -> Table:
        if is_by_modality(X):
            table = by_modality(X)
            if table.names.keys() - self._names.keys():
                known = ", ".join(self._names)
                raise BadInput(f"fitted to {known}; got {', '.join(table.names)}")
            return table
        checked = validate_data(
            self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=reset
        )
        return one_modality(checked)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = True
        tags.regressor_tags.poor_score = True
        return tags


def _scale(target: Floats) -> tuple[Floats, Floats]:
    """Return centre and spread, (2,): none for what lies in [-1, 1] already."""
    if not np.isfinite(target).any():
        raise BadInput("y holds no number")
    low, high = np.nanmin(target, axis=0), np.nanmax(target, axis=0)
    if low.min() >= -1 and high.max() <= 1:
        return np.zeros(2), np.ones(2)
    spread = (high - low) / 2 / _WITHIN
    return (low + high) / 2, np.where(spread > 0, spread, 1.0)
