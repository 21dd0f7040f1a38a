"""What is left of recordings that are killed at random moments.

Usage: python -m benchmarks.recording.kill9 [--times 20] [--heavy 2] [--side 4]

A child process records in real time; the parent kills it with SIGKILL, opens the file as it is,
with pyxdf under its default settings and with our reader, compares every value with what was made,
holds what `biosense check` says against what is missing, and reports how much of the end is gone.
Two loads: a montage (EEG of 64 channels at 1 kHz, a chest strap on a clock of its own, EDA, PPG,
respiration, motion, camera streams, markers), and 32 streams of 64 channels at 2 kHz.
"""

from __future__ import annotations

import argparse
import logging
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.figures import Figure, tell
from biosense.acquisition.xdf.reader import XdfReader
from biosense.acquisition.xdf.recorder import Recorder
from biosense.core.clock import SystemClock
from biosense.core.types import TEXT, Chunk, ClockOffset, Modality, StreamInfo

if TYPE_CHECKING:
    from biosense.recordings.inspection import Inspection

ALLOWED_S = 1.0  # DESIGN: a kill loses at most the last second
TICK_S = 0.05
DEVICE_S = 1e6  # how far the strap's clock is ahead of session time
SHORTEST_S, LONGEST_S = 1.5, 4.0


def stream(
    name: str, modality: Modality | None, channels: int, sfreq: float, dtype: str
) -> StreamInfo:
    labels = tuple(f"{name}{number}" for number in range(channels))
    return StreamInfo(name, modality, labels, sfreq, "", name, dtype, lossy=True)


MARKERS = StreamInfo("markers", None, ("marker",), 0.0, dtype=TEXT, content_type="Markers")
STRAP = stream("strap", None, 1, 130.0, "int32")
LOADS = {
    "montage": (
        stream("eeg", None, 64, 1000.0, "float32"),
        STRAP,
        stream("eda", None, 1, 4.0, "float32"),
        stream("ppg", None, 1, 64.0, "float32"),
        stream("resp", None, 1, 25.0, "int16"),
        stream("motion", None, 6, 52.0, "int16"),
        stream("rppg", None, 16, 30.0, "float32"),
        stream("face", None, 100, 30.0, "float64"),
        MARKERS,
    ),
    "heavy": tuple(stream(f"eeg{n}", None, 64, 2000.0, "float32") for n in range(32)),
}


def values(info: StreamInfo, first: int, n: int) -> np.ndarray:
    """Sample k holds k, k + 1, .. modulo 1000, so that every value of the file can be checked."""
    if info.is_text:
        return np.array([[f"marker {k}"] for k in range(first, first + n)], object).reshape(n, 1)
    grid = np.arange(first, first + n)[:, None] + np.arange(info.n_channels)
    return (grid % 1000).astype(info.dtype)


def rate(info: StreamInfo) -> float:
    return info.sfreq or 5.0  # markers


def times(info: StreamInfo, begin: float, first: int, n: int) -> np.ndarray:
    return begin + (first + 1 + np.arange(n)) / rate(info)


def record(folder: Path, load: str) -> None:
    """Record in real time until killed; say the beginning on standard output."""
    clock, streams = SystemClock(), LOADS[load]
    made = dict.fromkeys(streams, 0)
    next_offset = 0.0
    with Recorder(folder, streams, clock=clock) as recorder:
        begin = clock.now()
        print(repr(begin), flush=True)
        while True:
            now = clock.now()
            if now >= next_offset and STRAP in made:
                recorder.put(ClockOffset(STRAP, now + DEVICE_S, -DEVICE_S))
                next_offset = now + 5.0
            for info, first in made.items():
                n = int((now - begin) * rate(info)) - first
                due = times(info, begin, first, n)
                stamps = due + DEVICE_S if info is STRAP else None
                ok = np.ones(n, bool)
                recorder.put(Chunk(info, due, values(info, first, n), ok, stamps))
                made[info] = first + n
            time.sleep(max(0.0, now + TICK_S - clock.now()))


@dataclass(frozen=True)
class Round:
    """Hold how one recording was killed and what was found: `missing` seconds at its end."""

    load: str
    seconds: float
    missing: float
    tail: int
    megabytes: float
    faults: tuple[str, ...]


