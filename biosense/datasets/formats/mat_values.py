"""Values of MATLAB files, and what data sets take out of them: tables, texts, members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosense.core.errors import DatasetDamaged
from biosense.core.types import Floats


@dataclass(frozen=True)
class Cells:
    """Hold an array of cells in MATLAB's order (columns first).

    Parameters
    ----------
    shape
        As MATLAB has it.
    items
        Columns first.
    """

    shape: tuple[int, ...]
    items: tuple[Any, ...]


@dataclass(frozen=True)
class Struct:
    """Hold an array of structs, each as its values in the order of `fields`.

    Parameters
    ----------
    shape
        As MATLAB has it.
    fields
        Names.
    items
        Values of each struct, in the order of `fields`.
    """

    shape: tuple[int, ...]
    fields: tuple[str, ...]
    items: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Other:
    """Stand for a value that was not read: not wanted, or of a kind no data set uses.

    Parameters
    ----------
    kind
        What it is, in words.
    """

    kind: str


Value = NDArray[Any] | str | Cells | Struct | Other


def cells(value: Value, where: str, count: int | None = None) -> list[Any]:
    """Return what the cells of a row or column of cells hold.

    Parameters
    ----------
    value
        As `read_mat` returns it.
    where
        What to call it in messages.
    count
        How many there must be; None for any.

    Returns
    -------
    list

    Raises
    ------
    DatasetDamaged
        `value` is no row or column of cells, or not one of `count`.

    Examples
    --------
    >>> cells(Cells((1, 2), ("a", "b")), "s01.mat: ids", 2)
    ['a', 'b']
    """
    if not isinstance(value, Cells):
        raise DatasetDamaged(f"{where} is {_kind(value)}, wanted a row of cells")
    if value.shape not in ((1, len(value.items)), (len(value.items), 1)):
        raise DatasetDamaged(f"{where} has shape {value.shape}, wanted a row of cells")
    if count is not None and len(value.items) != count:
        raise DatasetDamaged(f"{where} has shape {value.shape}, wanted a row of {count} cells")
    return list(value.items)


def numbers(value: Value, where: str, columns: int) -> Floats:
    """Return a table of real numbers as float64.

    Parameters
    ----------
    value
        As `read_mat` returns it.
    where
        What to call it in messages.
    columns
        How many there must be.

    Returns
    -------
    Floats
        Shape (rows, columns).

    Raises
    ------
    DatasetDamaged
        `value` is something else.

    Examples
    --------
    >>> numbers(np.ones((2, 3), dtype=np.uint8), "s01.mat: ratings", 3).dtype
    dtype('float64')
    """
    if not (isinstance(value, np.ndarray) and value.ndim == 2):
        raise DatasetDamaged(f"{where} is {_kind(value)}, wanted a table of real numbers")
    if value.shape[1] != columns:
        raise DatasetDamaged(f"{where} has shape {value.shape}, wanted (rows, {columns})")
    return np.ascontiguousarray(value, dtype=np.float64)


def word(value: Value, where: str) -> str:
    """Return a text, also one that is wrapped in a cell.

    Parameters
    ----------
    value
        As `read_mat` returns it.
    where
        What to call it in messages.

    Returns
    -------
    str

    Raises
    ------
    DatasetDamaged
        `value` is no single piece of text.

    Examples
    --------
    >>> word(Cells((1, 1), ("N1 ",)), "s01.mat: id")
    'N1'
    """
    inner = value
    while isinstance(inner, Cells) and len(inner.items) == 1:
        inner = inner.items[0]
    if not isinstance(inner, str):
        raise DatasetDamaged(f"{where} is {_kind(value)}, wanted a text")
    return inner.strip()


def member(value: Value, name: str, where: str) -> Value:
    """Return a field of a struct of one element.

    Parameters
    ----------
    value
        As `read_mat` returns it.
    name
        Of the field.
    where
        What to call it in messages.

    Returns
    -------
    Value

    Raises
    ------
    DatasetDamaged
        `value` is no such struct, or lacks the field.

    Examples
    --------
    >>> member(Struct((1, 1), ("Age", "Gender"), (("22", "male"),)), "Gender", "person 1")
    'male'
    """
    if not (isinstance(value, Struct) and len(value.items) == 1):
        raise DatasetDamaged(f"{where} is {_kind(value)}, wanted a struct of one element")
    if name not in value.fields:
        raise DatasetDamaged(f"{where} has no field {name!r}, but: {', '.join(value.fields)}")
    field: Value = value.items[0][value.fields.index(name)]
    return field


def is_empty(value: Value) -> bool:
    """Tell whether a cell holds nothing: MATLAB writes (0, 0) or (1, 0).

    Parameters
    ----------
    value
        As `read_mat` returns it.

    Returns
    -------
    bool
    """
    if isinstance(value, Cells):
        return not value.items
    return (
        value == "" if isinstance(value, str) else isinstance(value, np.ndarray) and not value.size
    )


def _kind(value: Value) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} of shape {value.shape}"
    if isinstance(value, Cells | Struct):
        return f"{type(value).__name__.lower()} of shape {value.shape}"
    return f"the text {value!r}" if isinstance(value, str) else value.kind
