"""A sensor and its radio link, simulated: when packets of a drifting device arrive, in which order.

Used by clocks.py and sync.py. What is simulated is arrival only; counters are unwrapped and packets
put back in order by the code that does it for real sensors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from biosense.acquisition.ble.driver import Signal
from biosense.acquisition.ble.drivers.timing.counted_signal import CountedSignal
from biosense.acquisition.ble.drivers.timing.packet_counter import Reorder
from biosense.core.types import Bools, Floats, Ints

Link = Literal["bursty", "grid", "uniform"]
MOST_S = 0.09  # the longest that a packet waits
HIDDEN_S = 0.012  # sensor, firmware and radio: every packet takes it, and nobody can see it
INTERVAL_S = 0.015  # between two connection events of a Bluetooth link
LOSS, OVERTAKEN = 0.05, 0.04


@dataclass(frozen=True)
class Device:
    """Hold how a device packs its samples; with `modulus` it counts packets, else it stamps them.

    `tick` is the resolution of its stamps in seconds.
    """

    name: str
    samples: int
    sfreq: float
    seconds: float
    modulus: int = 0
    tick: float = 1e-9

    @property
    def interval(self) -> float:
        return self.samples / self.sfreq


DEVICES = (
    Device("Polar H10 ECG", 73, 130.0, 600.0),
    Device("Muse EEG", 12, 256.0, 300.0, modulus=65536),
    Device("Athena EEG", 4, 256.0, 300.0, tick=1e-3),
    Device("Ganglion", 2, 200.0, 200.0, modulus=100),
)


@dataclass(frozen=True, eq=False)
class Packets:
    """Hold what a decoder gives, in its order: one row a packet.

    `stamp` is that of the newest sample in the device's clock, `true` the session time at which
    that sample was taken, `restarted` marks the first packet of another clock.
    """

    stamp: Floats
    arrived: Floats
    true: Floats
    restarted: Bools


def packets(
    device: Device, ppm: float, link: Link, rng: np.random.Generator, reset_at: float = np.inf
) -> Packets:
    """Simulate `device.seconds` of a device; at `reset_at` its clock starts again from zero."""
    count = int(device.seconds / device.interval)
    number = np.arange(count)
    true = 100.0 + rng.uniform() + number * device.interval * (1 + ppm * 1e-6)
    arrived = true + HIDDEN_S + _waiting(true, link, rng, device.interval)
    reset = count if np.isinf(reset_at) else int(reset_at / device.interval)
    since = np.where(number < reset, number, number - reset)
    came = np.flatnonzero(rng.random(count) >= LOSS)
    came = came[np.argsort(arrived[came], kind="stable")]
    decode = _counted if device.modulus else _stamped
    return decode(device, came, since, arrived, true)


def _waiting(true: Floats, link: Link, rng: np.random.Generator, interval: float) -> Floats:
    count = len(true)
    if link == "uniform":
        arrived = np.maximum.accumulate(true + rng.uniform(0, MOST_S, count))
    else:
        phase = rng.uniform(0, INTERVAL_S, count) if link == "bursty" else -true % INTERVAL_S
        arrived = _stalled(true + phase + rng.exponential(5e-4, count), rng)
    waiting = np.minimum(arrived - true, MOST_S)
    overtaken = rng.random(count) < OVERTAKEN
    waiting[overtaken] += interval * rng.uniform(1, 3, int(overtaken.sum()))
    return np.minimum(waiting, MOST_S)


def _stalled(arrived: Floats, rng: np.random.Generator) -> Floats:
    """Let the link stand still every two seconds or so; what waited then comes all at once."""
    count = rng.poisson((arrived[-1] - arrived[0]) / 2)
    start = np.sort(rng.uniform(arrived[0], arrived[-1], count))
    stop = start + rng.uniform(0.02, MOST_S, count)
    before = np.searchsorted(start, arrived) - 1
    waits = (before >= 0) & (arrived < stop[before])
    return np.where(waits, stop[before] + rng.uniform(0, 1e-3, len(arrived)), arrived)


def _stamped(device: Device, came: Ints, since: Ints, arrived: Floats, true: Floats) -> Packets:
    order: Reorder[int] = Reorder(hold=0.2)
    ready = [held for at in came.tolist() for held in order.push(at, at, arrived[at])]
    kept = np.array([held.number for held in ready + order.restart()])
    stamps = np.round((since[kept] + 1e6) * device.interval / device.tick) * device.tick
    return Packets(stamps, arrived[kept], true[kept], np.zeros(len(kept), bool))


def _counted(device: Device, came: Ints, since: Ints, arrived: Floats, true: Floats) -> Packets:
    signal = Signal(
        "x", None, ("number",), device.sfreq, "", device.interval, dtype="float64", hold=0.2
    )
    counted = CountedSignal(signal, device.modulus, device.samples)
    first = max(device.modulus - int(120 / device.interval), 0)  # a large counter wraps once
    blocks = []
    for at in came.tolist():
        counter = int(first + since[at]) % device.modulus
        data = np.full((device.samples, 1), float(at))
        blocks += counted.feed(counter, data, float(arrived[at]))
    blocks += counted.release(np.inf)
    kept = np.array([int(block.data[0, 0]) for block in blocks])
    stamps = np.array([block.stamps[-1] for block in blocks])
    restarted = np.array([block.restarted for block in blocks])
    return Packets(stamps, arrived[kept], true[kept], restarted)
