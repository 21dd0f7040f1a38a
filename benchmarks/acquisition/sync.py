"""How far apart one event comes out that is seen over LSL, Bluetooth and by a camera.

Usage: python -m benchmarks.acquisition.sync [--minutes 60] [--seed 0]

An hour of stream time is simulated, what turns it into session times is not. LSL goes through
`StreamReader`, with clock measurements as LSL makes them (the fastest of 8 probes, network delays
that differ by direction); Bluetooth through the Polar decoder and `DeviceClock` (bursts, 5 % loss);
the camera through `LiveFrames`, which stamps frames as they are grabbed. Each sender's clock
drifts, and wanders with temperature.

What every sample of a path takes cannot be seen by any clock: sensor, firmware and radio (12 ms
here), and exposure, readout and driver (45 ms here). It is assumed to be set, first to the true
value, then to what `measure_delay` finds from the lamp in the first ten minutes with nothing set.
Errors are those of the sample nearest to each switch, so they hold no sampling interval; what a
stream's sampling adds to the moment of an event, half a frame at most, is named beside them.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.figures import Figure, tell
from benchmarks.parts.radio_link import HIDDEN_S, Device, packets
from biosense.acquisition.ble.driver import Block, Signal
from biosense.acquisition.ble.drivers.polar.decoder import PolarDecoder, StartedMeasurement
from biosense.acquisition.ble.drivers.polar.frames import DATA, MeasurementType
from biosense.acquisition.camera.frames import Frame
from biosense.acquisition.camera.live_frames import LiveFrames
from biosense.acquisition.lsl.reader import StreamReader
from biosense.core.device_clock import DeviceClock
from biosense.core.types import Chunk, Floats, StreamInfo
from biosense.recordings.sync import measure_delay

WARM_S = 30.0
CAMERA_S = 0.045  # from the middle of the exposure to the grab
FPS = 30.0


@dataclass(frozen=True, eq=False)
class Path:
    """Hold the samples of one path: session times found, session times true."""

    name: str
    sfreq: float
    hidden: float
    times: Floats
    true: Floats

    def errors(self, moments: Floats, setting: float) -> Floats:
        """Return the error of the sample nearest to each moment, seconds."""
        at = np.clip(np.searchsorted(self.true, moments), 1, len(self.true) - 1)
        at -= moments - self.true[at - 1] < self.true[at] - moments
        return (self.times - setting - self.true)[at]


class StreamTime:
    """Tell session time, as the simulation goes."""

    time = 0.0

    def now(self) -> float:
        return self.time


class SimulatedLink:
    """An LSL inlet whose sender samples a lamp at 250 Hz and sends every 20 ms."""

    def __init__(self, clock: StreamTime, true: Floats, stamps: Floats, seed: int) -> None:
        self._clock, self._true, self._stamps = clock, true, stamps
        self._rng = np.random.default_rng(seed)
        self._sent = 0
        self._measured, self._value = -np.inf, 0.0

    def pull(self) -> tuple[Floats, Floats]:
        stop = int(np.searchsorted(self._true, self._clock.time - 0.02))
        start, self._sent = self._sent, min(stop, self._sent + 1024)
        return self._stamps[start : self._sent], np.zeros((self._sent - start, 1))

    def offset(self) -> float:
        """Measure every 2 s: the probe of 8 with the shortest round trip, as LSL does."""
        if self._clock.time - self._measured >= 2.0:
            there = 1e-3 + self._rng.exponential(2e-3, 8)
            back = 2e-3 + self._rng.exponential(2e-3, 8)
            best = int(np.argmin(there + back))
            right = self._clock.time - float(np.interp(self._clock.time, self._true, self._stamps))
            self._measured = self._clock.time
            self._value = right + float(back[best] - there[best]) / 2
        return self._value

    def reconnected(self) -> bool:
        return False


class SimulatedCamera:
    """A camera whose frames are grabbed when they arrive; the next one waits for its reader."""

    def __init__(self, clock: StreamTime, arrivals: Floats) -> None:
        self._clock, self._arrivals = clock, arrivals
        self._next = 0
        self.room = threading.Semaphore(0)

    def isOpened(self) -> bool:
        return True

    def get(self, _: int) -> float:
        return FPS

    def grab(self) -> bool:
        if self._next > 12:  # those that are read for warming up are not handed out
            self.room.acquire()
        if self._next == len(self._arrivals):
            return False
        self._clock.time = float(self._arrivals[self._next])
        self._next += 1
        return True

    def retrieve(self) -> tuple[bool, Floats]:
        return True, np.zeros((1, 1, 3))

    def release(self) -> None:
        return


def wandering(true: Floats, ppm: float) -> Floats:
    """Return a clock that is off by `ppm`, and by 3 ppm more or less as its room warms up."""
    return true * (1 - ppm * 1e-6) + 3e-6 * 1800 / 6.3 * np.sin(6.3 * true / 1800)


def over_lsl(seconds: float, seed: int) -> Path:
    true = 100 + np.arange(int(seconds * 250)) / 250
    clock = StreamTime()
    link = SimulatedLink(clock, true, wandering(true, 80.0) + 5e4, seed)
    clock.time = 100.0
    reader = StreamReader(link, StreamInfo("lsl", None, ("light",), 250.0), clock)
    found: list[Floats] = []
    while clock.time < 100 + seconds:
        clock.time += 0.2
        found += [item.times for item in reader.poll() if isinstance(item, Chunk)]
    times = np.concatenate(found)
    return Path("LSL", 250.0, 0.0, times, true[: len(times)])


def over_bluetooth(seconds: float, seed: int) -> Path:
    device = Device("Polar H10 ECG", 73, 130.0, seconds)
    sent = packets(device, 40.0, "bursty", np.random.default_rng(seed))
    stamps = sent.stamp + wandering(sent.true, 0.0) - sent.true
    signal = Signal("ecg", None, ("ecg",), 130.0, "uV", device.interval, "int32")
    decoder = PolarDecoder({MeasurementType.ECG: StartedMeasurement(signal)}, rates=())
    clock, times, true = DeviceClock(), [], []
    for row, arrived in enumerate(sent.arrived.tolist()):
        last_ns = round(stamps[row] * 1e9)
        packet = bytes([0]) + last_ns.to_bytes(8, "little") + bytes(1 + 3 * device.samples)
        for block in decoder.feed(DATA, packet, arrived):
            assert isinstance(block, Block)
            clock.add(float(block.stamps[-1]), block.arrived)
            times.append(clock.to_session(block.stamps))
            true.append(sent.true[row] + np.arange(1 - device.samples, 1) / 130 * (1 + 40e-6))
    return Path("Bluetooth", 130.0, HIDDEN_S, np.concatenate(times), np.concatenate(true))


def by_camera(seconds: float, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    count = int(seconds * FPS)
    true = wandering(100 + np.arange(count) / FPS, -120.0)  # its crystal decides when it exposes
    late = rng.exponential(1e-3, count) + np.where(rng.random(count) < 0.02, 8e-3, 0.0)
    arrivals = np.maximum.accumulate(true + CAMERA_S + late)
    clock = StreamTime()
    camera = SimulatedCamera(clock, arrivals)
    frames = LiveFrames(lambda: camera, label="simulated", clock=clock)
    times = np.array([frame.time for frame in taken(frames, camera, count - 12)])
    frames.close()
    return Path("camera", FPS, CAMERA_S, times, true[12 : 12 + len(times)])


def taken(frames: LiveFrames, camera: SimulatedCamera, count: int) -> Iterator[Frame]:
    got = 0
    for item in frames:
        if isinstance(item, Frame):
            yield item
            got += 1
            if got == count:
                frames.stop()
        camera.room.release()


def lamp(path: Path, moments: Floats, seconds: float) -> Chunk:
    """Return what a path saw of the lamp in its first `seconds`, with nothing set."""
    count = int(np.searchsorted(path.true, path.true[0] + seconds))
    seen = np.searchsorted(moments, path.true[:count]) % 2.0
    info = StreamInfo(path.name, None, ("light",), path.sfreq)
    return Chunk.of(info, path.times[:count], seen)


def table(paths: list[Path], moments: Floats, settings: list[float]) -> list[Floats]:
    """Print the errors of each path and between two; return those of each path, seconds."""
    print(f"{'':<24}{'mean ms':>9}{'SD ms':>9}{'largest ms':>12}{'half a sample ms':>18}")
    errors = [path.errors(moments, each) for path, each in zip(paths, settings, strict=True)]
    for path, error in zip(paths, errors, strict=True):
        print(row(path.name, error) + f"{500 / path.sfreq:18.1f}")
    for first in range(len(paths)):
        for second in range(first + 1, len(paths)):
            name = f"{paths[second].name} - {paths[first].name}"
            print(row(name, errors[second] - errors[first]))
    return errors


def row(name: str, error: Floats) -> str:
    ms = 1000 * error
    return f"{name:<24}{ms.mean():9.2f}{ms.std():9.2f}{np.abs(ms).max():12.2f}"


def worst(error: Floats) -> float:
    """Return the largest error in milliseconds."""
    return float(1000 * np.abs(error).max())


def timed(make: Callable[[float, int], Path], seconds: float, seed: int) -> Path:
    before = time.perf_counter()
    path = make(seconds, seed)
    spent = time.perf_counter() - before
    print(f"{path.name}: {len(path.times)} samples, {seconds / spent:.0f} times real time")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    seconds = options.minutes * 60
    rng = np.random.default_rng(options.seed)
    moments = 102 + np.cumsum(rng.uniform(3.0, 9.0, int(seconds / 6)))
    paths = [timed(make, seconds, options.seed) for make in (over_lsl, over_bluetooth, by_camera)]
    late = moments[(moments > 100 + WARM_S) & (moments < 95 + seconds)]
    print(f"\nErrors at {len(late)} switches of the lamp, delays set to their true values")
    errors = table(paths, late, [path.hidden for path in paths])
    watched = [lamp(path, moments, min(600.0, seconds)) for path in paths]
    measured = [measure_delay(watched[0], each) for each in watched[1:]]
    print("\nDelays measured against LSL with the lamp, nothing set")
    for path, delay in zip(paths[1:], measured, strict=True):
        print(f"{path.name:<24}{delay}; truth {1000 * path.hidden:.1f} ms")
    print("\nErrors with these settings")
    table(paths, late, [0.0, *(delay.lag for delay in measured)])
    tell(
        *(
            Figure(f"time of an event seen by {path.name}, largest error", worst(error), "ms")
            for path, error in zip(paths, errors, strict=True)
        )
    )


if __name__ == "__main__":
    main()
