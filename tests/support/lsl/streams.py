"""What the LSL tests share: real outlets on this computer, and sources that read them."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from biosense.acquisition.lsl import LslClock, LslSource
from biosense.core.source import Source
from biosense.core.types import Chunk, ClockOffset, Event, EventKind, Item, Modality, StreamInfo
from biosense.live.output.lsl_outlet import LslOutlet

CLOCK = LslClock()
BUSY_S = 0.02  # what a busy machine may put into the measured offset of its own clock


def describe(name: str, **changes: Any) -> StreamInfo:
    facts = {
        "modality": Modality.EEG,
        "channels": ("C3", "C4"),
        "sfreq": 100.0,
        "unit": "uV",
        "source_id": f"id-{name}",
        "dtype": "float32",
    }
    return StreamInfo(name, **(facts | changes))


def samples(info: StreamInfo, n: int, start: int = 0, time: float | None = None) -> Chunk:
    """Make n samples that count from `start`, at 1 / sfreq from `time` on."""
    step = 1 / info.sfreq if info.sfreq else 0.013
    first = CLOCK.now() if time is None else time
    numbers = np.arange(start, start + n)[:, None] + np.arange(info.n_channels)
    if info.is_text:
        data = np.array([[f"sample {value}" for value in row] for row in numbers], object)
    else:
        data = (numbers % 100).astype(info.dtype)
    return Chunk.of(info, first + step * np.arange(n), data)


async def ready(*outlets: LslOutlet) -> None:
    for outlet in outlets:
        assert await asyncio.to_thread(outlet.wait_for_readers, 5.0)


async def collect(
    source: Source, enough: Callable[[list[Item]], bool], seconds: float = 20.0
) -> list[Item]:
    items: list[Item] = []
    async with asyncio.timeout(seconds):
        async for item in source:
            items.append(item)
            if enough(items):
                break
    return items


def chunks(items: Sequence[Item]) -> list[Chunk]:
    return [item for item in items if isinstance(item, Chunk)]


def offsets(items: Sequence[Item]) -> list[ClockOffset]:
    return [item for item in items if isinstance(item, ClockOffset)]


def events(items: Sequence[Item], kind: EventKind) -> list[Event]:
    return [item for item in items if isinstance(item, Event) and item.kind is kind]


def count(items: Sequence[Item]) -> int:
    return sum(chunk.n for chunk in chunks(items))


def source_of(wanted: str, **options: Any) -> LslSource:
    return LslSource(wanted, clock=CLOCK, **options)
