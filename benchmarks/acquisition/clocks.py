"""How well the time of a Bluetooth sample is known, beside the methods that others use.

Usage: python -m benchmarks.acquisition.clocks [--seeds 20]

Simulated devices whose clocks are off by up to +-500 ppm send over a link that delays packets by 0
to 90 ms in bursts, lets 4 % of them be overtaken and loses 5 %; counters wrap. Prints, per device
and method, the error of sample times after 30 s of warm-up: its SD and its largest value about the
mean, over all seeds, and the bias. The delay that every packet has (12 ms here) cannot be seen by
any method; bias is what comes on top of it. Then the same for a clock that is reset on the way, and
for two other kinds of link. The other methods are written from their descriptions, and get the
same packets in the same order, counters unwrapped.
"""

from __future__ import annotations

import argparse
import time
from collections import deque
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from benchmarks.figures import Figure, tell
from benchmarks.parts.radio_link import DEVICES, HIDDEN_S, Device, Link, Packets, packets
from biosense.core.device_clock import DeviceClock
from biosense.core.types import Floats

WARM_S = 30.0
Method = Callable[[Device, Packets], Floats]
Spreads = dict[str, dict[str, float]]  # of a device, of a method


def ours(_: Device, sent: Packets) -> Floats:
    clock = DeviceClock()
    times = np.empty(len(sent.stamp))
    rows = zip(sent.stamp.tolist(), sent.arrived.tolist(), sent.restarted.tolist(), strict=True)
    for row, (stamp, arrived, restarted) in enumerate(rows):
        if restarted:
            clock.restart()
        clock.add(stamp, arrived)
        times[row] = clock.to_session(sent.stamp[row : row + 1])[0]
    return times


def arrival(_: Device, sent: Packets) -> Floats:
    """Stamp each packet as it arrives (muse-lsl for Athena, many scripts)."""
    return sent.arrived


def regression(_: Device, sent: Packets) -> Floats:
    """Least squares over 30 s, fitted again every second (OpenMuse, windowed regression)."""
    x, y = sent.stamp - sent.stamp[0], sent.arrived - sent.arrived[0]
    sums = np.cumsum(np.column_stack((np.ones_like(x), x, y, x * x, x * y)), axis=0)
    sums = np.vstack((np.zeros(5), sums))
    times, fitted, slope, level, start = y.copy(), -np.inf, 1.0, 0.0, 0
    for row in range(len(x)):
        while x[start] < x[row] - 30.0:
            start += 1
        if y[row] - fitted > 1.0 and row - start >= 9:
            n, sx, sy, sxx, sxy = sums[row + 1] - sums[start]
            spread = n * sxx - sx * sx
            if spread > 1e-9:
                slope = (n * sxy - sx * sy) / spread
                level, fitted = (sy - slope * sx) / n, y[row]
        if np.isfinite(fitted):
            times[row] = level + slope * x[row]
    return times + sent.arrived[0]


def least_squares(x: Floats, y: Floats, forgetting: float, start: tuple[float, float]) -> Floats:
    """Recursive least squares y = a + b x; the fitted y after each step."""
    a, b = start
    p00 = p11 = 1e6
    p01 = 0.0
    fitted = np.empty(len(x))
    for row, (u, v) in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
        k0, k1 = p00 + u * p01, p01 + u * p11
        gain = 1 / (forgetting + k0 + u * k1)
        error = v - a - b * u
        a, b = a + gain * k0 * error, b + gain * k1 * error
        p00 = (p00 - gain * k0 * k0) / forgetting
        p01 = (p01 - gain * k0 * k1) / forgetting
        p11 = (p11 - gain * k1 * k1) / forgetting
        fitted[row] = a + b * u
    return fitted


def recursive(_: Device, sent: Packets) -> Floats:
    """Recursive least squares that forgets 1e-4 per packet (OpenMuse, standard RLS)."""
    x, y = sent.stamp - sent.stamp[0], sent.arrived - sent.arrived[0]
    return least_squares(x, y, 0.9999, (0.0, 1.0)) + sent.arrived[0]


def dejitter(device: Device, sent: Packets) -> Floats:
    """Least squares over the count of received samples, half-time 90 s (LSL's dejitter flag)."""
    count = np.arange(len(sent.arrived), dtype=float) * device.samples
    forgetting = 2 ** (-device.samples / (device.sfreq * 90))
    y = sent.arrived - sent.arrived[0]
    return least_squares(count, y, forgetting, (0.0, 1 / device.sfreq)) + sent.arrived[0]


def lowest(sent: Packets, share: float) -> Floats:
    index = pd.to_timedelta(np.maximum.accumulate(sent.arrived), unit="s")
    delays = pd.Series(sent.arrived - sent.stamp, index)
    return delays.rolling("10s").quantile(share).to_numpy()


def robust_offset(_: Device, sent: Packets) -> Floats:
    """10th percentile of the delays of 10 s, smoothed by 0.02 a packet (OpenMuse)."""
    target = lowest(sent, 0.10)
    smoothed, _ = lfilter([0.02], [1, -0.98], target, zi=[0.98 * target[0]])
    return sent.stamp + smoothed


