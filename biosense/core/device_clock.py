"""The clock of a device that answers no questions: known only by when its packets arrive."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from biosense.core.device_state import ClockState
from biosense.core.envelope import Envelope
from biosense.core.errors import BadInput
from biosense.core.slew import SLEW, SLEW_WARM, SlewedMap
from biosense.core.types import Floats

REFIT_S = 1.0  # of stream time between two fits
WARM_S = 10.0  # of stream time
BACK_S = 1.0  # stamps that step back by more belong to another clock; no radio reorders so far
EARLY_S = 0.1  # a packet that is early by more, where the line is known, shows another clock
EARLY_WARM_S = 0.5  # the same while warming up, when the line may rest on late packets
LATE_S = 1.0  # a jump to later arrivals that lasts is one of the clock; one that passes, a stall
AHEAD_S = 0.5  # no sample is younger than its packet; that much is for a line that is still late
_LASTING_S = 2.0
_STEADY_BY_S = 0.1
_PARKED_S = 30.0  # a clock that is back within this was not reset: a stamp was wrong


class _Known(NamedTuple):
    """Hold a clock that was left."""

    envelope: Envelope
    began: float
    newest: float

    def fits(self, stamp: float, delay: float) -> bool:
        is_near = abs(delay - self.envelope.line.offset(stamp)) < EARLY_S
        return is_near and abs(stamp - self.newest) < _PARKED_S


@dataclass
class DeviceClock:
    """Map a device's own time stamps to session time by those of its packets that were least late.

    The device is not asked what time it is, as it cannot answer; the line below the delays of its
    packets (`Envelope`) is the map. So what every packet takes at least, in the sensor, the
    firmware and the radio, cannot be seen here: it is `delay`, and it is to be measured.

    The first packet gives a map, which is late by the delay of that packet and gets better. The
    line is fitted again at most once per second of stream time, and the map follows it by at most
    2 ms per second (50 ms per second in the first 10 s), so that times do not step. Mapped times
    never run backwards, and never lie more than 0.5 s behind the arrival of the newest packet: a
    wild stamp cannot silence what comes after it.

    A jump of the stamps is a reset: the map begins anew, with what is known of the drift. If the
    stamps are soon back where they were, a single one was wrong, and the map before is taken up
    again. A stall of the link, however long, is no reset.

    The state changes only through `add`, `to_session` and `restart`: the same calls give the same
    times.

    Parameters
    ----------
    delay
        What every packet takes from the event to the arrival, seconds: 0 where it is not known.
    window
        Seconds of stamps that the line rests on. A link whose least delay grows is followed within
        30 s however long this is.

    Examples
    --------
    >>> clock = DeviceClock()
    >>> clock.add(1000.0, 5.00)
    False
    >>> clock.to_session(np.array([999.9, 1000.0])).round(3).tolist()
    [4.9, 5.0]
    """

    delay: float = 0.0
    window: float = 300.0
    resets: int = field(default=0, init=False)
    _began: float = field(default=np.nan, init=False, repr=False)
    _newest: float = field(default=np.nan, init=False, repr=False)
    _fitted: float = field(default=np.nan, init=False, repr=False)
    _arrived: float = field(default=-np.inf, init=False, repr=False)
    _map: SlewedMap = field(default_factory=SlewedMap, init=False, repr=False)
    _parked: _Known | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if not (np.isfinite(self.delay) and self.delay >= 0):
            raise BadInput(f"delay={self.delay} s of a device must be 0 (not known) or positive")
        if not self.window >= 10:
            raise BadInput(f"window={self.window} s of a clock must be at least 10")
        self._begin(Envelope(self.window))

    def add(self, stamp: float, arrived: float) -> bool:
        """Take a packet: the stamp of its newest sample, and its arrival. True at a clock reset.

        Raises
        ------
        BadInput
            If a time is not finite.
        """
        if not (np.isfinite(stamp) and np.isfinite(arrived)):
            raise BadInput(f"a packet's times must be finite, got stamp={stamp}, arrived={arrived}")
        self._arrived = max(self._arrived, float(arrived))
        delay = float(arrived - stamp)
        reset = len(self._envelope) > 0 and self._is_other_clock(stamp, arrived, delay)
        if reset:
            self.resets += 1
            self._change_clock(stamp, delay)
        self._envelope.add(float(stamp), delay)
        self._previous = delay
        if np.isnan(self._began):
            self._began = self._newest = float(stamp)
        self._newest = max(self._newest, float(stamp))
        if not self._newest - self._fitted < REFIT_S:
            self._refit()
        return reset

    def to_session(self, stamps: Floats) -> Floats:
        """Map device stamps, shape (n,), to session times that never run backwards."""
        return self._map.to_session(stamps, self.delay, self._arrived + AHEAD_S)

    def restart(self) -> None:
        """Begin anew, as after a reconnection: what comes next may be of another clock.

        What is known of the drift is kept.
        """
        self._parked = None
        self._begin(self._envelope.successor())

    @property
    def state(self) -> ClockState:
        """How stamps are mapped now; `updated` is NaN before the first packet."""
        envelope, known = self._envelope, len(self._envelope) > 0
        return ClockState(
            offset=self._map.offset(self._newest) - self.delay if known else 0.0,
            slope_ppm=envelope.slope * 1e6,
            residual=envelope.residual,
            updated=self._arrived if known else float("nan"),
        )

    @property
    def _is_warm(self) -> bool:
        return self._newest - self._began > WARM_S

    def _begin(self, envelope: Envelope, began: float = np.nan, newest: float = np.nan) -> None:
        self._envelope, self._began, self._newest = envelope, began, newest
        self._fitted = newest
        self._jump: tuple[float, float, float] | None = None
        self._map.jump(envelope.line)

    def _is_other_clock(self, stamp: float, arrived: float, delay: float) -> bool:
        late = delay - self._envelope.line.offset(stamp)
        if stamp < self._newest - BACK_S or late < -(EARLY_S if self._is_warm else EARLY_WARM_S):
            return True
        if late < LATE_S:
            self._jump = None
        elif delay - self._previous > LATE_S:
            self._jump = (stamp, arrived, delay)
        if self._jump is None:
            return False
        jumped, since, first = self._jump
        if abs(delay - first) > _STEADY_BY_S:  # a backlog that is worked off
            self._jump = None
            return False
        return min(stamp - jumped, arrived - since) > _LASTING_S

    def _change_clock(self, stamp: float, delay: float) -> None:
        left, parked = _Known(self._envelope, self._began, self._newest), self._parked
        if parked is not None and parked.fits(stamp, delay):
            self._parked = None
            self._begin(*parked)
        else:
            self._parked = left
            self._begin(self._envelope.successor())

    def _refit(self) -> None:
        is_first = np.isnan(self._fitted)
        self._envelope.refit()
        self._fitted = self._newest
        if is_first:
            self._map.jump(self._envelope.line)
        else:
            self._map.follow(self._envelope.line, SLEW if self._is_warm else SLEW_WARM)
