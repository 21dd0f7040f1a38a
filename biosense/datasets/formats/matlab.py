"""MATLAB files of data sets, read without trust: what is wrong with one is said by name."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from biosense.core.errors import DatasetDamaged
from biosense.datasets.formats.mat5 import COMPRESSED, HEADER, Bytes, Head, Matrices, Place
from biosense.datasets.formats.mat_values import Value

LARGEST = 4 * 2**30  # bytes of a variable when unpacked; the largest, of DREAMER, has about 2 GiB
_UNREADABLE = (OSError, EOFError, zlib.error, struct.error, ValueError, IndexError, OverflowError)
_HDF5 = b"\x89HDF\r\n\x1a\n"


def read_mat(
    path: Path,
    names: Sequence[str],
    *,
    wanted: Callable[[Place], bool] = lambda place: True,
    largest: int = LARGEST,
) -> dict[str, Value]:
    """Read variables of a MATLAB file (level 5: v5 to v7) as they are stored, nothing squeezed.

    Parameters
    ----------
    path
        The file.
    names
        The variables that are wanted.
    wanted
        Tells of each place in them whether it is to be read; the rest is passed over, so that
        memory holds only what is needed.
    largest
        Bytes that a variable may have when unpacked.

    Returns
    -------
    dict of str to Value

    Raises
    ------
    DatasetDamaged
        The file is no such file, is cut short, holds a variable of more than `largest`, or lacks
        one.
    """
    found: dict[str, Value] = {}
    with _named(path):
        for source, matrices, head in _variables(path, wanted, largest):
            if head.name in names:
                found[head.name] = matrices.value(head, (head.name,))
                source.finish()
    for name in names:
        if name not in found:
            raise DatasetDamaged(
                f"{path} has no variable {name!r} (of those wanted: {', '.join(found) or 'none'})"
            )
    return found


def field_shape(path: Path, name: str, field: str) -> tuple[int, ...]:
    """Return the shape of a field of a struct, reading no more of the file than what is before it.

    Parameters
    ----------
    path
        The file.
    name
        Of the variable.
    field
        Of its first struct.

    Returns
    -------
    tuple of int

    Raises
    ------
    DatasetDamaged
        As in `read_mat`, or the field is not there.
    """
    with _named(path):
        for _, matrices, head in _variables(path, lambda place: True, LARGEST):
            if head.name == name:
                return matrices.shape_of(head, field)
    raise DatasetDamaged(f"{path} has no variable {name!r}")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Turn what reading raises into an error that names the file."""
    try:
        yield
    except DatasetDamaged:
        raise
    except _UNREADABLE as error:
        raise DatasetDamaged(
            f"{path} cannot be read as a MATLAB file ({error}): copy it from its source again"
        ) from error


def _variables(
    path: Path, wanted: Callable[[Place], bool], largest: int
) -> Iterator[tuple[Bytes, Matrices, Head]]:
    """Return the beginning of each variable, and what reads the rest of it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        order = _order(path, file.read(HEADER + len(_HDF5)))
        place = HEADER
        while place < size:
            file.seek(place)
            kind, count = struct.unpack(f"{order}II", file.read(8))
            packed = kind == COMPRESSED
            if place + 8 + count > size:
                raise DatasetDamaged(
                    f"{path} is cut short: {size} bytes, it declares {place + 8 + count}"
                )
            file.seek(place + 8 * packed)
            source = Bytes(file, count if packed else count + 8, packed=packed)
            matrices = Matrices(path, source, order, wanted)
            yield source, matrices, matrices.head(largest)
            place += 8 + count


def _order(path: Path, head: bytes) -> str:
    """Return the order of bytes of a level 5 file, in the letters of `struct`."""
    # A v7.3 file has a MATLAB head of 512 bytes before that of HDF5, and version 0x0200.
    if head.startswith(_HDF5) or head[124:128] in (b"\x00\x02IM", b"\x02\x00MI"):
        raise DatasetDamaged(
            f"{path} is a MATLAB v7.3 file (HDF5), wanted v5 to v7: load it in MATLAB and save it "
            "with the option '-v7'"
        )
    orders = {b"\x00\x01IM": "<", b"\x01\x00MI": ">"}
    if head[124:128] not in orders:
        raise DatasetDamaged(f"{path} is no MATLAB file: it does not begin as one")
    return orders[head[124:128]]
