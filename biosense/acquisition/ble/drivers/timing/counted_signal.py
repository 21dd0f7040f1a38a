"""Signals whose packets are counted but not timed: from packets in any order to blocks in order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from biosense.acquisition.ble.driver import Block, Signal
from biosense.acquisition.ble.drivers.timing.packet_counter import Held, Reorder, Unwrapper
from biosense.core.errors import BadInput
from biosense.core.types import Floats


class CountedSignal:
    """Make blocks of one signal from packets that carry a counter.

    The stamp of a sample is its place by the counter over the nominal rate, in seconds since the
    first packet: a lost packet leaves a jump, and moves nothing else. Channels may come in packets
    of their own with a common counter; where one is missing, its samples are NaN.

    Parameters
    ----------
    signal
        The signal; `signal.hold` limits how long a packet waits for others.
    modulus
        Number of values of the counter.
    samples
        Samples in a packet.
    parts
        Number of packets with the same counter. Each carries an equal share of the channels.

    Examples
    --------
    >>> signal = Signal("eeg", None, ("left", "right"), 256.0, "uV", 12 / 256, hold=0.2)
    >>> eeg = CountedSignal(signal, 65536, samples=12, parts=2)
    >>> eeg.feed(7, np.zeros((12, 1)), arrived=0.0, part=0)
    []
    >>> [block] = eeg.feed(7, np.ones((12, 1)), arrived=0.01, part=1)
    >>> block.data.shape, block.stamps[:2].tolist()
    ((12, 2), [0.0, 0.00390625])
    """

    def __init__(self, signal: Signal, modulus: int, samples: int, parts: int = 1) -> None:
        if len(signal.channels) % parts:
            raise BadInput(f"{len(signal.channels)} channels cannot come in {parts} equal parts")
        self._signal, self._samples, self._parts = signal, samples, parts
        self._width = len(signal.channels) // parts
        self._places = Unwrapper(modulus, signal.sfreq / samples)
        self._order: Reorder[Floats] = Reorder(signal.hold, parts)
        self._origin: int | None = None
        self._restarted = False

    @property
    def dropped(self) -> int:
        """Number of packets that came twice, or too late."""
        return self._order.dropped

    def feed(self, counter: int, data: Floats, arrived: float, part: int = 0) -> list[Block]:
        """Take a packet: its samples, shape (samples, channels of this part)."""
        place = self._places.place(counter, arrived)
        rest: list[Block] = []
        if place.restarted:
            rest = self._blocks(self._order.restart())
            self._restarted = True
        return rest + self._blocks(self._order.push(place.number, data, arrived, part))

    def release(self, now: float) -> list[Block]:
        """Return the blocks of what waited too long by session time `now`."""
        return self._blocks(self._order.release(now))

    def _blocks(self, ready: Sequence[Held[Floats]]) -> list[Block]:
        return [self._block(held) for held in ready]

    def _block(self, held: Held[Floats]) -> Block:
        data = np.full((self._samples, len(self._signal.channels)), np.nan)
        for part, values in held.parts.items():
            data[:, part * self._width : (part + 1) * self._width] = values
        if self._origin is None:
            self._origin = held.number
        first = (held.number - self._origin) * self._samples
        stamps = (first + np.arange(self._samples)) / self._signal.sfreq
        restarted, self._restarted = self._restarted, False
        return Block(
            self._signal.key, stamps, data.astype(self._signal.dtype), held.arrived, restarted
        )
