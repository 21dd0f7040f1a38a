"""Graph fusion: EEG electrodes as the nodes of a learned graph, other modalities as elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.models.families.gated import Gated
from biosense.models.families.stepwise import StepwiseConfig
from biosense.models.layers.electrode_positions import scalp_closeness
from biosense.models.layers.per_modality import PerModality


@dataclass(frozen=True)
class GraphConfig(StepwiseConfig):
    """Hold what defines a `Graph` besides its weights.

    Parameters
    ----------
    electrodes
        Names of the EEG electrodes, whose features follow each other electrode by electrode, as
        `ChannelEntropies` gives them. Empty: each feature of the EEG is a node.
    order
        Of the Chebyshev polynomial: how many steps along the graph one layer looks.
    """

    electrodes: tuple[str, ...] = ()
    order: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "electrodes", tuple(self.electrodes))  # JSON has lists only
        features = dict(self.modalities).get(Modality.EEG.value, 0)
        if self.electrodes and features % len(self.electrodes):
            raise BadInput(
                f"{features} EEG features cannot be shared evenly by {len(self.electrodes)} "
                "electrodes; name those that the features belong to, or none"
            )
        if self.order < 1:
            raise BadInput(f"order={self.order} must be at least 1")


class ElectrodeGraph(nn.Module):
    """Turn features of nodes into one token by Chebyshev convolution on a learned graph.

    DGCNN [1]_: the adjacency is learned, one for all samples. Ours is symmetric and
    not negative, and is normalised over the nodes that are there, so that a missing node leaves the
    graph of the others. With the normalised adjacency A and eigenvalues of the Laplacian up to 2,
    the rescaled Laplacian is -A. Each node has a learned embedding; nodes are averaged.

    Parameters
    ----------
    closeness
        Initial adjacency, (nodes, nodes), symmetric and positive.
    features, width, order
        Of a node, of the token, of the polynomial.

    References
    ----------
    .. [1] Song, Zheng, Song, Cui (2018). EEG emotion recognition using dynamical graph
           convolutional neural networks. IEEE Transactions on Affective Computing 11(3).
    """

    def __init__(self, closeness: Tensor, features: int, width: int, order: int) -> None:
        super().__init__()
        nodes = len(closeness)
        self.logits = nn.Parameter(torch.log(torch.expm1(closeness.clamp(min=1e-3))) / 2)
        bound = (features * order) ** -0.5
        self.weight = nn.Parameter((2 * torch.rand(order * features, width) - 1) * bound)
        self.embedding = nn.Parameter(torch.randn(nodes, width) * 0.2)
        self.out = nn.Linear(width, width)

    @property
    def adjacency(self) -> Tensor:
        """Weight of each edge, (nodes, nodes): symmetric, positive."""
        return functional.softplus(self.logits + self.logits.T)

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        """Turn the nodes that are there into one token.

        Parameters
        ----------
        x
            Features of each node, (.., nodes, features).
        there
            Which nodes have values, (.., nodes).

        Returns
        -------
        Tensor
            Shape (.., width).
        """
        mask = there.to(x.dtype).unsqueeze(-1)  # (.., nodes, 1)
        hidden = functional.gelu(self._spread(x * mask, mask) @ self.weight + self.embedding)
        pooled = (hidden * mask).sum(-2) / mask.sum(-2).clamp(min=1)
        token: Tensor = self.out(pooled)
        return token

    def _spread(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return the Chebyshev polynomials of the features, (.., nodes, order * features)."""
        adjacency = self.adjacency
        # Only a graph without any node has a degree of 0: softplus is positive.
        scale = mask * (adjacency @ mask).clamp(min=1e-6).rsqrt()
        terms = [x]
        for k in range(1, self.weight.shape[0] // x.shape[-1]):
            moved = -scale * (adjacency @ (scale * terms[-1]))
            terms.append(moved if k == 1 else 2 * moved - terms[-2])
        return torch.cat(terms, -1)


class Graph(Gated):
    """Encode EEG by a graph of its electrodes and fuse as `Gated` does.

    An electrode without any value is left out of the graph; a single missing feature counts as its
    average, as everywhere. Without names of electrodes every feature of the EEG is a node of its
    own, and none is left out.

    Parameters
    ----------
    config
        What defines it.

    Examples
    --------
    >>> config = GraphConfig((("eeg", 4), ("eda", 2)), electrodes=("Fp1", "Oz"))
    >>> model = Graph(config).eval()
    >>> x = {Modality.EEG: torch.zeros(1, 5, 4), Modality.EDA: torch.zeros(1, 5, 2)}
    >>> model(x, torch.ones(1, 5, 2)).mean.shape
    torch.Size([1, 5, 2])
    """

    config: GraphConfig

    def __init__(self, config: GraphConfig) -> None:
        super().__init__(config)
        self._eeg = self.modalities.index(Modality.EEG) if Modality.EEG in self.modalities else None
        self.graph = None
        if self._eeg is None:
            return
        count, width = self.inputs.counts[Modality.EEG], config.width
        nodes = len(config.electrodes) or count
        closeness = torch.full((nodes, nodes), 1 / nodes)
        if config.electrodes:
            closeness = scalp_closeness(config.electrodes)
        self.graph = ElectrodeGraph(closeness, count // nodes, width, config.order)
        sizes = tuple(n for name, n in self.inputs.counts.items() if name != Modality.EEG)
        self.encode = nn.Identity()
        if sizes:
            self.encode = nn.Sequential(
                PerModality(sizes, self.inputs.widest, width),
                nn.GELU(),
                PerModality((width,) * len(sizes), width, width),
            )

    def tokens(self, x: Mapping[Modality, Tensor], present: Tensor) -> tuple[Tensor, Tensor]:
        """Return what each modality says, and quality; see `Stepwise.tokens`."""
        if self.graph is None or self._eeg is None:
            return super().tokens(x, present)
        values, quality, known = self.inputs.standardise(x, present)
        eeg, count = self._eeg, self.inputs.counts[Modality.EEG]
        nodes, named = self.graph.logits.shape[0], bool(self.config.electrodes)
        shape = (*quality.shape[:-1], nodes, count // nodes)
        there = known[..., eeg, :count].reshape(shape).any(-1) | (not named)
        token = self.graph(values[..., eeg, :count].reshape(shape), there).unsqueeze(-2)
        if len(self.modalities) == 1:
            return self.token_norm(token), quality
        others = self.encode(torch.cat((values[..., :eeg, :], values[..., eeg + 1 :, :]), -2))
        tokens = torch.cat((others[..., :eeg, :], token, others[..., eeg:, :]), -2)
        return self.token_norm(tokens), quality
