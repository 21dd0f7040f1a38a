"""Numbers of any width out of packed bytes, either bit order, for the packets of BLE sensors."""

from __future__ import annotations

import numpy as np

from biosense.core.errors import PacketError
from biosense.core.types import Ints


def unpack_lsb(data: bytes, bits: int, count: int) -> Ints:
    """Read `count` unsigned numbers of `bits` bits that follow each other from the lowest bit on.

    Returns shape (count,). Bytes behind the last number are not read.

    Raises
    ------
    PacketError
        If `data` is too short.

    Examples
    --------
    >>> unpack_lsb(bytes.fromhex("e1c370"), 4, 6).tolist()
    [1, 14, 3, 12, 0, 7]
    """
    return _bits(data, bits, count, "little") @ (np.int64(1) << np.arange(bits))


def unpack_msb(data: bytes, bits: int, count: int) -> Ints:
    """Read `count` unsigned numbers of `bits` bits that follow each other from the highest bit on.

    Returns shape (count,). Bytes behind the last number are not read.

    Raises
    ------
    PacketError
        If `data` is too short.

    Examples
    --------
    >>> unpack_msb(bytes.fromhex("8008017ff0"), 12, 3).tolist()
    [2048, 2049, 2047]
    """
    return _bits(data, bits, count, "big") @ (np.int64(1) << np.arange(bits)[::-1])


def signed(values: Ints, bits: int) -> Ints:
    """Read unsigned numbers of `bits` bits as two's complement.

    Examples
    --------
    >>> signed(np.array([0, 127, 128, 255]), 8).tolist()
    [0, 127, -128, -1]
    """
    half = np.int64(1) << (bits - 1)
    return (values ^ half) - half


def _bits(data: bytes, bits: int, count: int, order: str) -> Ints:
    if len(data) * 8 < bits * count:
        raise PacketError(
            f"{len(data)} bytes are too few for {count} numbers of {bits} bits, "
            f"{-(-bits * count // 8)} are needed"
        )
    raw = np.frombuffer(data, dtype=np.uint8, count=-(-bits * count // 8))
    single = np.unpackbits(
        raw, count=bits * count, bitorder="little" if order == "little" else "big"
    )
    return single.reshape(count, bits).astype(np.int64)
