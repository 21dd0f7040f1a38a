"""What is kept of a recording whose disk fills up, and is freed again or not.

Usage: python -m benchmarks.recording.disk_full [--levels 0.1 0.4 0.8 1.1]

A child process records EEG of 64 channels at 1 kHz and a marker a second in real time, onto a disk
that is full after some bytes: a real one of that size where this program may mount one, else a
limit on the size of files. In some rounds the disk is freed again while it records, in some it
stays full to the end, in some memory is short as well. Told for each round: how long until it was
reported, how much waited in memory, how long until all was on the disk, and what is lost. The file
is read by pyxdf and by our reader, and every value is compared with what was made.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyxdf

from benchmarks.figures import Figure, tell
from biosense.acquisition.xdf.reader import XdfReader
from biosense.acquisition.xdf.recorder import Recorder
from biosense.core.clock import SystemClock
from biosense.core.types import TEXT, Chunk, Modality, StreamInfo

CHANNELS, SFREQ, TICK_S, SECONDS = 64, 1000.0, 0.05, 6.0
LABELS = tuple(map(str, range(CHANNELS)))
EEG = StreamInfo("eeg", Modality.EEG, LABELS, SFREQ, dtype="float32", lossy=True)
MARKERS = StreamInfo("markers", None, ("marker",), 0.0, dtype=TEXT, content_type="Markers")
ENDS = ("freed", "full to the end", "freed, memory short")


@dataclass
class Said:
    """What a child says of its recording; seconds from the beginning, NaN where it never came."""

    reported: float
    recovered: float
    most_waiting: int
    made: int
    samples: dict[str, int]
    lost: dict[str, int]


def values(first: int, n: int) -> np.ndarray:
    return ((np.arange(first, first + n)[:, None] + np.arange(CHANNELS)) % 1000).astype("float32")


def record(folder: Path, ballast: Path | None, free_at: float, memory: int) -> Said:
    """Record for some seconds; at `free_at` make room, by removing `ballast` or the limit."""
    clock, times = SystemClock(), {"reported": float("nan"), "recovered": float("nan")}
    begin = clock.now()

    def note(what: str) -> None:
        times[what] = clock.now() - begin

    recorder = Recorder(
        folder,
        [EEG, MARKERS],
        clock=clock,
        memory=memory,
        retry_every=0.05,
        on_failure=lambda _: note("reported") if np.isnan(times["reported"]) else None,
        on_event=lambda _: note("recovered"),
    )
    made, marked, most, begin = 0, 0, 0, clock.now()
    while (now := clock.now() - begin) < SECONDS:
        n = int(now * SFREQ) - made
        recorder.put(Chunk.of(EEG, (made + 1 + np.arange(n)) / SFREQ, values(made, n)))
        made += n
        if now >= marked:
            recorder.put(Chunk.of(MARKERS, [now], [[f"marker {marked}"]]))
            marked += 1
        if now >= free_at:
            make_room(ballast)
        most = max(most, recorder.waiting_bytes)
        time.sleep(TICK_S)
    summary = recorder.close()
    return Said(**times, most_waiting=most, made=made, samples=summary.samples, lost=summary.lost)


def make_room(ballast: Path | None) -> None:
    if ballast is not None:
        ballast.unlink(missing_ok=True)
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def child(folder: Path, megabytes: float, end: str) -> None:
    """Play one round in this process, and say what happened as JSON."""
    ballast = None
    if is_mounted(folder):
        ballast = folder / "ballast"
        size = shutil.disk_usage(folder).free - int(megabytes * 1e6)
        ballast.write_bytes(bytes(size))
    else:
        limit = int(megabytes * 1e6)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    place = folder / "recording"
    place.mkdir()
    free_at = float("inf") if end == ENDS[1] else 0.75 * SECONDS
    memory = 200_000 if end == ENDS[2] else 512 << 20
    print(json.dumps(asdict(record(place, ballast, free_at, memory))))


def is_mounted(folder: Path) -> bool:
    return folder.stat().st_dev != folder.parent.stat().st_dev


def mounted(folder: Path) -> bool:
    """Put a disk of 8 MiB at a folder, where this program may."""
    command = [shutil.which("mount") or "mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def faults(folder: Path, said: Said, end: str) -> list[str]:
    """Hold what is in the file against what was made and what was said."""
    found = []
    streams, _ = pyxdf.load_xdf(folder / "recording.xdf")
    theirs = {item["info"]["name"][0]: item for item in streams}["eeg"]
    index = np.rint(theirs["time_stamps"] * SFREQ).astype(int) - 1
    expected = (index[:, None] + np.arange(CHANNELS)) % 1000
    if not np.array_equal(theirs["time_series"], expected):
        found.append("values differ in pyxdf")
    reader = XdfReader(folder)
    if not np.array_equal(reader.load().stream("eeg").data, expected) or reader.damage:
        found.append("our reader and pyxdf differ")
    if said.samples["eeg"] + said.lost.get("eeg", 0) != said.made or len(index) > said.made:
        found.append("kept and lost are not what was made")
    if len(index) != said.samples["eeg"]:
        found.append("the file does not hold what was said")
    if end == ENDS[0] and said.lost:
        found.append("something was lost though the disk was freed")
    if end != ENDS[1] and np.isnan(said.recovered):
        found.append("the recovery was not reported")
    if end != ENDS[1] and said.samples["markers"] != int(SECONDS):
        found.append("markers are missing")
    if np.isnan(said.reported):
        found.append("nothing was reported")
    return found


def play(parent: Path, megabytes: float, end: str) -> bool:
    """Play one round and print its line; True if all went as it should."""
    folder = Path(tempfile.mkdtemp(dir=parent))
    is_real = mounted(folder)
    command = [sys.executable, "-m", "benchmarks.recording.disk_full", "--child", str(folder)]
    command += ["--end", end, "--at", str(megabytes)]
    try:
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        said = Said(**json.loads(done.stdout.splitlines()[-1]))
        wrong = faults(folder / "recording", said, end)
    finally:
        if is_real:
            subprocess.run(["umount", "-l", folder], check=False)
    print(
        f"{'disk' if is_real else 'limit':>5} {megabytes:>5.1f} MB  {end:<20} "
        f"{said.reported:>8.2f} s {said.most_waiting / 1e6:>8.2f} MB {said.recovered:>8.2f} s "
        f"{said.made:>7} {sum(said.lost.values()):>7}  {'; '.join(wrong) or 'ok'}",
        flush=True,
    )
    return not wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--levels", type=float, nargs="+", default=[0.1, 0.4, 0.8, 1.1])
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--end", choices=ENDS, default=ENDS[0], help=argparse.SUPPRESS)
    parser.add_argument("--at", type=float, default=1.0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.at, options.end)
        return
    print(
        f"{'what':>5} {'full at':>8}  {'then':<20} {'reported':>10} {'in memory':>11} "
        f"{'recovered':>10} {'made':>7} {'lost':>7}"
    )
    rounds = [(level, end) for end in ENDS for level in options.levels]
    with tempfile.TemporaryDirectory() as parent, ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda each: play(Path(parent), *each), rounds))
    print(f"{'PASS' if all(results) else 'FAIL'}: {sum(results)} of {len(results)} rounds")
    good = 100 * sum(results) / len(results)
    tell(Figure("recordings on a full disk as they must be", good, "%", more_is_better=True))
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