def killed(folder: Path, load: str, seconds: float) -> tuple[float, float]:
    """Start a recording, kill it after `seconds`; return session times of beginning and kill."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.recording.kill9",
        "--child",
        str(folder),
        "--load",
        load,
    ]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child.stdout as output:
        begin = float(output.readline())
        time.sleep(seconds)
        at = time.monotonic()
        child.send_signal(signal.SIGKILL)
        child.wait()
    return begin, at


def look(folder: Path, load: str, begin: float, at: float) -> tuple[float, list[str]]:
    """Return the seconds missing at the end (beyond the stream's own interval), and the faults."""
    import pyxdf  # not for the child, which is to begin at once

    from biosense.recordings.inspect import inspect

    missing, faults = 0.0, []
    theirs = {item["info"]["name"][0]: item for item in pyxdf.load_xdf(folder / "recording.xdf")[0]}
    ours = XdfReader(folder).load()
    found = inspect(folder)
    for info in LOADS[load]:
        stamps = theirs[info.name]["time_stamps"]
        n = len(stamps)
        if n == 0:
            faults.append(f"{info.name}: nothing was kept")
            continue
        expected, due = values(info, 0, n), times(info, begin, 0, n)
        series = np.asarray(theirs[info.name]["time_series"], expected.dtype).reshape(n, -1)
        if not np.array_equal(series, expected):
            faults.append(f"{info.name}: values differ in pyxdf")
        if not info.is_text and not np.array_equal(ours.stream(info.name).data, expected):
            faults.append(f"{info.name}: values differ in our reader")
        if np.abs(stamps - due).max() > 1e-6:
            faults.append(f"{info.name}: stamps differ")
        if abs((found.streams[info.name].last or 0.0) - due[-1]) > 1e-6:
            faults.append(f"{info.name}: check does not know its last sample")
        missing = max(missing, at - float(due[-1]) - 1 / rate(info))
    return missing, faults + misjudged(found)


def misjudged(found: Inspection) -> list[str]:
    """Return what `check` says beside that the recording was killed, and how far it goes."""
    end = f"{(found.end or 0.0) - (found.begin or 0.0):.3f} s"
    first, second, *others = (*found.problems, "", "")
    told = not found.closed and "was not closed" in first and end in second
    torn = [text for text in others if text and "at the end, after" not in text]
    return [f"check says: {text}" for text in torn] + ([] if told else ["check does not say it"])


def play(number: int, load: str, seconds: float, parent: Path) -> Round:
    """Play one round."""
    folder = parent / str(number)
    folder.mkdir()
    begin, at = killed(folder, load, seconds)
    size = (folder / "recording.xdf").stat().st_size
    missing, faults = look(folder, load, begin, at)
    tail = sum(damage.size for damage in XdfReader(folder).damage)
    (folder / "recording.xdf").unlink()
    return Round(load, seconds, missing, tail, size / 1e6, tuple(faults))


def run(kills: int, heavy: int, side: int, seed: int) -> bool:
    """Kill recordings, some of them heavy, and print a table."""
    rng = random.Random(seed)
    logging.getLogger().setLevel(logging.CRITICAL)
    logging.getLogger("pyxdf").setLevel(logging.CRITICAL + 1)
    loads = ["heavy"] * heavy + ["montage"] * (kills - heavy)
    rng.shuffle(loads)
    lock, done = threading.Lock(), []
    alone = {"montage": threading.Semaphore(side), "heavy": threading.Semaphore(1)}
    print(f"{'round':>5} {'load':>8} {'killed after':>12} {'MB':>6} {'missing':>9} {'tail':>8}")

    def one(number: int, load: str, seconds: float, parent: Path) -> None:
        with alone[load]:
            got = play(number, load, seconds, parent)
        with lock:
            done.append(got)
            result = "; ".join(got.faults) or "ok"
            print(
                f"{number:>5} {load:>8} {seconds:>10.2f} s {got.megabytes:>6.1f} "
                f"{got.missing:>7.3f} s {got.tail:>6} B  {result}",
                flush=True,
            )

    with tempfile.TemporaryDirectory() as parent, ThreadPoolExecutor(side) as pool:
        rounds = [
            pool.submit(one, number, load, rng.uniform(SHORTEST_S, LONGEST_S), Path(parent))
            for number, load in enumerate(loads, 1)
        ]
        for each in rounds:
            each.result()
    return summary(done)


def summary(rounds: list[Round]) -> bool:
    """Print what all rounds come to; True if nothing is amiss."""
    print(
        f"\n{'load':>8} {'kills':>6} {'good':>6} {'torn':>6} {'missing: median':>16} {'largest':>9}"
    )
    bad = [each for each in rounds if each.faults or each.missing > ALLOWED_S]
    for load in LOADS:
        mine = [each for each in rounds if each.load == load]
        if mine:
            missing = [each.missing for each in mine]
            good = sum(each not in bad for each in mine)
            torn = sum(each.tail > 0 for each in mine)
            print(
                f"{load:>8} {len(mine):>6} {good:>6} {torn:>6} {np.median(missing):>14.3f} s "
                f"{max(missing):>7.3f} s"
            )
    print(
        f"{'FAIL' if bad else 'PASS'}: {len(rounds) - len(bad)} of {len(rounds)} killed recordings "
        f"open in pyxdf as they are, with every value right, at most {ALLOWED_S:g} s missing, and "
        "check says so"
    )
    good = 100 * (1 - len(bad) / len(rounds))
    most = max(each.missing for each in rounds)
    tell(
        Figure("killed recordings that are whole", good, "%", more_is_better=True),
        Figure("missing at the end of a killed recording, most", most, "s", timed=True),
    )
    return not bad


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--times", type=int, default=20, help="recordings to kill")
    parser.add_argument("--heavy", type=int, default=2, help="how many of them are heavy")
    parser.add_argument("--side", type=int, default=4, help="recordings at the same time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--load", choices=LOADS, default="montage", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        record(options.child, options.load)
    passed = run(options.times, options.heavy, options.side, options.seed)
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