def adaptive_offset(_: Device, sent: Packets) -> Floats:
    """5th percentile, quick at first and five times quicker downwards (OpenMuse)."""
    share, level = 1.0, float(sent.arrived[0] - sent.stamp[0])
    levels = []
    for row, target in enumerate(lowest(sent, 0.05).tolist()):
        progress = min(row / 500, 1.0)
        share = share * (1 - progress) + 0.02 * progress
        level += min(1.0, share * (5 if target < level else 1)) * (target - level)
        levels.append(level)
    return sent.stamp + np.array(levels)


METHODS: dict[str, Method] = {
    "DeviceClock": ours,
    "regression 30 s": regression,
    "RLS": recursive,
    "robust offset": robust_offset,
    "adaptive offset": adaptive_offset,
    "LSL dejitter": dejitter,
    "arrival": arrival,
}


def errors(method: Method, device: Device, sent: Packets, since: float) -> Floats:
    """Return the errors of sample times after `since` seconds and the warm-up, milliseconds."""
    times = method(device, sent)
    late = sent.true - sent.true[0] > since + WARM_S
    return 1000 * (times - sent.true - HIDDEN_S)[late]


def table(devices: Iterable[Device], link: Link, seeds: int, reset: bool = False) -> Spreads:
    """Print a table, and return the SD of each device's and method's errors."""
    spreads: Spreads = {}
    print(
        f"{'device':<15}{'method':<17}{'SD ms':>8}{'worst SD':>10}{'max ms':>9}{'bias ms':>9}  SD x"
    )
    for device in devices:
        found: dict[str, list[Floats]] = {name: [] for name in METHODS}
        at = device.seconds / 3 if reset else np.inf
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            sent = packets(device, rng.uniform(-500, 500), link, rng, at)
            for name, method in METHODS.items():
                found[name].append(errors(method, device, sent, at if reset else 0.0))
        spreads[device.name] = {name: spread(runs) for name, runs in found.items()}
        base = spreads[device.name]["DeviceClock"]
        for name, runs in found.items():
            worst = max(float(run.std()) for run in runs)
            largest = max(float(np.abs(run - run.mean()).max()) for run in runs)
            bias = float(np.mean([run.mean() for run in runs]))
            print(
                f"{device.name:<15}{name:<17}{spread(runs):9.2f}{worst:10.2f}{largest:9.2f}"
                f"{bias:9.2f}{spread(runs) / base:7.1f}"
            )
    return spreads


def figures(spreads: Spreads) -> list[Figure]:
    """Hold each device's clock against the best of the other methods."""
    told = []
    for device, by_method in spreads.items():
        best = min((name for name in by_method if name != "DeviceClock"), key=by_method.__getitem__)
        name = f"error of a sample's time, {device}, SD"
        told.append(Figure(name, by_method["DeviceClock"], "ms", by_method[best], best))
    return told


def spread(runs: list[Floats]) -> float:
    """Return the SD of errors within a run, over all runs."""
    return float(np.sqrt(np.mean([run.var() for run in runs])))


def warm_up(device: Device, seeds: int) -> str:
    """Return the largest error of any seed, as the clock gets older."""
    largest = dict.fromkeys((0.0, 1.0, 3.0, 10.0, 30.0), 0.0)
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        sent = packets(device, rng.uniform(-500, 500), "bursty", rng)
        error = 1000 * np.abs(ours(device, sent) - sent.true - HIDDEN_S)
        age = sent.true - sent.true[0]
        for since in largest:
            row = int(np.searchsorted(age, since))
            largest[since] = max(largest[since], float(error[row]))
    ages = ", ".join(f"{error:.1f} at {since:g} s" for since, error in largest.items())
    return f"{device.name}: {ages}"


def cost(count: int = 60_000) -> str:
    """Measure what a packet costs when the clock is young and when it is old."""
    rng = np.random.default_rng(0)
    stamps = np.arange(count) * 0.01
    arrived = stamps + rng.uniform(0, 0.03, count)
    clock, spent = DeviceClock(), deque[float]()
    for row in range(count):
        before = time.perf_counter()
        clock.add(float(stamps[row]), float(arrived[row]))
        clock.to_session(stamps[row : row + 1])
        spent.append(time.perf_counter() - before)
    micros = 1e6 * np.array(spent)
    young, old = micros[: count // 6].mean(), micros[-count // 6 :].mean()
    return f"{young:.0f} us a packet in the first 100 s, {old:.0f} us in the last of 600 s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    seeds = parser.parse_args().seeds
    before = time.perf_counter()
    print(f"Bursty link, {seeds} seeds, after {WARM_S:g} s of warm-up")
    spreads = table(DEVICES, "bursty", seeds)
    print("\nThe same with a clock that starts from zero after a third; warm-up counts anew there")
    table(DEVICES[:2], "bursty", seeds, reset=True)
    print("\nPackets that go at connection events every 15 ms, so that delays creep")
    table(DEVICES[:2], "grid", seeds)
    print("\nEvery packet late by anything from 0 to 90 ms, none on time on purpose")
    table(DEVICES[:2], "uniform", seeds)
    print("\nLargest error of a seed while DeviceClock warms up, ms")
    for device in DEVICES:
        print(warm_up(device, seeds))
    print(f"\nCost: {cost()}; all in {time.perf_counter() - before:.0f} s")
    tell(*figures(spreads))


if __name__ == "__main__":
    main()
