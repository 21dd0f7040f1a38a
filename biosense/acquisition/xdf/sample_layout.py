"""The bytes of the samples of one stream, as XDF 1.0 lays them out."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from biosense.acquisition.xdf.layout import LENGTH, Bytes, Malformed, Sliced, read_length
from biosense.core.errors import BadInput
from biosense.core.types import Floats, StreamInfo

_STAMP = struct.Struct("<d")
_MOST_TEXT = 64 << 20  # no chunk of text is longer
_STAMPED = 8  # the byte in front of a sample's stamp; 0 where the stamp is left out


@dataclass(frozen=True)
class SampleLayout:
    """Turn the samples of one stream into the content of Samples chunks, and back.

    Examples
    --------
    >>> layout = SampleLayout(StreamInfo("eeg", None, ("a", "b"), 10.0, dtype="int16"))
    >>> content = layout.pack(np.array([5.1]), np.array([[192, 255]], np.int16))
    >>> content.hex(" ")
    '04 01 00 00 00 08 66 66 66 66 66 66 14 40 c0 00 ff 00'
    >>> layout.unpack(content, previous=0.0)
    (array([5.1]), array([[192, 255]], dtype=int16))
    """

    info: StreamInfo

    def check(self, stamps: Floats, data: NDArray[Any]) -> None:
        """Refuse samples that the file could not give back as they are."""
        name = self.info.name
        if not np.isfinite(stamps).all():
            raise BadInput(f"a time stamp of {name!r} is not finite; every sample needs one")
        if stamps.shape != (len(data),) or data.shape[1:] != (self.info.n_channels,):
            raise BadInput(
                f"stamps {stamps.shape} and data {data.shape} of {name!r} must be (n,) and "
                f"(n, {self.info.n_channels})"
            )
        if not self.info.is_text and data.dtype != np.dtype(self.info.dtype):
            raise BadInput(
                f"data of {name!r} is {data.dtype}, but the stream was announced as "
                f"{self.info.dtype}: a recording keeps what was sent, convert before"
            )

    def pack(self, stamps: Floats, data: NDArray[Any]) -> bytes:
        """Return the content of a Samples chunk: stamps (n,), data (n, channels)."""
        self.check(stamps, data)
        if self.info.is_text:
            return self._pack_text(stamps, data)
        table = np.empty(len(stamps), self._stamped)
        table["size"] = _STAMPED
        table["stamp"] = stamps
        table["values"] = data
        return LENGTH.pack(4, len(stamps)) + table.tobytes()

    def unpack(
        self, content: Bytes, previous: float, *, continues: bool = True
    ) -> tuple[Floats, NDArray[Any]]:
        """Read the content of a Samples chunk.

        Parameters
        ----------
        content
            What `pack` returned, or any other program wrote.
        previous
            Stamp of the stream's sample before, which a left out stamp goes on from.
        continues
            False where samples may be missing before: stamps left out are then counted back.

        Returns
        -------
        stamps, data
            Shapes (n,) and (n, channels), owning their memory.

        Raises
        ------
        Malformed
            If the content is not exactly that many samples of this stream.
        """
        count, at = read_length(content, 0)
        if count > len(content):
            raise Malformed(f"{count} samples cannot stand in {len(content)} bytes")
        if self.info.is_text:
            flags, stamps, data, at = self._walk_text(content, at, count)
            _check_end(count, at, content)
        else:
            flags, stamps, data = self._unpack_numbers(content, at, count)
        if not flags.all():
            if flags.any() and not continues:
                first = int(np.argmax(flags))
                previous = stamps[first] - (first + 1) * self._interval
            stamps = self._fill_in(flags, stamps, previous)
        if not np.isfinite(stamps).all():
            raise Malformed("a time stamp is not finite")
        return stamps, data

    def size(self, data: Sliced, at: int) -> int:
        """Return the bytes of the Samples content at a byte, whatever the length before it says."""
        count, first = read_length(data[at : at + 9], 0)
        if count > len(data) - at:
            raise Malformed(f"{count} samples cannot stand behind byte {at}")
        if self.info.is_text:
            return self._walk_text(data[at : at + _MOST_TEXT], first, count)[3]
        return self._starts(data[at : at + first + count * self._stamped.itemsize], first, count)[1]

    def recounted(self, content: Bytes) -> bytes | None:
        """Return content whose number of samples is wrong with the right one; None if it is not."""
        for first in () if self.info.is_text else (5, 2, 9):  # bytes that the number may take
            count, rest = divmod(len(content) - first, self._stamped.itemsize)
            if rest == 0 and count > 0:
                table = np.frombuffer(content, self._stamped, count, first)
                if (table["size"] == _STAMPED).all() and np.isfinite(table["stamp"]).all():
                    return LENGTH.pack(4, count) + content[first:]
        return None

    @cached_property
    def _bare(self) -> np.dtype[np.void]:
        return np.dtype([("size", "u1"), self._values])

    @cached_property
    def _stamped(self) -> np.dtype[np.void]:
        return np.dtype([("size", "u1"), ("stamp", "<f8"), self._values])

    @property
    def _interval(self) -> float:
        return 1.0 / self.info.sfreq if self.info.sfreq else 0.0

    @property
    def _values(self) -> tuple[str, np.dtype[np.generic], tuple[int]]:
        return "values", np.dtype(self.info.dtype).newbyteorder("<"), (self.info.n_channels,)

    def _pack_text(self, stamps: Floats, data: NDArray[Any]) -> bytes:
        parts = [LENGTH.pack(4, len(stamps))]
        # Strings have no fixed size, so this is a loop over samples; markers are few.
        for stamp, row in zip(stamps.tolist(), data, strict=True):
            parts.append(bytes([_STAMPED]) + _STAMP.pack(stamp))
            for value in row:
                text = str(value).encode("utf-8", "replace")
                parts.append(LENGTH.pack(4, len(text)) + text)
        return b"".join(parts)

    def _unpack_numbers(
        self, content: Bytes, at: int, count: int
    ) -> tuple[NDArray[np.bool_], Floats, NDArray[Any]]:
        if len(content) - at == count * self._stamped.itemsize:
            table = np.frombuffer(content, self._stamped, count, at)
            if (table["size"] == _STAMPED).all():
                stamps = table["stamp"].astype(np.float64)
                return np.ones(count, np.bool_), stamps, table["values"].astype(self.info.dtype)
        return self._unpack_sparse(content, at, count)

    def _unpack_sparse(
        self, content: Bytes, at: int, count: int
    ) -> tuple[NDArray[np.bool_], Floats, NDArray[Any]]:
        starts, at = self._starts(content, at, count)
        _check_end(count, at, content)
        raw = np.frombuffer(content, np.uint8)
        flags = raw[starts] == _STAMPED
        stamps = np.zeros(count)
        stamps[flags] = _gather(raw, starts[flags] + 1, 8).view("<f8")[:, 0]
        values = _gather(raw, starts + 1 + 8 * flags, self._bare.itemsize - 1)
        row = np.dtype(self.info.dtype).newbyteorder("<")
        data = values.view(row).reshape(count, self.info.n_channels).astype(self.info.dtype)
        return flags, stamps, data

    def _starts(self, content: Bytes, at: int, count: int) -> tuple[NDArray[np.int64], int]:
        """Return where each sample starts, and where the last one ends."""
        bare, stamped, size = self._bare.itemsize, self._stamped.itemsize, len(content)
        starts: list[int] = []
        # Where a sample starts depends on every one before it: a loop, but only over one byte each.
        for _ in range(count):
            flag = content[at] if at < size else -1
            if flag not in (0, _STAMPED):
                raise Malformed(f"sample {len(starts)} does not start with a stamp")
            starts.append(at)
            at += stamped if flag else bare
        return np.array(starts, np.int64), at

    def _walk_text(
        self, content: Bytes, at: int, count: int
    ) -> tuple[NDArray[np.bool_], Floats, NDArray[Any], int]:
        flags, stamps = np.zeros(count, np.bool_), np.zeros(count)
        data = np.empty((count, self.info.n_channels), object)
        for number in range(count):
            if at >= len(content) or content[at] not in (0, _STAMPED):
                raise Malformed(f"sample {number} does not start with a stamp")
            flags[number] = content[at] == _STAMPED
            at += 1
            if flags[number]:
                stamps[number] = _STAMP.unpack(_take(content, at, 8))[0]
                at += 8
            for channel in range(self.info.n_channels):
                length, at = read_length(content, at)
                data[number, channel] = str(_take(content, at, length), "utf-8", "replace")
                at += length
        return flags, stamps, data, at

    def _fill_in(self, flags: NDArray[np.bool_], stamps: Floats, previous: float) -> Floats:
        filled = np.concatenate([[previous], stamps])
        numbers = np.arange(len(flags))
        depth = numbers - np.maximum.accumulate(np.where(flags, numbers, -1))
        # Each goes on from the one before, adding up as every other reader does.
        for step in range(1, int(depth.max()) + 1):
            left_out = numbers[(depth == step) & ~flags] + 1
            filled[left_out] = filled[left_out - 1] + self._interval
        return filled[1:]


def _gather(raw: NDArray[np.uint8], starts: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    if len(starts) == 0:
        return np.zeros((0, width), np.uint8)
    return np.ascontiguousarray(sliding_window_view(raw, width)[starts])


def _check_end(count: int, at: int, content: Bytes) -> None:
    if at != len(content):
        raise Malformed(f"{count} samples end at byte {at} of {len(content)}")


def _take(content: Bytes, at: int, size: int) -> Bytes:
    if at + size > len(content):
        raise Malformed(f"{size} bytes are wanted at byte {at} of {len(content)}")
    return content[at : at + size]
