"""Arrays and tables as the labelled sequences that fusion families are fitted to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse

from biosense.api.naming import modality_named
from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.core.types import Floats, Modality
from biosense.models.sequences import LabelledSequence

_MOST_PARTS = 20


@dataclass(frozen=True, eq=False)
class Table:
    """Hold features by modality, each (n, features), with their names."""

    data: Mapping[Modality, Floats]
    names: Mapping[Modality, tuple[str, ...]]

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(next(iter(self.data.values())))


def is_by_modality(X: Any) -> bool:
    """Tell a dictionary of modalities, or a table with the columns (modality, feature)."""
    if issparse(X):  # some are mappings, of cells
        return False
    return isinstance(X, Mapping) or getattr(getattr(X, "columns", None), "nlevels", 1) == 2


def by_modality(X: Any) -> Table:
    """Return the features of a dictionary, or of a table with the columns (modality, feature).

    Raises
    ------
    BadInput
        If a modality is unknown, or their rows are not as many.
    """
    if isinstance(X, Mapping):
        data = {modality_named(name): _two_axes(values) for name, values in X.items()}
        names = {m: tuple(f"{m}_{k}" for k in range(v.shape[1])) for m, v in data.items()}
    else:
        pairs = [(modality_named(str(modality)), str(name)) for modality, name in X.columns]
        values = np.asarray(X, np.float64)
        data, names = {}, {}
        for modality in dict.fromkeys(pair[0] for pair in pairs):
            at = [number for number, pair in enumerate(pairs) if pair[0] is modality]
            data[modality] = values[:, at]
            names[modality] = tuple(pairs[number][1] for number in at)
    if not data or len({len(values) for values in data.values()}) != 1:
        shapes = {str(modality): values.shape for modality, values in data.items()}
        raise BadInput(f"modalities of shapes {shapes}; wanted (n, features) each, of one n")
    return Table(data, names)


def one_modality(X: Floats, names: Sequence[str] | None = None) -> Table:
    """Return an array without modalities as features of one: EEG stands for whatever they are."""
    known = tuple(names) if names is not None else tuple(f"x{k}" for k in range(X.shape[1]))
    return Table({Modality.EEG: np.asarray(X, np.float64)}, {Modality.EEG: known})


def sequences_of(
    table: Table, target: Floats | None, groups: Any, seed: int
) -> list[tuple[LabelledSequence, Any]]:
    """Return sequences with the rows that each is made of.

    Parameters
    ----------
    table
        The features.
    target
        In [-1, 1], (n, 2); None where there is none.
    groups
        Recording of each row, (n,): rows of one are steps that follow each other, a quarter of a
        second apart. None: every row stands alone.
    seed
        Of how rows that stand alone are dealt to the parts of which some are held out.
    """
    n = table.n
    target = np.full((n, 2), np.nan) if target is None else target
    if groups is None:
        parts = np.random.default_rng(seed).permutation(n) % max(2, min(_MOST_PARTS, n // 10))
        rows = [np.array([row]) for row in range(n)]
        names = [f"part {part}" for part in parts.tolist()]
    else:
        groups = np.asarray(groups)
        if groups.shape != (n,):
            raise BadInput(f"groups of shape {groups.shape}; wanted ({n},), one for each row")
        kinds = list(dict.fromkeys(groups.tolist()))
        rows = [np.flatnonzero(groups == kind) for kind in kinds]
        names = [str(kind) for kind in kinds]
    return [(_sequence(table, target, at, name), at) for at, name in zip(rows, names, strict=True)]


def _sequence(table: Table, target: Floats, at: Any, subject: str) -> LabelledSequence:
    data = {modality: values[at] for modality, values in table.data.items()}
    quality = {m: np.isfinite(values).any(axis=1).astype(np.float64) for m, values in data.items()}
    time = HOP * np.arange(len(at), dtype=np.float64)
    return LabelledSequence(subject, time, data, quality, target[at])


def _two_axes(values: Any) -> Floats:
    array = np.asarray(values, np.float64)
    return array[:, None] if array.ndim == 1 else array
