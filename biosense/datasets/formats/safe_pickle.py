"""Arrays from pickle files that strangers made: nothing in such a file is run or believed.

Unpickling calls what the file names. Here it can name the few callables with which numpy rebuilds
an array, and gets stand-ins of ours in their place, which allocate nothing that the file does not
hold: https://docs.python.org/3/library/pickle.html#restricting-globals
"""

from __future__ import annotations

import math
import mmap
import pickle
import pickletools
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal, cast

import numpy as np

from biosense.core.errors import DatasetDamaged
from biosense.core.types import Floats
from biosense.datasets.folder_listing import check_size

_MOST_OPCODES = 2000  # two arrays take about 60; every opcode costs time
_MOST_SAMPLES = 2**40
_FLOATS = ("f2", "f4", "f8")
# What the unpickler and its checks raise for streams that are cut or make no sense.
_SENSELESS = (
    *(pickle.UnpicklingError, EOFError, ArithmeticError, AttributeError, ImportError),
    *(LookupError, TypeError, ValueError),
)
_PUTS = ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE")
_GETS = ("GET", "BINGET", "LONG_BINGET")
_SHARED = {
    *("GLOBAL", "STACK_GLOBAL", "REDUCE", "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
}
"""What makes a thing that may be used again."""
_OPCODES = {
    *("PROTO", "FRAME", "STOP", "MARK", "EMPTY_DICT", "DICT", "SETITEM", "SETITEMS", "BUILD"),
    *("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "NONE", "NEWTRUE", "NEWFALSE"),
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "BYTEARRAY8"),
    *(*_PUTS, *_GETS, *_SHARED),
}
"""What pickles of a dict of arrays consist of, from Python 2 as from 3."""
_show = reprlib.repr  # short whatever a hostile file has nested


class Refused(pickle.UnpicklingError):
    """Raise for a pickle that asks for something other than arrays."""


def load_arrays(path: Path, *, limit: int, resaved: bool = False) -> dict[str, Floats]:
    r"""Read a pickled dict of arrays of floats, as Python 2 wrote it, without running anything.

    Parameters
    ----------
    path
        The file.
    limit
        What it may have in bytes at most, seen before anything is read.
    resaved
        Take files that Python 3 wrote, too (`_codecs.encode` and numpy's `_frombuffer`).

    Returns
    -------
    dict
        Arrays in float64 by their keys.

    Raises
    ------
    DatasetDamaged
        If the file names anything but arrays (the message says what), holds objects in place of
        floats, asks for more samples than it holds, is truncated, too large or no pickle.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "s01.dat"
    ...     _ = path.write_bytes(b"cos\nsystem\n(S'echo run'\ntR.")
    ...     try:
    ...         load_arrays(path, limit=1000)
    ...     except DatasetDamaged as error:
    ...         print(str(error).partition(": ")[2])
    asks for os.system: refused, nothing of it was run
    """
    check_size(path, limit)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            _check_opcodes(data)
            data.seek(0)
            return _plain(_Unpickler(data, resaved).load())
        except Refused as error:
            raise DatasetDamaged(f"{path}: {error}") from error
        except _SENSELESS as error:
            raise DatasetDamaged(
                f"{path} is truncated, or no pickle of arrays: get it again ({_show(str(error))})"
            ) from error


def _check_opcodes(data: mmap.mmap) -> None:
    """Walk through the whole stream first: its lengths and memo must fit what it holds."""
    shared: dict[int, bool] = {}
    before = ""
    for count, (opcode, argument, _) in enumerate(pickletools.genops(cast("IO[bytes]", data))):
        if count > _MOST_OPCODES:
            raise Refused(f"has more than {_MOST_OPCODES} steps, a few arrays take about 100")
        if opcode.name in ("GLOBAL", "INST"):
            module, _, name = str(argument).partition(" ")
            _stand_in(module, name, resaved=True)
        if opcode.name not in _OPCODES:
            raise Refused(f"uses {opcode.name}, which no array needs: refused")
        if opcode.name in _PUTS:
            place = len(shared) if opcode.name == "MEMOIZE" else int(str(argument))
            _check_place(place)
            shared[place] = before in _SHARED
        # Tuples of the same tuple twice, of tuples of the same tuple twice, and so on, would take
        # forever to hash and to print.
        if opcode.name in _GETS and not shared.get(int(str(argument)), False):
            raise Refused(f"uses place {argument} of memory again, which no array needs: refused")
        before = opcode.name


def _check_place(place: int) -> None:
    # The unpickler makes room for all places below the highest.
    if place > _MOST_OPCODES:
        raise Refused(f"asks for {place} places of memory: refused")


def _plain(loaded: object) -> dict[str, Floats]:
    if not isinstance(loaded, dict) or not loaded:
        raise Refused(f"holds a {type(loaded).__name__}, wanted a dict of arrays")
    arrays = {}
    for key, value in loaded.items():
        if not isinstance(key, str) or not isinstance(value, _Array):
            raise Refused(
                f"holds {type(value).__name__} under {_show(key)}, wanted an array of floats"
            )
        arrays[key] = value.floats()
    return arrays


@dataclass(eq=False, repr=False)
class _Dtype:
    """Hold the type of the samples, of which only floats are taken."""

    code: str
    order: str = "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = state[1]
        if order not in ("<", ">", "=", "|") or any(part is not None for part in state[2:5]):
            raise Refused(f"holds samples of the layout {_show(state)}, wanted plain floats")
        self.order = order

    @property
    def numpy(self) -> np.dtype[Any]:
        return np.dtype(f"{self.order}{self.code}")


@dataclass(eq=False, repr=False)
class _Array:
    """Hold an array as it is said to be, until its samples have been counted."""

    state: tuple[Any, ...] = field(default=())

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    def floats(self) -> Floats:
        """Return the array if the file holds its samples, neither fewer nor more."""
        if len(self.state) != 5:
            raise Refused("holds an array without samples")
        _, shape, dtype, is_fortran, raw = self.state
        if isinstance(raw, str):
            raw = raw.encode("latin1")
        if not isinstance(raw, bytes | bytearray) or not isinstance(dtype, _Dtype):
            raise Refused(f"holds an array of {type(raw).__name__}, wanted floats")
        wanted = _samples(shape) * dtype.numpy.itemsize
        if wanted != len(raw):
            raise Refused(
                f"asks for an array of shape {_show(shape)}, {wanted} bytes, "
                f"but holds {len(raw)} of them"
            )
        order: Literal["C", "F"] = "F" if is_fortran else "C"
        flat = np.frombuffer(raw, dtype.numpy).astype(np.float64, copy=False)
        return np.asarray(flat.reshape(shape, order=order), dtype=np.float64)


def _samples(shape: object) -> int:
    if not isinstance(shape, tuple) or not 1 <= len(shape) <= 4:
        raise Refused(f"asks for an array of shape {_show(shape)}, wanted 1 to 4 lengths")
    if not all(type(length) is int and 0 <= length <= _MOST_SAMPLES for length in shape):
        raise Refused(f"asks for an array of shape {_show(shape)}: refused")
    return math.prod(shape)


@dataclass(frozen=True)
class _StandIn:
    """Stand in for a callable that the file names; it cannot be changed from within the file."""

    name: str

    def __call__(self, *arguments: Any) -> object:
        made = getattr(self, f"_{self.name}", None)
        if made is None:
            raise Refused(
                f"calls numpy.{self.name} in a way that makes no array of floats: refused"
            )
        return made(*arguments)

    def __setstate__(self, state: object) -> None:
        raise Refused(f"changes {self.name}: refused")

    def _reconstruct(self, subtype: object, shape: object, code: object) -> _Array:
        if not isinstance(subtype, _StandIn) or subtype.name != "ndarray" or shape != (0,):
            raise Refused(f"asks for an empty array of shape {_show(shape)}: refused")
        return _Array()

    def _dtype(self, code: object, *_: object) -> _Dtype:
        if code not in _FLOATS:
            raise Refused(f"holds samples of type {_show(code)}, wanted floats: refused")
        return _Dtype(str(code))

    def _encode(self, text: object, encoding: object) -> bytes:
        if not isinstance(text, str) or encoding != "latin1":
            raise Refused(f"encodes {type(text).__name__} as {_show(encoding)}: refused")
        return text.encode("latin1")

    def _frombuffer(self, raw: object, dtype: object, shape: object, order: object) -> _Array:
        if order not in ("C", "F"):
            raise Refused(f"holds an array in the order {_show(order)}, wanted C or F")
        return _Array((1, shape, dtype, order == "F", raw))


# Numpy 2 calls `numpy.core` `numpy._core`; files name either.
_ARRAYS: Mapping[str, str] = {
    "numpy.core.multiarray._reconstruct": "reconstruct",
    "numpy._core.multiarray._reconstruct": "reconstruct",
    "numpy.ndarray": "ndarray",
    "numpy.dtype": "dtype",
}
_RESAVED: Mapping[str, str] = {
    "_codecs.encode": "encode",
    "numpy.core.numeric._frombuffer": "frombuffer",
    "numpy._core.numeric._frombuffer": "frombuffer",
}


def _stand_in(module: str, name: str, *, resaved: bool) -> _StandIn:
    asked = f"{module}.{name}"
    if asked in _ARRAYS:
        return _StandIn(_ARRAYS[asked])
    if asked in _RESAVED and resaved:
        return _StandIn(_RESAVED[asked])
    if asked in _RESAVED:
        raise Refused(f"asks for {asked}: Python 3 saved it again, allow that with resaved=True")
    raise Refused(f"asks for {asked}: refused, nothing of it was run")


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: mmap.mmap, resaved: bool) -> None:
        super().__init__(data, encoding="latin1", fix_imports=False)
        self._resaved = resaved

    def find_class(self, module: str, name: str) -> _StandIn:
        return _stand_in(module, name, resaved=self._resaved)

    def persistent_load(self, pid: object) -> object:
        raise Refused(f"asks for the object {_show(pid)} outside of the file: refused")
