"""A device of your own: a source, which yields what its streams send in session time.

This toy wristband counts its samples and hands over those that have come, as devices at a serial
port do. Once the package is installed (pyproject.toml names the class), it is opened by
`biosense live --source wristband:COM3`, or in a preset by `source = "wristband:COM3"`.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Self

import numpy as np

from biosense.acquisition.registry import register_source
from biosense.core.clock import Clock
from biosense.core.device_clock import DeviceClock
from biosense.core.errors import BadInput, StreamNotFound
from biosense.core.types import Chunk, Floats, Item, Modality, StreamInfo


@register_source("wristband")
class Wristband:
    def __init__(self, port: str, *, clock: Clock) -> None:
        self._port, self._clock = port, clock
        self._info = StreamInfo("wristband", Modality.EDA, ("eda",), 32.0, "uS", f"wrist-{port}")
        self._closed: asyncio.Event | None = None

    @property
    def infos(self) -> tuple[StreamInfo, ...]:
        if self._closed is None:
            raise BadInput("the wristband is not open: use it in `async with`")
        return (self._info,)

    async def __aenter__(self) -> Self:
        if self._port == "nowhere":  # here: open the port
            raise StreamNotFound(f"no wristband at {self._port!r}: plug it in, and switch it on")
        self._closed, self._opened = asyncio.Event(), self._clock.now()
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._closed is not None
        self._closed.set()  # here: close the port; the iteration ends, too

    async def __aiter__(self) -> AsyncIterator[Item]:
        count, times = 0, DeviceClock()  # session time of samples that a device numbers
        while self._closed is not None and not self._closed.is_set():
            values, now = self._read(count), self._clock.now()
            stamps = (count + np.arange(len(values))) / self._info.sfreq
            if len(values):
                times.add(stamps[-1], now)
                yield Chunk.of(self._info, times.to_session(stamps), values, arrived=now)
            count += len(values)
            await asyncio.sleep(0.05)

    def _read(self, count: int) -> Floats:
        """Stand for the device: return what it has measured since it was asked last."""
        n = np.arange(count, int((self._clock.now() - self._opened) * self._info.sfreq))
        return 5.0 + 0.5 * np.sin(n / self._info.sfreq)
