"""What the damage of a file cost: between which times, of which streams, how many samples."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from biosense.acquisition.xdf.chunk_scanner import Damage
from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.types import Chunk

_MOST = 100_000  # samples in a chunk; a larger number is damaged itself
_NO_SAMPLES = "nothing else is missing"


@dataclass(frozen=True)
class Loss:
    """Tell what one damaged place of a file cost.

    Parameters
    ----------
    damage
        The bytes.
    start, stop
        Session times between which samples are missing; NaN where the file ends or begins.
    samples
        Samples missing, about, by stream: for a regular stream counted from the times on either
        side, otherwise what the damaged bytes say themselves.

    Examples
    --------
    >>> print(Loss(Damage(100, 130, "no length"), 4.0, 6.5, {"eeg": 250}))
    30 bytes at byte 100 are damaged (no length): about 250 samples of eeg missing, \
between 4.000 and 6.500 s
    """

    damage: Damage
    start: float
    stop: float
    samples: Mapping[str, int]

    def __str__(self) -> str:
        return self.describe()

    def describe(self, origin: float = 0.0) -> str:
        """Say it in words, with times from `origin` on."""
        what = f"{self.damage.size} bytes at byte {self.damage.start} are damaged"
        what = f"{what} ({self.damage.reason})"
        if not self.samples:
            return f"{what}: {_NO_SAMPLES}"
        names = ", ".join(
            f"{count} {'sample' if count == 1 else 'samples'} of {name}"
            for name, count in self.samples.items()
        )
        return f"{what}: about {names} missing, {self._when(origin)}"

    def _when(self, origin: float) -> str:
        if math.isnan(self.start):
            return "at the beginning"
        if math.isnan(self.stop):
            return f"at the end, after {self.start - origin:.3f} s"
        return f"between {self.start - origin:.3f} and {self.stop - origin:.3f} s"


@dataclass
class _Place:
    """A damaged place, while the file is read on."""

    damage: Damage
    declared: tuple[int, int] | None  # stream and samples, by what the bytes say
    newest: float  # last sample before, of any stream
    next: float = math.nan  # first sample behind
    starts: list[float] = field(default_factory=list)  # of the streams that miss samples
    stops: list[float] = field(default_factory=list)
    samples: dict[str, int] = field(default_factory=dict)

    def loss(self) -> Loss:
        """Return what it cost."""
        start, stop = min(self.starts, default=self.newest), max(self.stops, default=self.next)
        return Loss(self.damage, start, stop, self.samples)


def find_losses(reader: XdfReader) -> tuple[Loss, ...]:
    """Read a damaged recording from end to end, and tell what each damaged place cost.

    Parameters
    ----------
    reader
        Of a damaged recording.

    Returns
    -------
    tuple of Loss
        One for each place of damage, in the order of the file.
    """
    places: list[_Place] = []
    last: dict[str, float] = {}
    waiting: dict[str, list[_Place]] = defaultdict(list)
    for parser, item in reader.walk():
        for damage in parser.damage[len(places) :]:
            newest = max(last.values(), default=math.nan)
            places.append(_Place(damage, parser.declared(damage), newest))
            for name in () if damage.mended else last:
                waiting[name].append(places[-1])
        if isinstance(item, Chunk) and item.n:
            _resume(item, waiting.pop(item.info.name, []), last)
            last[item.info.name] = float(item.times[-1])
    for number, place in enumerate(places):
        place.damage = parser.damage[number]  # damage that goes on has grown since
        _add_declared(place, reader, waiting)
    return tuple(place.loss() for place in places)


def _resume(chunk: Chunk, places: list[_Place], last: Mapping[str, float]) -> None:
    """Take note that a stream goes on behind these places."""
    name, first = chunk.info.name, float(chunk.times[0])
    for place in places:
        place.next = first if math.isnan(place.next) else min(place.next, first)
    missing = round((first - last.get(name, first)) * chunk.info.sfreq) - 1
    if places and missing > 0:
        places[0].samples[name] = missing
        places[0].starts.append(last[name])
        places[0].stops.append(first)


def _add_declared(place: _Place, reader: XdfReader, waiting: Mapping[str, list[_Place]]) -> None:
    """Add what the bytes say of a stream that times say nothing of."""
    if place.declared is None or place.damage.mended:
        return
    number, count = place.declared
    info = reader.streams[number].info
    is_open = not info.sfreq or place in waiting.get(info.name, [])
    # Where bytes are damaged, so may be the number.
    if is_open and info.name not in place.samples and 0 < count <= _MOST:
        place.samples[info.name] = count
