"""The MATLAB file format, level 5 (v5 to v7), read so that no file can crash or flood the program.

SciPy's reader is compiled code that trusts its input: one changed byte can end the process. Source:
"MAT-File Format", MathWorks, version of 2019, chapter 1.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from biosense.core.errors import DatasetDamaged
from biosense.datasets.formats.mat_values import Cells, Other, Struct, Value

HEADER = 128
_BLOCK, _PACKED = 2**20, 2**16
_DEEPEST = 12  # levels of cells and structs within each other; the data sets have 6
_MOST_DIMENSIONS = 8
_MATRIX, COMPRESSED = 14, 15
_DTYPES = {
    **{1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4"},
    **{7: "f4", 9: "f8", 12: "i8", 13: "u8"},
}
_TEXTS = {1: "latin1", 2: "latin1", 16: "utf-8", 4: "utf-16", 17: "utf-16", 18: "utf-32"}
_WIDE = (4, 17, 18)
_CELL, _STRUCT, _CHAR = 1, 2, 4
_NUMERIC = range(6, 16)
_COMPLEX = 0x0800

Place = tuple[str | int, ...]
"""Where a value stands: name of the variable, then numbers of cells and names of fields."""


class Bytes:
    """Hand out the bytes of one variable of a file, unpacked where it is packed.

    Memory grows with the bytes that are really there, never with what a file declares.

    Parameters
    ----------
    file
        Open, at the variable.
    count
        Bytes of it in the file.
    packed
        Whether they are compressed.
    """

    def __init__(self, file: BinaryIO, count: int, *, packed: bool) -> None:
        self.position = 0
        self._file, self._left = file, count
        self._unpack = zlib.decompressobj() if packed else None
        self._ready = bytearray()

    def take(self, count: int) -> bytes:
        """Return the next bytes; `EOFError` where there are fewer."""
        while len(self._ready) < count:
            self._ready += self._more(count - len(self._ready))
        taken = bytes(self._ready[:count])
        del self._ready[:count]
        self.position += count
        return taken

    def skip_to(self, position: int) -> None:
        """Go on at a place; `EOFError` where it lies behind the end."""
        while self.position < position:
            self.take(min(_BLOCK, position - self.position))

    def finish(self) -> None:
        """Read to the end, where the checksum of a packed variable is compared."""
        while self._unpack is not None and not self._unpack.eof:
            self._more(_BLOCK)

    def _more(self, count: int) -> bytes:
        if self._unpack is None:
            return self._read(count)
        packed = self._unpack.unconsumed_tail
        if self._unpack.eof:
            raise EOFError("the data end too early")
        return self._unpack.decompress(packed or self._read(_PACKED), max(count, _PACKED))

    def _read(self, count: int) -> bytes:
        data = self._file.read(min(self._left, count))
        self._left -= len(data)
        if not data:
            raise EOFError("the data end too early")
        return data


@dataclass(frozen=True)
class Head:
    """Hold how a matrix begins.

    Parameters
    ----------
    end
        Where it ends.
    kind
        Its class, by number.
    is_complex
        Whether it has an imaginary part.
    shape
        Rows, columns, ..
    name
        Empty inside of others.
    """

    end: int
    kind: int
    is_complex: bool
    shape: tuple[int, ...]
    name: str


class Matrices:
    """Read matrices from the bytes of one variable.

    Parameters
    ----------
    path
        The file, for messages.
    source
        The bytes.
    order
        "<" or ">".
    wanted
        Tells of each place whether the value there is to be read; others become `Other`.
    """

    def __init__(
        self, path: Path, source: Bytes, order: str, wanted: Callable[[Place], bool]
    ) -> None:
        self._path, self._source = path, source
        self._order, self._wanted = order, wanted

    def head(self, limit: int) -> Head:
        """Read how the next matrix begins; it must end within `limit`."""
        kind, count = self._tag()
        end = self._source.position + count
        if kind != _MATRIX or end > limit:
            raise self._damaged(f"element of type {kind} and {count} bytes where a matrix belongs")
        if count == 0:
            return Head(end, 6, False, (0, 0), "")
        flags = int(self._numbers(end)[0])
        shape = tuple(int(size) for size in self._numbers(end))
        if not 2 <= len(shape) <= _MOST_DIMENSIONS or min(shape) < 0:
            raise self._damaged(f"a matrix of shape {shape}")
        name = self._numbers(end).tobytes().decode("latin1")
        return Head(end, flags & 0xFF, bool(flags & _COMPLEX), shape, name)

    def value(self, head: Head, place: Place) -> Value:
        """Read the rest of a matrix."""
        if len(place) > _DEEPEST:
            raise self._damaged(f"cells nested more than {_DEEPEST} deep")
        value: Value = Other("a value that was not asked for")
        if self._wanted(place):
            value = self._content(head, place)
        if self._source.position > head.end:
            raise self._damaged(f"{place} is longer than it says")
        self._source.skip_to(head.end)
        return value

    def _content(self, head: Head, place: Place) -> Value:
        if math.prod(head.shape) == 0 and head.kind in _NUMERIC:
            return np.zeros(head.shape)
        if head.kind == _CELL:
            return Cells(head.shape, self._inner(head, place, range(self._count(head))))
        if head.kind == _STRUCT:
            return self._struct(head, place)
        if head.kind == _CHAR:
            return self._text(head)
        if head.kind not in _NUMERIC or head.is_complex:
            return Other("complex" if head.is_complex else f"an array of class {head.kind}")
        values = self._numbers(head.end)
        if values.size != math.prod(head.shape):
            raise self._damaged(f"{place} has {values.size} numbers for the shape {head.shape}")
        return values.reshape(head.shape, order="F")

    def shape_of(self, head: Head, field: str) -> tuple[int, ...]:
        """Return the shape of a field of a struct of one element, without reading it."""
        for name in self._fields(head):
            inner = self.head(head.end)
            if name == field:
                return inner.shape
            self._source.skip_to(inner.end)
        raise self._damaged(f"{head.name} has no field {field!r}")

    def _struct(self, head: Head, place: Place) -> Struct:
        fields = self._fields(head)
        elements = range(self._count(head) if fields else 0)
        alone = len(elements) == 1
        items = tuple(
            self._inner(head, place if alone else (*place, index), fields) for index in elements
        )
        return Struct(head.shape, fields, items)

    def _fields(self, head: Head) -> tuple[str, ...]:
        if head.kind != _STRUCT:
            raise self._damaged(f"{head.name} is no struct")
        length = int(self._numbers(head.end)[0])
        names = self._numbers(head.end).tobytes()
        if not 0 < length <= 64 or len(names) % length:
            raise self._damaged(f"names of fields of length {length} in {len(names)} bytes")
        parts = (names[at : at + length] for at in range(0, len(names), length))
        return tuple(part.split(b"\0")[0].decode("latin1") for part in parts)

    def _inner(self, head: Head, place: Place, keys: range | tuple[str, ...]) -> tuple[Value, ...]:
        return tuple(self.value(self.head(head.end), (*place, key)) for key in keys)

    def _count(self, head: Head) -> int:
        """Return how many elements an array has, where so many can be: each takes 8 bytes."""
        count = math.prod(head.shape)
        if count * 8 > head.end - self._source.position:
            raise self._damaged(f"{count} elements in {head.end - self._source.position} bytes")
        return count

    def _text(self, head: Head) -> Value:
        if 0 in head.shape:
            return ""
        kind, raw = self._element(head.end)
        if kind not in _TEXTS:
            raise self._damaged(f"text of type {kind}")
        ending = {"<": "-le", ">": "-be"}[self._order] if kind in _WIDE else ""
        text = raw.decode(_TEXTS[kind] + ending)
        return text if head.shape[0] == 1 else Other(f"text of {head.shape[0]} rows")

    def _numbers(self, limit: int) -> NDArray[Any]:
        kind, raw = self._element(limit)
        dtype = np.dtype(self._order + _DTYPES.get(kind, "V1"))
        if kind not in _DTYPES or len(raw) % dtype.itemsize:
            raise self._damaged(f"{len(raw)} bytes of type {kind} where numbers belong")
        return np.frombuffer(raw, dtype).astype(dtype.newbyteorder("="))

    def _element(self, limit: int) -> tuple[int, bytes]:
        start = self._source.position
        kind, count = self._tag()
        if self._source.position + count > limit:
            raise self._damaged(f"{count} bytes of type {kind} at {start} of {limit}")
        raw = self._source.take(count)
        if self._source.position < limit:
            self._source.skip_to(start + 8 * math.ceil((self._source.position - start) / 8))
        return kind, raw

    def _tag(self) -> tuple[int, int]:
        """Read the type and size of an element; a small one has both in 4 bytes."""
        first = struct.unpack(f"{self._order}I", self._source.take(4))[0]
        if first >> 16:
            return first & 0xFFFF, min(first >> 16, 4)
        return first, struct.unpack(f"{self._order}I", self._source.take(4))[0]

    def _damaged(self, what: str) -> DatasetDamaged:
        return DatasetDamaged(f"{self._path} is damaged: {what}")
