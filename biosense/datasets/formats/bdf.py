"""Read BioSemi BDF files: 24-bit channels by name, events from the Status channel.

Format: https://www.biosemi.com/faq/file_format.htm
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from biosense.core.errors import DatasetDamaged
from biosense.core.types import Ints
from biosense.datasets.folder_listing import check_size

MAGIC = b"\xffBIOSEMI"
BLOCK = 256  # bytes of the file's header, and of the header of each signal
FIELDS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
"""Bytes of the fields of a signal: label, transducer, unit, physical minimum and maximum, digital
minimum and maximum, prefilter, samples per record, reserved."""
CODE = 0xFF  # the trigger lies in the low byte; the bits above are states of the amplifier
_MOST_BYTES = 2**34
_MOST_SIGNALS = 300
_RECORDS = 60  # read at a time: bounds memory


@dataclass(frozen=True)
class Signal:
    """Describe one channel of a BDF file: physical = digital * gain + offset.

    Parameters
    ----------
    label
        Its name.
    unit
        As the file spells it.
    gain, offset
        From digital to physical values.
    samples
        Of a record.
    """

    label: str
    unit: str
    gain: float
    offset: float
    samples: int  # per record


class Bdf:
    """A BDF file: the header is read at once, samples when they are asked for.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    DatasetDamaged
        If it is no BDF file, or shorter than its header says.

    Examples
    --------
    >>> Bdf(Path("s01.bdf"))
    Traceback (most recent call last):
    biosense.core.errors.DatasetDamaged: s01.bdf is not there, or is no file: restore it
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        size = check_size(path, _MOST_BYTES, BLOCK)
        with path.open("rb") as file:
            head = file.read(BLOCK)
            if not head.startswith(MAGIC):
                raise DatasetDamaged(f"{path} is no BDF file: it begins with {head[:8]!r}")
            count = self._number(head[252:256], "number of signals", 1, _MOST_SIGNALS)
            header = self._number(head[184:192], "size of the header", BLOCK, size)
            if header != BLOCK * (count + 1):
                raise DatasetDamaged(f"{path}: a header of {header} bytes for {count} signals")
            self._duration = float(self._number(head[244:252], "seconds a record", 1, 3600))
            self.signals = self._signals(file.read(BLOCK * count), count)
        self._header = header
        self._samples = sum(signal.samples for signal in self.signals)
        self.records = self._count_records(head[236:244], size)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the channels in the order of the file; they need not be unique."""
        return tuple(signal.label for signal in self.signals)

    @property
    def seconds(self) -> float:
        """Length of the recording."""
        return self.records * self._duration

    def sfreq(self, index: int) -> float:
        """Return the rate of a channel in Hz."""
        return self.signals[index].samples / self._duration

    def index(self, name: str) -> int:
        """Return the place of the channel of that name, in whatever case it is written.

        Raises
        ------
        DatasetDamaged
            If there is none, or more than one.
        """
        places = [i for i, label in enumerate(self.labels) if label.lower() == name.lower()]
        if len(places) != 1:
            raise DatasetDamaged(
                f"{self.path} has {len(places)} channels {name!r}, wanted 1; "
                f"there are: {', '.join(self.labels)}"
            )
        return places[0]

    def read(self, indices: Sequence[int], scale: float = 1.0) -> NDArray[np.float32]:
        """Return channels of one rate in their physical units, shape (samples, channels).

        Parameters
        ----------
        indices
            Places of the channels.
        scale
            Factor to another unit.

        Notes
        -----
        Float32 holds 24 bits to half a step.
        """
        out = np.empty((self._length(indices), len(indices)), np.float32)
        for rows, column, digital in self._blocks(indices):
            signal = self.signals[indices[column]]
            out[rows, column] = (digital * signal.gain + signal.offset) * scale
        return out

    def status(self) -> Ints:
        """Return the codes of the Status channel, shape (samples,): the last, however named."""
        last = [len(self.signals) - 1]
        out = np.empty(self._length(last), np.int64)
        for rows, _, digital in self._blocks(last):
            out[rows] = digital & CODE
        return out

    def events(self) -> list[tuple[float, int]]:
        """Return time in seconds and code of each change of the Status code to other than 0."""
        codes = self.status()
        sfreq = self.sfreq(len(self.signals) - 1)
        changes = np.flatnonzero(np.diff(codes, prepend=0) != 0)
        return [(float(at / sfreq), int(codes[at])) for at in changes if codes[at]]

    def _length(self, indices: Sequence[int]) -> int:
        each = {self.signals[index].samples for index in indices}
        if len(each) != 1:
            raise DatasetDamaged(f"{self.path}: channels of several rates are read one by one")
        return each.pop() * self.records

    def _blocks(self, indices: Sequence[int]) -> Iterator[tuple[slice, int, NDArray[np.int32]]]:
        """Yield which samples of which of the channels these are, a minute at a time."""
        firsts = np.cumsum([0, *(signal.samples for signal in self.signals)])
        shape = (self.records, self._samples, 3)
        raw = np.memmap(self.path, np.uint8, "r", self._header, shape)
        for start in range(0, self.records, _RECORDS):
            block = np.asarray(raw[start : start + _RECORDS])
            for column, index in enumerate(indices):
                n, first = self.signals[index].samples, firsts[index]
                rows = slice(start * n, (start + len(block)) * n)
                yield rows, column, _integers(block[:, first : first + n]).reshape(-1)

    def _signals(self, block: bytes, count: int) -> tuple[Signal, ...]:
        if len(block) != BLOCK * count:
            raise DatasetDamaged(f"{self.path} ends within its header: get it again")
        columns: list[list[str]] = []
        at = 0
        for width in FIELDS:
            parts = [block[at + i * width : at + (i + 1) * width] for i in range(count)]
            columns.append([part.decode("latin1").strip(" \0") for part in parts])
            at += width * count
        labels, _, units, low, high, digital_low, digital_high, _, samples, _ = columns
        rows = zip(labels, units, low, high, digital_low, digital_high, samples, strict=True)
        return tuple(self._signal(*row) for row in rows)

    def _signal(self, label: str, unit: str, *numbers: str) -> Signal:
        try:
            low, high, digital_low, digital_high = (float(number) for number in numbers[:4])
            gain = (high - low) / (digital_high - digital_low)
        except (ValueError, ZeroDivisionError) as error:
            raise DatasetDamaged(f"{self.path}: scale of {label!r} is {numbers}") from error
        if not (math.isfinite(gain) and math.isfinite(low) and gain):
            raise DatasetDamaged(f"{self.path}: scale of {label!r} is {numbers}, which is none")
        samples = self._number(numbers[4].encode(), f"samples of {label!r}", 1, 10**6)
        return Signal(label, unit, gain, low - digital_low * gain, samples)

    def _count_records(self, text: bytes, size: int) -> int:
        said = self._number(text, "number of records", -1, 10**7)
        per_record = 3 * self._samples
        found = (size - self._header) // per_record
        if said == -1:  # the program that wrote it did not get to the end
            said = found
        if size != self._header + said * per_record or said == 0:
            raise DatasetDamaged(
                f"{self.path} has {size} bytes, its header says "
                f"{self._header + said * per_record} ({said} records): it is truncated or damaged, "
                "get it again"
            )
        return said

    def _number(self, text: bytes, what: str, least: int, most: int) -> int:
        try:
            number = int(float(text))
        except (ValueError, OverflowError) as error:
            raise DatasetDamaged(f"{self.path}: {what} is {text!r}, wanted a number") from error
        if not least <= number <= most:
            raise DatasetDamaged(f"{self.path}: {what} is {number}, {least} to {most} is possible")
        return number


def _integers(raw: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return little-endian 24-bit numbers, bytes in the last axis, with their sign."""
    wide = np.zeros((*raw.shape[:-1], 4), np.uint8)
    wide[..., 1:] = raw
    return np.asarray(wide.view("<i4")[..., 0] >> 8, dtype=np.int32)
