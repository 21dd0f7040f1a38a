"""What a packet counter tells: where a packet belongs, what is lost, and in which order it was.

Counters wrap, packets get lost and overtake each other. `Unwrapper` says to which turn of the
counter a packet belongs, `Reorder` puts packets back in order without waiting longer than promised.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from biosense.core.errors import BadInput

T = TypeVar("T")

EARLY_S = 2.0  # no packet is ahead of its time by more: the counter began anew
LATE_S = 0.5  # nor behind the newest by more; 90 ms was seen (OpenMuse, Athena)
_OF_A_TURN = 0.4  # both are less where a turn of the counter is short
_RATE_ERROR = 0.01  # how much faster than its nominal rate a device may count
_RECENT_S = 5.0  # a burst after a stall is shorter, a drift slower
_MOST_HELD = 256  # packets; bounds memory where the time of arrival stands still


class Place(NamedTuple):
    """Where a packet belongs: its number, which never wraps.

    `restarted` is True where the number has nothing to do with those before.
    """

    number: int
    restarted: bool


class Unwrapper:
    """Count on where a device's counter wraps.

    Of the numbers that a value may stand for, the one nearest to what the elapsed time predicts is
    taken, so that loss across a wrap, and of more than half a turn, is counted right. (The nearest
    to the number before is wrong as soon as half a turn is lost.) A value that is too early or too
    late to be any of the packets under way shows that the counter began anew.

    Parameters
    ----------
    modulus
        Number of values of the counter.
    rate
        Nominal counts per second; where it varies, the highest.

    Examples
    --------
    >>> unwrapper = Unwrapper(100, rate=100.0)
    >>> [unwrapper.place(value, time).number for value, time in ((98, 0.0), (1, 0.03), (2, 2.04))]
    [98, 101, 302]
    """

    def __init__(self, modulus: int, rate: float) -> None:
        if modulus < 2 or not rate > 0:
            raise BadInput(f"modulus={modulus} must be at least 2, rate={rate} Hz above 0")
        self._modulus, self._rate = modulus, rate
        most = _OF_A_TURN * modulus
        self._early = min(EARLY_S * rate, most)
        self._late = min(LATE_S * rate, most)
        self._last: int | None = None
        self._time = self._until = self._front = self._recent = 0.0

    def place(self, value: int, time: float) -> Place:
        """Place a value, which is below the modulus, that was counted at about `time` (seconds)."""
        if self._last is None:
            return self._begin(value, time, restarted=False)
        elapsed = max(time - self._time, 0.0)
        predicted = self._last + elapsed * self._rate
        number = value + self._modulus * round((predicted - value) / self._modulus)
        if number < self._last - self._late:
            return self._begin(value, time, restarted=True)
        if number < self._last:
            return Place(number, restarted=False)
        # How far the counter is ahead of the time, compared with the most that it was lately.
        ahead = number - time * self._rate
        if time >= self._until:
            self._front, self._recent, self._until = self._recent, ahead, time + _RECENT_S
        if ahead > self._front + self._early + _RATE_ERROR * elapsed * self._rate:
            return self._begin(value, time, restarted=True)
        self._last, self._recent = number, max(self._recent, ahead)
        self._time += elapsed
        return Place(number, restarted=False)

    def _begin(self, value: int, time: float, *, restarted: bool) -> Place:
        self._last, self._time, self._until = value, time, time + _RECENT_S
        self._front = self._recent = value - time * self._rate
        return Place(value, restarted)


@dataclass
class Held(Generic[T]):
    """Hold the parts of what was counted with one number; `arrived` is that of the newest part."""

    number: int
    since: float
    arrived: float
    parts: dict[int, T] = field(default_factory=dict)


class Reorder(Generic[T]):
    """Put packets in order by their number, and together what came in parts.

    What is complete and next in order goes at once. What is not waits, and everything behind it,
    until the first that waits has done so for `hold` seconds; then what is there goes. What comes
    after its number was passed over, or comes twice, is dropped and counted in `dropped`.

    Parameters
    ----------
    hold
        Seconds.
    parts
        Number of parts that make a number complete.

    Examples
    --------
    >>> order: Reorder[str] = Reorder(hold=0.2)
    >>> [held.number for held in order.push(7, "first", arrived=0.0)]
    [7]
    >>> order.push(9, "overtook", arrived=0.01)
    []
    >>> [held.number for held in order.push(8, "late", arrived=0.02)]
    [8, 9]
    """

    def __init__(self, hold: float, parts: int = 1) -> None:
        if not hold >= 0 or parts < 1:
            raise BadInput(f"hold={hold} s must be 0 or more, parts={parts} at least 1")
        self.dropped = 0
        self._hold, self._wanted = hold, parts
        self._held: dict[int, Held[T]] = {}
        self._next: int | None = None

    def push(self, number: int, item: T, arrived: float, part: int = 0) -> list[Held[T]]:
        """Take a packet; return what is now in order, or can wait no longer."""
        if self._next is None:
            self._next = number
        held = self._held.get(number)
        if number < self._next or (held is not None and part in held.parts):
            self.dropped += 1
            return self.release(arrived)
        if held is None:
            held = self._held[number] = Held(number, arrived, arrived)
        held.parts[part] = item
        held.arrived = arrived
        return self.release(arrived)

    def release(self, now: float) -> list[Held[T]]:
        """Return what waited for `hold` seconds by session time `now`, and what came before it."""
        if not self._held:
            return []
        limit = self._hold - 1e-9  # who asks at exactly that time gets it
        waited = [held.number for held in self._held.values() if now - held.since >= limit]
        overdue = max(waited, default=min(self._held) - 1)
        ready = []
        for number in sorted(self._held):
            held = self._held[number]
            is_next = number == self._next and len(held.parts) == self._wanted
            if not (is_next or number <= overdue or len(self._held) > _MOST_HELD):
                break
            ready.append(self._held.pop(number))
            self._next = number + 1
        return ready

    def restart(self) -> list[Held[T]]:
        """Return all that is held, in order; the next number may be any."""
        rest = [self._held[number] for number in sorted(self._held)]
        self._held.clear()
        self._next = None
        return rest
