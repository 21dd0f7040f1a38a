"""Encoders of what an OpenBCI Ganglion with firmware 3 sends: for tests and simulated boards.

Written from the public layout, apart from the decoder, so that each can be tested on the other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

UV = 1.2e6 / (8388607 * 1.5 * 51)  # microvolt of one count of 24 bits
ACC_G = 0.016


def packet_18bit(counter: int, microvolts: ArrayLike, acc: int = 0) -> bytes:
    """Encode two samples of four channels, shape (2, 4), with one byte of motion (i8, 0.016 g).

    The axis that `acc` belongs to is `counter % 10`: 0, 1, 2 are x, y, z, others mean nothing.
    """
    return bytes([counter % 100]) + _counts(microvolts, 18) + acc.to_bytes(1, signed=True)


def packet_19bit(counter: int, microvolts: ArrayLike) -> bytes:
    """Encode two samples of four channels, shape (2, 4), without motion."""
    return bytes([100 + counter % 100]) + _counts(microvolts, 19)


def impedance_packet(channel: int, ohms: int) -> bytes:
    """Encode an impedance; channels 1 to 4, 5 is the reference."""
    return bytes([200 + channel]) + f"{ohms}Z".encode("ascii").ljust(19, b"\0")


def _counts(microvolts: ArrayLike, bits: int) -> bytes:
    values = np.round(np.asarray(microvolts) / (UV * 2 ** (24 - bits))).astype(np.int64)
    assert values.shape == (2, 4)
    limit = 2 ** (bits - 1)
    values = np.clip(values, -limit, limit - 1).ravel() & (2**bits - 1)
    single = (values[:, None] >> np.arange(bits)[::-1]) & 1
    return np.packbits(single.astype(np.uint8)).tobytes()
