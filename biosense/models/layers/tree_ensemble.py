"""Regression trees as tensors: many trees and rows at once, without a branch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from biosense.core.errors import BadInput
from biosense.core.types import Floats, Ints


@dataclass(frozen=True, eq=False)
class Tree:
    """Hold one tree: arrays over its nodes, the root first.

    Parameters
    ----------
    feature
        Column that a node looks at; any number at a leaf.
    threshold
        A value up to it, itself included, goes left.
    left, right
        Children; at a leaf the node itself.
    value
        What a leaf says.
    """

    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    value: Floats


class Forest(nn.Module):
    """Sum the answers of trees, for each of two targets, in float64.

    A place is kept for as many trees and nodes as were asked for, so that the sizes of the buffers
    follow from the settings; places without a tree answer 0.

    Parameters
    ----------
    trees
        Of each target, at most.
    nodes
        Of a tree, at most.
    depth
        Edges from the root to a leaf, at most.

    Examples
    --------
    >>> forest = Forest(1, 3, 1)
    >>> stump = Tree(
    ...     np.zeros(3, int), np.array([0.5, 0, 0]), np.array([1, 1, 2]), np.array([2, 1, 2]),
    ...     np.array([0, -1.0, 1.0]),
    ... )
    >>> forest.load_trees([[stump], []])
    >>> forest(torch.tensor([[0.2], [0.9]]))
    tensor([[-1.,  0.],
            [ 1.,  0.]], dtype=torch.float64)
    """

    feature: Tensor
    threshold: Tensor
    child: Tensor
    value: Tensor
    _root: Tensor

    def __init__(self, trees: int, nodes: int, depth: int) -> None:
        super().__init__()
        self.trees, self.nodes, self.depth = trees, nodes, depth
        total = 2 * trees * nodes
        self.register_buffer("feature", torch.zeros(total, dtype=torch.int64))
        self.register_buffer("threshold", torch.zeros(total, dtype=torch.float64))
        self.register_buffer("child", torch.arange(total).repeat_interleave(2))
        self.register_buffer("value", torch.zeros(total, dtype=torch.float64))
        self.register_buffer("_root", torch.arange(2 * trees) * nodes, persistent=False)

    def load_trees(self, targets: Sequence[Sequence[Tree]]) -> None:
        """Put the trees of each target in place of all that was there.

        Parameters
        ----------
        targets
            Trees of valence, trees of arousal.

        Raises
        ------
        BadInput
            There are more trees, or a tree has more nodes, than there are places.
        """
        self.value.zero_()
        for target, trees in enumerate(targets):
            if len(trees) > self.trees or any(len(tree.value) > self.nodes for tree in trees):
                raise BadInput(
                    f"there is room for {self.trees} trees of {self.nodes} nodes, got {len(trees)} "
                    f"of up to {max(len(tree.value) for tree in trees)}"
                )
            for k, tree in enumerate(trees):
                first = (target * self.trees + k) * self.nodes
                place = slice(first, first + len(tree.value))
                self.feature[place] = torch.from_numpy(tree.feature)
                self.threshold[place] = torch.from_numpy(tree.threshold)
                children = first + np.stack((tree.left, tree.right), 1).ravel()
                self.child[2 * place.start : 2 * place.stop] = torch.from_numpy(children)
                self.value[place] = torch.from_numpy(tree.value)

    def forward(self, columns: Tensor) -> Tensor:
        """Return the sum of what the trees answer.

        Parameters
        ----------
        columns
            Shape (.., columns).

        Returns
        -------
        Tensor
            float64, (.., 2).
        """
        rows = columns.double().reshape(-1, columns.shape[-1])  # (n, columns)
        at = self._root.expand(len(rows), -1)  # (n, 2 trees)
        for _ in range(self.depth):
            right = rows.gather(1, self.feature[at]) > self.threshold[at]
            at = self.child[2 * at + right]
        said = self.value[at].reshape(*columns.shape[:-1], 2, self.trees)
        return said.sum(-1)
