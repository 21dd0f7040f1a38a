"""Bring the features of all modalities together, point by point of the session grid."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from heapq import heappop, heappush

from biosense.core.affect import FusionInput
from biosense.core.errors import BadInput
from biosense.core.grid import HOP, grid_time
from biosense.core.types import Epoch, Modality


class Join:
    """Collect epochs of several modalities into one `FusionInput` per point of the session grid.

    Point k is given out, in the order of k, as soon as every awaited modality has reached k, or as
    soon as one modality is `patience` seconds of stream time ahead of it. A modality that had not
    reached k by then is left out, and not awaited again until it delivers an epoch that is less
    than `patience` late: a dead sensor costs latency once. Epochs that come after their point was
    given out are dropped and counted in `late`. An epoch of quality 0 says that its modality is
    absent; a point at which all are absent is skipped.

    Results depend on the order in which epochs arrive, and on nothing else.

    Parameters
    ----------
    modalities
        Awaited from the beginning. Others join when their first epoch comes.
    hop
        Step of the session grid, seconds.
    patience
        How long a late modality is waited for, seconds of stream time.

    Examples
    --------
    >>> import numpy as np
    >>> from biosense.core import StreamInfo
    >>> def epoch(k):
    ...     info = StreamInfo("features", None, ("x",), 4.0)
    ...     return Epoch(info, k, k / 4 - 1, k / 4, np.array([1.0 * k]), 1.0)
    >>> join = Join((Modality.ECG, Modality.EDA))
    >>> join.push(Modality.ECG, epoch(8))
    []
    >>> [fused.time for fused in join.push(Modality.EDA, epoch(8))]
    [2.0]
    """

    def __init__(
        self, modalities: Sequence[Modality], hop: float = HOP, patience: float = 1.0
    ) -> None:
        if not (hop > 0 and patience >= 0):
            raise BadInput(f"hop={hop} s must be above 0 and patience={patience} s not negative")
        self.late: dict[Modality, int] = {}
        self._hop = hop
        self._patience_steps = round(patience / hop)
        self._awaited = set(modalities)
        self._reached: dict[Modality, int] = {}
        self._newest = -sys.maxsize  # of the points reached
        self._slow = Modality.EEG  # or who else was behind when it was last looked
        self._pending: dict[int, dict[Modality, Epoch]] = {}
        self._order: list[int] = []  # of the pending points, a heap
        self._given: int | None = None

    def __repr__(self) -> str:
        return f"Join(hop={self._hop}, patience={self._patience_steps * self._hop})"

    @property
    def left_out(self) -> frozenset[Modality]:
        """Modalities that delivered once and are not waited for now."""
        return frozenset(self._reached) - self._awaited

    def expect(self, modality: Modality) -> None:
        """Wait for a modality from the next point on, before its first epoch has come."""
        self._awaited.add(modality)

    def push(self, modality: Modality, epoch: Epoch) -> list[FusionInput]:
        """Take an epoch and return the points that became complete by it."""
        return self.push_point(epoch.index, {modality: epoch})

    def push_point(self, k: int, epochs: Mapping[Modality, Epoch]) -> list[FusionInput]:
        """Take epochs of several modalities at point k, as `push` does one after the other."""
        if self._given is not None and k <= self._given:
            for modality in epochs:
                self.late[modality] = self.late.get(modality, 0) + 1
                if k > self._newest - self._patience_steps:
                    self._await(modality, k)
            return []
        for modality in epochs:
            self._await(modality, k)
        if k not in self._pending:
            self._pending[k] = {}
            heappush(self._order, k)
        self._pending[k].update(epochs)
        fused: list[FusionInput] = []
        while self._order and self._is_due(self._order[0]):
            fused += self._give(heappop(self._order))
        return fused

    def flush(self) -> list[FusionInput]:
        """Return every point that is left, in order."""
        order, self._order = sorted(self._order), []
        return [fused for k in order for fused in self._give(k)]

    def _await(self, modality: Modality, k: int) -> None:
        self._awaited.add(modality)
        if k > self._newest:
            self._newest = k
        if k > self._reached.get(modality, k - 1):
            self._reached[modality] = k

    def _is_due(self, k: int) -> bool:
        is_over = self._newest >= k + self._patience_steps
        reached, slow = self._reached, self._slow
        if not is_over and slow in self._awaited and reached.get(slow, k - 1) < k:
            return False  # nearly always: the others need not be looked at
        behind = {name for name in self._awaited if reached.get(name, k - 1) < k}
        if not behind:
            return True
        if not is_over:
            self._slow = next(iter(behind))
            return False
        self._awaited -= behind
        return True

    def _give(self, k: int) -> list[FusionInput]:
        epochs = self._pending.pop(k)
        self._given = k
        present = [name for name in sorted(epochs) if epochs[name].quality > 0]
        if not present:
            return []
        data = {name: epochs[name].data for name in present}
        quality = {name: epochs[name].quality for name in present}
        return [FusionInput(k, grid_time(k, self._hop), data, quality)]
