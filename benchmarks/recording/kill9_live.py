"""What is left of whole runs (LSL, Bluetooth, camera) that are killed while they record.

Usage: python -m benchmarks.recording.kill9_live [--kills 200] [--seconds 1 3] [--video FILE]

One process sends 32 LSL streams of 64 channels at 2 kHz all the time. Again and again another one
records them with a run, beside a simulated Polar H10 on a simulated BlueZ (tests/support/
fake_bluez, the real bleak) and a face video, and is killed, a random time after every source has
sent something. Each file must open in pyxdf (default settings) and in our reader, no LSL sample may
be missing or wrong before the end, no stream may end more than a second (a Bluetooth packet more)
before the kill, and `check` must say that the recording was not closed and where each stream ends.
A kill can hit the write of a chunk, whose first byte is written last: pyxdf leaves that chunk out,
our reader too, unless only that byte is missing; such files are counted.
Exit code 1 when anything is otherwise. Needs Linux and dbus-daemon.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, tell
from benchmarks.parts.lsl_load import CASES, PACKET_S

ROOT = Path(__file__).resolve().parents[2]
CASE = CASES["wide"]
H10_PACKET_S = 73 / 130
ALLOWED_S = 1.0
AGAIN = (sys.executable, "-m", "benchmarks.recording.kill9_live", "--as")


def send() -> None:
    """Send all LSL streams until killed; the first channel counts."""
    import pylsl

    from biosense.acquisition.lsl import configure

    configure()
    kind = ("Raw", CASE.channels, CASE.sfreq, "float32")
    infos = [pylsl.StreamInfo(CASE.name(n), *kind, f"bench-{n}") for n in range(CASE.streams)]
    outlets = [pylsl.StreamOutlet(info) for info in infos]
    print("ready", flush=True)
    began, sent = pylsl.local_clock(), 0
    while True:
        time.sleep(PACKET_S)
        due = int((pylsl.local_clock() - began) * CASE.sfreq)
        block, stamps = CASE.samples(sent, due), (began + np.arange(sent, due) / CASE.sfreq)
        for outlet in outlets:
            outlet.push_chunk(block, stamps.tolist())
        sent = due


async def record(folder: Path, video: Path | None) -> None:
    """Record every source until killed; say when each has sent something."""
    from biosense.acquisition.ble.link.radio import Radio
    from biosense.acquisition.ble.streams.source import BleSource
    from biosense.acquisition.camera.source import CameraSource
    from biosense.acquisition.lsl import LslClock, LslSource, Poller, configure
    from biosense.core.source import Source
    from biosense.live.config.run_settings import RunSettings
    from biosense.live.output.status import RunStatus
    from biosense.live.run import Run
    from tests.support.fake_bluez import ScaledClock
    from tests.support.fake_bluez.devices.polar import h10
    from tests.support.fake_bluez.service import simulated_bluetooth

    configure()
    clock, poller, said = LslClock(), Poller(), False

    def note(status: RunStatus) -> None:
        nonlocal said
        if not said and all(each.samples for each in status.streams if each.nominal_hz):
            said = True
            print("all", flush=True)

    sources: list[Source] = [
        LslSource(CASE.name(n), clock=clock, timeout=30.0, poller=poller)
        for n in range(CASE.streams)
    ]
    sources.append(BleSource("Polar H10", radio=Radio(), clock=clock))
    if video is not None:
        sources.append(CameraSource(video, clock=clock))
    settings = RunSettings(record=folder)
    async with simulated_bluetooth(h10(ScaledClock(1.0))):
        await Run(sources, settings=settings, clock=clock, loaded=None, on_status=note).run()


def killed(folder: Path, seconds: float, video: Path | None) -> float:
    """Record, kill, and return the session time of the kill."""
    command = [*AGAIN, "record", "--folder", str(folder)]
    command += ["--video", str(video)] if video else []
    child = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        cwd=ROOT,
    )
    assert child.stdout is not None
    with child.stdout as output:
        if output.readline() != "all\n":
            raise SystemExit("the run ended before every source had sent something")
        time.sleep(seconds)
        at = time.monotonic()
        child.send_signal(signal.SIGKILL)
        child.wait()
    os.killpg(child.pid, signal.SIGKILL)  # its D-Bus, which would wait for nobody
    return at


def look(folder: Path, at: float) -> tuple[float, list[str], bool]:
    """Return the seconds missing at the end of a stream, what is wrong, whether a chunk is cut."""
    import pyxdf

    from biosense.acquisition.xdf.reader import XdfReader
    from biosense.recordings.inspect import inspect

    theirs = {item["info"]["name"][0]: item for item in pyxdf.load_xdf(folder / "recording.xdf")[0]}
    reader, found = XdfReader(folder), inspect(folder)
    ours, cut = reader.load(), bool(reader.damage)
    shorter = []  # in pyxdf: of a chunk that lacks its first byte
    faults = [] if not found.closed else ["check does not say that it was not closed"]
    missing = 0.0
    regular = [chunk for chunk in ours.streams if chunk.info.sfreq > 0]
    for chunk in regular:
        name, last = chunk.info.name, float(chunk.times[-1]) if chunk.n else float("nan")
        interval = H10_PACKET_S if "Polar" in name else 1 / chunk.info.sfreq
        missing = max(missing, at - last - interval)
        n = len(theirs[name]["time_stamps"])
        shorter += [name] if n < chunk.n else []
        if n > chunk.n or (n < chunk.n and not cut):
            faults.append(f"{name}: pyxdf reads {n} samples, our reader {chunk.n}")
        if abs((found.streams[name].last or 0.0) - last) > 1e-6:
            faults.append(f"{name}: check does not know its last sample")
        if name.startswith("raw-"):
            expected = CASE.samples(int(chunk.data[0, 0]), int(chunk.data[0, 0]) + chunk.n)
            same = np.array_equal(chunk.data, expected)
            if not (same and np.array_equal(theirs[name]["time_series"], expected[:n])):
                faults.append(f"{name}: a sample is missing or wrong")
    if not missing <= ALLOWED_S:
        faults.append(f"{missing:.2f} s are missing at the end of a stream")
    if len(regular) < CASE.streams + 2:
        faults.append(f"only {len(regular)} regular streams are in the file")
    if len(shorter) > 1 or len(reader.damage) > 1:
        faults.append(f"more than one chunk is cut: {reader.damage}, {shorter}")
    return missing, faults, cut


def run(kills: int, seconds: tuple[float, float], seed: int, video: Path | None) -> bool:
    """Kill runs and print what was found."""
    logging.getLogger().setLevel(logging.CRITICAL)
    logging.getLogger("pyxdf").setLevel(logging.CRITICAL + 1)
    os.environ.setdefault("BIOSENSE_LSL_SESSION", f"kill9-{os.getpid()}")
    rng, missing, bad, cuts = random.Random(seed), [], 0, 0
    sender = subprocess.Popen([*AGAIN, "send"], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert sender.stdout is not None
        sender.stdout.readline()
        for number in range(1, kills + 1):
            parent = Path(tempfile.mkdtemp(prefix="kill9-"))
            at = killed(parent, rng.uniform(*seconds), video)
            lost, faults, cut = look(next(parent.iterdir()), at)
            if faults:
                print(f"kill {number}: kept in {parent}", flush=True)
            else:
                shutil.rmtree(parent)
            missing.append(lost)
            bad += bool(faults)
            cuts += cut
            for fault in faults:
                print(f"kill {number}: {fault}", flush=True)
            if number % 20 == 0:
                print(f"{number} kills, {number - bad} whole, {max(missing):.3f} s", flush=True)
    finally:
        sender.kill()
        sender.wait()
    print(
        f"{kills} runs killed, {kills - bad} recordings whole; missing at the end: median "
        f"{statistics.median(missing):.3f} s, largest {max(missing):.3f} s; {cuts} end in "
        "the middle of a chunk"
    )
    tell(
        Figure(
            "killed runs whose recording is whole",
            100 * (1 - bad / kills),
            "%",
            more_is_better=True,
        ),
        Figure("missing at the end of a killed run, most", max(missing), "s", timed=True),
    )
    return bad == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seconds", type=float, nargs=2, default=(1.0, 3.0))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--video", type=Path)
    parser.add_argument("--as", dest="role", choices=("send", "record"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.role == "send":
        send()
    elif asked.role == "record":
        asyncio.run(record(asked.folder, asked.video))
    else:
        return 0 if run(asked.kills, tuple(asked.seconds), asked.seed, asked.video) else 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
