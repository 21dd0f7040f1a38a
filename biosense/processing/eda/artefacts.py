"""What can be wrong with skin conductance, sample by sample, each fault by its name."""

from __future__ import annotations

import numpy as np

from biosense.core.skin import CONDUCTANCE_US
from biosense.core.types import Bools, Floats, Ints

LOWEST_US, HIGHEST_US = CONDUCTANCE_US
STEEPEST_US = 10.0  # per second, same source as `CONDUCTANCE_US`
SPOILT_S = 5.0  # after a violation, same source; before one the past is out already
SLIP_S = 0.25  # an electrode that slips needs no longer
SLIP_US = 0.1  # least step that is told from noise
SLIP_MOVES = 0.15  # of the step, in the half seconds before and after: a response goes on rising

FAULTS = ("", "loose electrode", f"above {HIGHEST_US:g} uS", "slope", "electrode slip", "untrusted")
"""Names of the faults by code. A loose electrode conducts less than 0.05 uS; `untrusted` were not
ok before they came here."""
LOOSE, HIGH, STEEP, SLIP, UNTRUSTED = range(1, 6)


def violations(values: Floats, slope: Floats) -> Ints:
    """Return the code of what each sample violates, 0 where nothing.

    Parameters
    ----------
    values
        Skin conductance, microsiemens, shape (n,).
    slope
        Its slope, microsiemens per second, shape (n,).

    Returns
    -------
    Ints
        Codes of `FAULTS`, shape (n,).

    Examples
    --------
    >>> violations(np.array([3.0, 0.01, 99.0, 3.0]), np.array([0.0, 0.0, 0.0, -12.0])).tolist()
    [0, 1, 2, 3]
    """
    wrong = [values < LOWEST_US, values > HIGHEST_US, np.abs(slope) > STEEPEST_US]
    return np.select(wrong, [LOOSE, HIGH, STEEP], 0).astype(np.int64)


class Hangover:
    """Keep a fault for 5 s after it happened.

    Parameters
    ----------
    rate
        Of the samples, Hz.
    """

    def __init__(self, rate: float) -> None:
        self._spoilt = SPOILT_S * rate
        self.reset()

    def reset(self) -> None:
        """Forget the last fault."""
        self._at, self._code = -np.inf, 0

    def push(self, indices: Ints, codes: Ints, ok: Bools) -> Ints:
        """Return the codes that hold at the samples; those that are not ok have one as well."""
        places = np.arange(len(codes))
        last = np.maximum.accumulate(np.where(codes > 0, places, -1))
        known = last >= 0
        at = np.where(known, indices[last], self._at)
        held = np.where(known, codes[last], self._code)
        if len(codes):
            self._at, self._code = float(at[-1]), int(held[-1])
        held = np.where(indices - at <= self._spoilt, held, 0)
        return np.where((held == 0) & ~ok, UNTRUSTED, held)


class SlipFinder:
    """Find steps of skin conductance: a jump within 0.25 s between two half seconds at rest.

    A response is no such step: half a second after its steepest quarter it has risen on by far more
    than 15 % of that. A step is known half a second late.

    Parameters
    ----------
    rate
        Working rate, Hz.

    Examples
    --------
    >>> finder = SlipFinder(8.0)
    >>> finder.reset(3.0)
    >>> finder.push(np.array([3.0, 3, 3, 4, 4, 4, 4, 4, 4, 4])).tolist()
    [0, 0, 0, 0, 0, 0, 0, 4, 4, 0]
    """

    def __init__(self, rate: float) -> None:
        self._span = max(1, round(SLIP_S * rate))

    def reset(self, value: float) -> None:
        """Begin as if this value had always been there."""
        self._before = np.full(5 * self._span, value)

    def push(self, values: Floats) -> Ints:
        """Return `SLIP` at the samples at which a step is known, else 0, shape (n,)."""
        known = np.concatenate([self._before, values])
        self._before = known[len(values) :]
        span, n = self._span, len(values)
        newest, later, after, begun, earlier, before = (
            known[(5 - back) * span : (5 - back) * span + n] for back in range(6)
        )
        moves = np.maximum(np.abs(newest - after), np.abs(later - after))
        moves = moves + np.maximum(np.abs(begun - before), np.abs(begun - earlier))
        jump = np.abs(after - begun)
        return np.where((jump > SLIP_US) & (moves < SLIP_MOVES * jump), SLIP, 0)
