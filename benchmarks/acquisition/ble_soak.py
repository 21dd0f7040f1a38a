"""What is lost when a sensor drops or falls silent 500 times: a simulated Polar H10 over BlueZ.

Usage: python -m benchmarks.acquisition.ble_soak [--faults 500] [--hours 2] [--speed 20] [--seed 1]

The simulation (tests/support/fake_bluez) owns `org.bluez` on a private D-Bus; the unmodified
bleak and everything above it run as they would on a real adapter, `--speed` times as fast as real
time. Each ECG sample tells its number, so that every one that is missing or comes twice is known.
Prints what was found. Exit code 1 when the run ended, a sample was lost or doubled outside a marked
gap, or a lost sensor was noticed later than 2 packet intervals after the first missed packet. From
then on it is searched for after the back-off, which grows when the sensor is lost again within 5 s;
a stalled sensor stays connected during the first pause, since it may go on by itself. Needs Linux
and dbus-daemon.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import time

import numpy as np

from benchmarks.figures import Figure, tell
from tests.support.fake_bluez import ScaledClock, why_not
from tests.support.fake_bluez.devices.polar import h10
from tests.support.fake_bluez.harness import listening
from tests.support.fake_bluez.soak import INTERVAL_S, FaultKind, Verdict, judge, torment

NOTICED_S = 2 * INTERVAL_S
MACHINE_S = 0.010  # real time by which this machine's own scheduling may be late


async def soak(faults: int, seconds: float, speed: float, seed: int) -> Verdict:
    """Torment a sensor and judge what came of it."""
    from tests.support.fake_bluez.service import simulated_bluetooth

    clock, rng = ScaledClock(speed), np.random.default_rng(seed)
    sensor = h10(clock)
    options = {"driver_options": {"keys": ("ecg",)}, "keep_packets": False}
    async with (
        simulated_bluetooth(sensor),
        listening("Polar H10", clock, **options) as heard,
    ):
        await heard.until(lambda: heard.count("ecg") > 0)
        begun = clock.now()
        done = await torment(sensor, heard, clock, rng, faults=faults, seconds=seconds)
        passed = clock.now() - begun
    return judge(sensor, heard, done, passed)


def report(verdict: Verdict, speed: float) -> bool:
    """Print a verdict; return whether it is as it must be."""
    drops = sum(fault.kind is FaultKind.DROP for fault in verdict.faults)
    lengths = np.array([gap.stop - gap.start for gap in verdict.gaps])
    limit = NOTICED_S + MACHINE_S * speed
    late = sum(seconds > limit for seconds in verdict.noticed)
    print(f"simulated time                       {verdict.seconds / 3600:8.2f} h at {speed:g} x")
    print(f"drops, silences                      {drops:8d} {len(verdict.faults) - drops}")
    print(f"samples that reached this computer   {verdict.sent:8d}")
    print(f"samples that came                    {verdict.samples:8d}")
    print(f"gaps                                 {len(verdict.gaps):8d}")
    print(f"  of them unmarked                   {verdict.unmarked:8d}")
    print(f"  of them without a fault            {verdict.unexplained:8d}")
    print(f"samples lost outside gaps            {verdict.lost:8d}")
    print(f"samples doubled                      {verdict.doubled:8d}")
    for name, values in (
        ("length of a gap", lengths),
        ("first missed packet until noticed", verdict.noticed),
        ("back-off until the search", verdict.waits),
        ("error of the times", verdict.errors),
    ):
        p50, p95, most = np.percentile(values, [50, 95, 100]) if len(values) else [np.nan] * 3
        print(f"{name:<35} s  p50 {p50:7.3f}  p95 {p95:7.3f}  max {most:7.3f}")
    print(f"connected anew                       {len(verdict.noticed):8d}")
    print(f"  noticed later than {limit:.2f} s          {late:8d}")
    wrong = verdict.lost + verdict.doubled + verdict.unmarked
    tell(Figure("samples of a dropping sensor lost or doubled outside marked gaps", wrong))
    return verdict.is_clean and not late


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faults", type=int, default=500)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--speed", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if reason := why_not():
        print(f"This cannot run here: {reason}.")
        return 2
    logging.disable(logging.WARNING)  # bleak tells of every drop
    begun = time.monotonic()
    verdict = asyncio.run(
        soak(arguments.faults, 3600 * arguments.hours, arguments.speed, arguments.seed)
    )
    is_good = report(verdict, arguments.speed)
    words = "as it must be" if is_good else "NOT AS IT MUST BE"
    print(f"{words}; {time.monotonic() - begun:.0f} s")
    return 0 if is_good else 1


if __name__ == "__main__":
    raise SystemExit(main())
