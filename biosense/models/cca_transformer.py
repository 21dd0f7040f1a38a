"""Deep CCA for scikit-learn: what several views of the same rows have in common, as features."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from biosense.core.errors import BadInput, MissingExtra
from biosense.core.types import Floats
from biosense.models.layers.cca_loss import RHO, multi_cca_loss
from biosense.models.layers.cca_views import (
    correlation,
    split_views,
    standardised_views,
    view_scale,
)
from biosense.models.layers.linear_cca import max_var_cca

try:
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.utils.validation import check_is_fitted
except ImportError as error:
    raise MissingExtra(
        "DeepCcaTransformer needs scikit-learn: pip install 'biosense[ml]'"
    ) from error

Views = Sequence[Any]
"""Arrays (n, features), one for each view; rows belong together."""


class DeepCcaTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Project views of the same rows so that the projections correlate.

    Each view has a network of its own, which starts as linear CCA and is trained so that the
    projections of all pairs of views correlate [1]_ (the loss is `multi_cca_loss`).
    On top stands linear CCA in closed form, MAX-VAR for more than two views [2]_, so
    that components are uncorrelated, of unit variance on the training rows, and ordered by how much
    they share. With `linear` there are no networks: this is then CCA itself.

    A row of a view that holds a value which is not finite counts as absent: it is left out of the
    fit, and its projection is 0, the average.

    Parameters
    ----------
    n_components
        Of the projection of each view.
    views
        Number of columns of each view, for a stacked X; empty: X is a list of views.
    linear
        Whether to leave the networks out.
    hidden
        Width of the one hidden layer.
    epochs, batch_size, learning_rate, weight_decay
        Of the networks' training by Adam. Batches should have fifty rows and more for each
        component: the loss of few rows is mostly chance.
    rho
        Ridge on each covariance, as a share of its mean variance.
    random_state
        Seed of all that is random: equal seeds give equal results.

    Attributes
    ----------
    correlations_
        Mean correlation of each component over the pairs of views, on the training rows. It is
        optimistic: say what `score` says of rows that were not fitted.

    References
    ----------
    .. [1] Andrew, Arora, Bilmes, Livescu (2013). Deep canonical correlation analysis. ICML.
    .. [2] Kettenring (1971). Canonical analysis of several sets of variables. Biometrika 58(3).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> shared = rng.standard_normal((300, 1))
    >>> views = [shared + 0.1 * rng.standard_normal((300, 3)) for _ in range(2)]
    >>> found = DeepCcaTransformer(1, linear=True).fit(views)
    >>> found.transform(views).shape, bool(found.score(views) > 0.9)
    ((300, 2), True)
    """

    def __init__(
        self,
        n_components: int = 4,
        *,
        views: Sequence[int] = (),
        linear: bool = False,
        hidden: int = 64,
        epochs: int = 60,
        batch_size: int = 512,
        learning_rate: float = 3e-3,
        weight_decay: float = 1e-4,
        rho: float = RHO,
        random_state: int = 0,
    ) -> None:
        self.n_components = n_components
        self.views = views
        self.linear = linear
        self.hidden = hidden
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.rho = rho
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, groups: Any = None) -> Self:
        """Fit on views, or on a stacked X with `views`; `y` is ignored.

        Parameters
        ----------
        X
            Views, each (n, features) and n equal; or stacked (n, columns), with `views`.
        y
            Ignored.
        groups
            Identity (of person or trial) of each row, (n,). Each group's mean is taken out of what
            is to correlate: else what tells people apart is the strongest correlation there is.

        Returns
        -------
        DeepCcaTransformer
            Itself.

        Raises
        ------
        BadInput
            Views of different lengths, fewer than two, or too few rows of a pair.
        """
        parts = split_views(X, self.views)
        self.n_features_in_ = sum(part.shape[1] for part in parts)
        self._scale = [view_scale(part) for part in parts]
        rows, there = standardised_views(parts, self._scale)
        number = None
        if groups is not None:
            number = torch.from_numpy(np.unique(np.asarray(groups), return_inverse=True)[1])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.random_state)
            self._networks: list[nn.Module] = [nn.Identity() for _ in rows]
            last = max_var_cca(rows, there, number, self.n_components, self.rho)
            if not self.linear:
                self._networks = [_Network(way, self.hidden) for way in last[1]]
                self._train(rows, there, number)
                encoded = self._encode(rows)
                last = max_var_cca(encoded, there, number, self.n_components, self.rho)
        self._means, self._maps = last
        self.correlations_ = self.correlations(X)
        return self

    def transform(self, X: Any) -> Floats:
        """Return the projections of all views side by side.

        Parameters
        ----------
        X
            Views, each (n, features) and n equal; or stacked (n, columns), with `views`.

        Returns
        -------
        Floats
            Shape (n, views * n_components).
        """
        return np.concatenate(self.transform_views(X), 1)

    def transform_views(self, X: Any) -> list[Floats]:
        """Return the projection of each view.

        Parameters
        ----------
        X
            Views, each (n, features) and n equal; or stacked (n, columns), with `views`.

        Returns
        -------
        list of Floats
            One for each view, (n, n_components); 0 for rows in which the view is absent.

        Raises
        ------
        BadInput
            Views have other numbers of columns than in the fit.
        """
        check_is_fitted(self, "n_features_in_")
        parts = split_views(X, self.views)
        widths = [part.shape[1] for part in parts]
        if widths != [len(centre) for centre, _ in self._scale]:
            raise BadInput(
                f"views have {widths} columns, those of the fit had "
                f"{[len(centre) for centre, _ in self._scale]}"
            )
        rows, there = standardised_views(parts, self._scale)
        pairs = zip(self._encode(rows), there, self._means, self._maps, strict=True)
        said = [torch.where(t[:, None], (x - mean) @ way, 0.0) for x, t, mean, way in pairs]
        return [part.numpy() for part in said]

    def correlations(self, X: Any) -> Floats:
        """Return the mean correlation of each component over pairs of views.

        Parameters
        ----------
        X
            Views, each (n, features) and n equal; or stacked (n, columns), with `views`.

        Returns
        -------
        Floats
            Shape (n_components,).
        """
        pairs = itertools.combinations(self.transform_views(X), 2)
        means: Floats = np.mean([correlation(one, two) for one, two in pairs], axis=0)
        return means

    def score(self, X: Any, y: Any = None) -> float:
        """Return the correlation of the projections, averaged over components and pairs of views.

        By chance it is about .8 sqrt(n_components / n) on the rows of the fit, and 0 on others.

        Parameters
        ----------
        X
            Views, each (n, features) and n equal; or stacked (n, columns), with `views`.
        y
            Ignored.

        Returns
        -------
        float
            In [-1, 1].
        """
        return float(np.mean(self.correlations(X)))

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return the names of the columns of `transform`.

        Parameters
        ----------
        input_features
            Ignored: each output is made of all columns of a view.

        Returns
        -------
        numpy.ndarray
            "view0_0", "view0_1", .., "view1_0", ..
        """
        check_is_fitted(self, "n_features_in_")
        count = range(self._maps[0].shape[1])
        names = [f"view{v}_{k}" for v in range(len(self._maps)) for k in count]
        return np.array(names, object)

    def _encode(self, rows: list[Tensor]) -> list[Tensor]:
        with torch.inference_mode():
            return [net.eval()(part) for net, part in zip(self._networks, rows, strict=True)]

    def _train(self, rows: list[Tensor], there: Tensor, groups: Tensor | None) -> None:
        weights = [parameter for net in self._networks for parameter in net.parameters()]
        optimiser = torch.optim.Adam(weights, lr=self.learning_rate, weight_decay=self.weight_decay)
        n = len(rows[0])
        count = max(1, round(n / self.batch_size))
        for net in self._networks:
            net.train()
        for _ in range(self.epochs):
            for batch in torch.randperm(n).chunk(count):
                pairs = zip(self._networks, rows, strict=True)
                views = torch.stack([net(part[batch]) for net, part in pairs], 1)
                group = None if groups is None else groups[batch]
                loss = multi_cca_loss(views, there[:, batch].T, groups=group, rho=self.rho)
                optimiser.zero_grad()
                torch.autograd.backward(loss)
                optimiser.step()


class _Network(nn.Module):
    """Add what one hidden layer says to a linear map, at first that of linear CCA."""

    def __init__(self, start: Tensor, hidden: int) -> None:
        super().__init__()
        features, out = start.shape
        self.straight = nn.Parameter(start.clone())
        self.into, self.out = nn.Linear(features, hidden), nn.Linear(hidden, out)
        self.norm = nn.BatchNorm1d(out, affine=False)
        self.double()

    def forward(self, x: Tensor) -> Tensor:
        bent = self.out(nn.functional.gelu(self.into(x)))
        normed: Tensor = self.norm(x @ self.straight + bent)
        return normed
