"""When samples were taken, for sensors that send them in frames with the time of the last one."""

from __future__ import annotations

import numpy as np

from biosense.core.types import Floats

TOLERANCE = 0.02  # of the time per sample: a frame that is off by more lost its predecessor
LATE_S = 3.0  # stamps that step back by less come out of order; by more, of a clock that was set
JUMP_S = 5.0  # stamps that run ahead of the arrivals by more come of a clock that was set
_WEIGHT = 0.02  # of a frame in the running time per sample, once that is known
_AGREE_SHORT = 2  # frames in a row that tell of a higher rate: no loss brings frames closer
_AGREE_EARLY, _AGREE = 4, 20  # the same of a lower rate, where it may and where it must be known
_SURE = 3  # frames at the running rate, after which it counts as known
_LEAST = 0.1  # of the time per sample: a frame that follows sooner brings no new samples
_DRIFT = 1e-3  # of the device's clock, at most
_NS = 1e-9


class FrameOrder:
    """Tell which frames come in turn, by the time of their last sample.

    A frame that is up to 3 s older than the newest comes twice or too late, and is to be dropped:
    waiting for such frames would cost every sample a frame's length (0.6 s) of delay, and the radio
    keeps packets in order. One that is older still, or earlier than any packet can be, comes of a
    clock that was set.

    Examples
    --------
    >>> order = FrameOrder()
    >>> [order.take(ns, arrived=ns * 1e-9) for ns in (10**10, 10**10, 10**10 - 1, 10**10 + 1)]
    [True, False, False, True]
    >>> order.take(599_616_000_000_000_000, arrived=10.1), order.restarted
    (True, True)
    """

    def __init__(self) -> None:
        self.restarted = False
        """True where the frame taken last has nothing to do with those before."""
        self.step_ns: int | None = None
        """From the frame before to the frame taken last; None where there is no such thing."""
        self._newest: int | None = None
        self._arrived = 0.0
        self._least = 0.0

    def take(self, last_ns: int, arrived: float) -> bool:
        """Take a frame; False where it is to be dropped."""
        self.restarted, self.step_ns = False, None
        latency = arrived - last_ns * _NS
        least = latency
        if self._newest is not None:
            step = last_ns - self._newest
            if -LATE_S < step * _NS <= 0:
                return False
            least = self._least + _DRIFT * max(arrived - self._arrived, 0.0)
            self.restarted = step < 0 or latency < least - JUMP_S
            self.step_ns = None if self.restarted else step
        self._least = latency if self.restarted else min(least, latency)
        self._newest, self._arrived = last_ns, arrived
        return True


class FrameTimes:
    """Stamp the samples of frames that carry the time of their last sample and no counter.

    A frame follows the one before where the time per sample between them is the running one
    (learned, nominal at first) within 2 %: its samples are spread evenly between the two times.
    Where it is longer, a frame was lost, and samples run backwards from the frame's time at the
    running rate, so that they are not smeared over the gap. A rate other than the nominal is taken
    over once some frames in a row agree on it. Frames are dropped as `FrameOrder` says.

    Parameters
    ----------
    sfreq
        Nominal rate, Hz.

    Examples
    --------
    >>> times = FrameTimes(100.0)
    >>> times.stamps(1_000_000_000, 2, arrived=0.0).tolist()
    [0.99, 1.0]
    >>> times.stamps(1_040_000_000, 2, arrived=0.04).tolist()
    [1.03, 1.04]
    """

    def __init__(self, sfreq: float) -> None:
        self._order = FrameOrder()
        self._period = 1 / sfreq
        self._good = 0
        self._off: list[float] = []

    @property
    def restarted(self) -> bool:
        """True where the last stamps have nothing to do with those before."""
        return self._order.restarted

    @property
    def sfreq(self) -> float:
        """The running rate, Hz."""
        return 1 / self._period

    def stamps(self, last_ns: int, n: int, arrived: float) -> Floats | None:
        """Return when the n samples of a frame were taken, seconds of the device's clock, (n,).

        None for a frame that came already, or too late.
        """
        if not self._order.take(last_ns, arrived):
            return None
        if self._order.step_ns is None:
            self._off = []
            return self._backwards(last_ns, n, self._period)
        measured = self._order.step_ns * _NS / n
        if measured < _LEAST * self._period:
            return None
        follows = self._follows(measured)
        return self._backwards(last_ns, n, measured if follows else self._period)

    def _backwards(self, last_ns: int, n: int, period: float) -> Floats:
        stamps: Floats = last_ns * _NS - period * np.arange(n, dtype=np.float64)[::-1]
        return stamps

    def _follows(self, period: float) -> bool:
        """Take the time per sample since the frame before; tell whether nothing lies between."""
        ratio = period / self._period
        if abs(ratio - 1) <= TOLERANCE:
            self._good += 1
            self._period += max(1 / self._good, _WEIGHT) * (period - self._period)
            self._off = []
            return True
        self._off = [each for each in self._off if abs(period / each - 1) <= TOLERANCE]
        self._off.append(period)
        if len(self._off) >= self._needed(ratio):
            self._period, self._good, self._off = float(np.mean(self._off)), 1, []
            return True
        # No loss brings frames closer together: backwards they would run into the one before.
        return ratio < 1

    def _needed(self, ratio: float) -> int:
        if ratio < 1:
            return _AGREE_SHORT
        # Frames of equal length that are lost one in two, or two in three, agree on it as well.
        is_loss = round(ratio) > 1 and abs(ratio / round(ratio) - 1) <= TOLERANCE
        return _AGREE if is_loss or self._good >= _SURE else _AGREE_EARLY
