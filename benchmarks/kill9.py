"""Kill a recording at random moments and look at what is left: `python benchmarks/kill9.py`.

A child process records a 32-channel EEG at 512 Hz, an ECG, an EDA and two camera streams at their
real rates. The parent kills it with SIGKILL, opens the file with pyxdf (default settings, nothing
repaired) and with our reader, compares every value with what was made, and reports how much of the
end is missing.
"""

from __future__ import annotations

import argparse
import io
import logging
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyxdf

from biosense.acquisition.xdf.reader import XdfReader, load
from biosense.acquisition.xdf.recorder import Recorder
from biosense.core.clock import SystemClock
from biosense.core.types import Chunk, ClockOffset, Modality, StreamInfo

ALLOWED_S = 1.0  # DESIGN: a kill loses at most the last second
TICK_S = 0.05
DEVICE_S = 1e6  # how far the strap's clock is ahead of session time


def stream(name: str, modality: Modality, channels: int, sfreq: float, dtype: str) -> StreamInfo:
    labels = tuple(f"{name}{number}" for number in range(channels))
    return StreamInfo(name, modality, labels, sfreq, "", name, dtype, True, modality.upper())


STREAMS = (
    stream("eeg", Modality.EEG, 32, 512.0, "float32"),
    stream("strap", Modality.ECG, 1, 130.0, "int32"),
    stream("eda", Modality.EDA, 1, 4.0, "float32"),
    stream("rppg", Modality.RPPG, 16, 30.0, "float32"),
    stream("face", Modality.FACE, 100, 30.0, "float64"),
)


def values(info: StreamInfo, first: int, n: int) -> np.ndarray:
    """Sample k holds k, k + 1, .. modulo 1000, so that every value of the file can be checked."""
    grid = np.arange(first, first + n)[:, None] + np.arange(info.n_channels)
    return (grid % 1000).astype(info.dtype)


def record(folder: Path) -> None:
    """Record at real rates until killed; say the start on standard output."""
    clock = SystemClock()
    made = dict.fromkeys(STREAMS, 0)
    next_offset = 0.0
    with Recorder(folder, STREAMS, clock=clock) as recorder:
        begin = clock.now()
        print(begin, flush=True)
        while True:
            now = clock.now()
            if now >= next_offset:
                recorder.put(ClockOffset(STREAMS[1], now + DEVICE_S, -DEVICE_S))
                next_offset = now + 5.0
            for info, first in made.items():
                n = int((now - begin) * info.sfreq) - first
                times = begin + (first + 1 + np.arange(n)) / info.sfreq
                stamps = times + DEVICE_S if info.name == "strap" else None
                ok = np.ones(n, bool)
                recorder.put(Chunk(info, times, values(info, first, n), ok, stamps))
                made[info] = first + n
            time.sleep(TICK_S)


def killed(folder: Path, seconds: float) -> float:
    """Start a recording, kill it after `seconds`, and return the session time of the kill."""
    child = subprocess.Popen(
        [sys.executable, __file__, "--child", str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child.stdout as output:
        output.readline()
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
        at = time.monotonic()
        child.wait()
    return at


def check(folder: Path, at: float) -> tuple[float, list[str]]:
    """Return the seconds missing at the end (beyond the stream's own interval), and the faults."""
    faults = []
    streams, _ = pyxdf.load_xdf(folder / "recording.xdf")
    found = {item["info"]["name"][0]: item for item in streams}
    ours = load(folder)
    missing = 0.0
    for info in STREAMS:
        stamps = found[info.name]["time_stamps"]
        series = np.asarray(found[info.name]["time_series"], info.dtype)
        if not np.array_equal(series, values(info, 0, len(series)).reshape(series.shape)):
            faults.append(f"{info.name}: values differ")
        if not np.array_equal(ours.stream(info.name).data, series.reshape(-1, info.n_channels)):
            faults.append(f"{info.name}: our reader and pyxdf differ")
        if len(stamps) > 1 and not np.allclose(np.diff(stamps), 1 / info.sfreq, atol=1e-6):
            faults.append(f"{info.name}: stamps are not regular")
        if len(stamps):
            missing = max(missing, at - float(stamps[-1]) - 1 / info.sfreq)
        else:
            faults.append(f"{info.name}: nothing was kept")
    return missing, faults


def run(kills: int, seed: int, shortest: float, longest: float) -> bool:
    """Kill `kills` recordings, print a table, and tell whether all went well."""
    rng = random.Random(seed)
    worst, faulty, torn = 0.0, 0, 0
    noise = io.StringIO()
    logging.basicConfig(stream=noise)
    print(f"{'run':>3} {'killed after':>12} {'missing':>9} {'tail':>8}  result")
    with tempfile.TemporaryDirectory() as parent:
        for number in range(1, kills + 1):
            folder = Path(parent) / str(number)
            folder.mkdir()
            seconds = rng.uniform(shortest, longest)
            missing, faults = check(folder, killed(folder, seconds))
            tail = sum(damage.size for damage in XdfReader(folder).damage)
            worst, torn = max(worst, missing), torn + (tail > 0)
            faulty += bool(faults) or missing > ALLOWED_S
            result = "; ".join(faults) or "ok"
            print(f"{number:>3} {seconds:>10.2f} s {missing:>7.3f} s {tail:>6} B  {result}")
    passed = not faulty
    print(
        f"{'PASS' if passed else 'FAIL'}: {kills - faulty} of {kills} recordings open in pyxdf as "
        f"they are with correct values; {torn} had an unfinished chunk at the end; largest "
        f"missing tail {worst:.3f} s (allowed {ALLOWED_S:g} s)"
    )
    return passed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shortest", type=float, default=2.0, help="seconds")
    parser.add_argument("--longest", type=float, default=6.0, help="seconds")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        record(options.child)
    sys.exit(0 if run(options.kills, options.seed, options.shortest, options.longest) else 1)


if __name__ == "__main__":
    main()
