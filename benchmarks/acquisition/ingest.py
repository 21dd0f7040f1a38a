"""What it costs to record many fast LSL streams, and that nothing is lost on the way.

Usage: python -m benchmarks.acquisition.ingest [--seconds 30] [--case wide|many|both] [--folder
DIR] [--alone]

One process sends; another records every stream to XDF with a whole run (no model, no window). The
first channel counts samples and the others follow from it, so that every value of the file is
checked: all streams with our reader, some with pyxdf. In the same run, side by side: the floor, a
process that only pulls the same streams with pylsl, from one thread, and keeps nothing; and the
same run with a thread for each inlet instead of one for all.

wide: 32 streams of 64 channels at 2 kHz (16 MB/s). many: 64 streams of 8 channels at 256 Hz.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.figures import Figure, tell
from benchmarks.parts.lsl_load import CASES, PACKET_S, Case

PYXDF_STREAMS = 3


def send(case: Case, seconds: float) -> None:
    """Send in step with time once every stream is read; print how many samples each stream got."""
    import pylsl

    pylsl.set_config_content(_config())
    kind = ("Raw", case.channels, case.sfreq, "float32")
    infos = [pylsl.StreamInfo(case.name(n), *kind, f"bench-{n}") for n in range(case.streams)]
    outlets = [pylsl.StreamOutlet(info) for info in infos]
    for outlet in outlets:
        outlet.wait_for_consumers(60)
    _say("ready")
    sys.stdin.readline()
    began, sent, total = pylsl.local_clock(), 0, round(seconds * case.sfreq)
    while sent < total:
        time.sleep(PACKET_S)
        due = min(total, int((pylsl.local_clock() - began) * case.sfreq))
        block = case.samples(sent, due)
        stamps = (began + np.arange(sent, due) / case.sfreq).tolist()
        for outlet in outlets if stamps else ():
            outlet.push_chunk(block, stamps)
        sent = due
    _say(str(sent))
    sys.stdin.readline()


# The two receivers. Each says "ready", and stops at the next line that it reads.


def record(case: Case, folder: str, *, thread_each: bool = False) -> None:
    """Record all streams with a run; print what it counted, and how far writing was behind."""
    from biosense.acquisition.lsl import LslClock, LslSource, Poller, configure
    from biosense.live.config.run_settings import RunSettings
    from biosense.live.run import Run

    configure()
    clock, poller, worst = LslClock(), Poller(), 0
    names = [case.name(n) for n in range(case.streams)]
    shared = None if thread_each else poller
    sources = [LslSource(name, clock=clock, timeout=30.0, poller=shared) for name in names]

    def note(status: Any) -> None:
        nonlocal worst
        recorder = run._active and run._active._recorder
        worst = max(worst, recorder.backlog if recorder else 0)

    settings = RunSettings(record=Path(folder))
    run = Run(sources, settings=settings, clock=clock, loaded=None, on_status=note)
    _stop_at_a_line(run.stop)
    summary = asyncio.run(run.run())
    samples = {name: stream.samples for name, stream in summary.streams.items()}
    _say(json.dumps({"samples": samples, "backlog": worst, "folder": summary.recording}))


def floor(case: Case, folder: str) -> None:
    """Pull all streams with pylsl from one thread and drop what comes."""
    import pylsl

    pylsl.set_config_content(_config())
    found: dict[str, Any] = {}
    while len(found) < case.streams:
        found |= {each.uid(): each for each in pylsl.resolve_streams(0.25)}
    inlets = [pylsl.StreamInlet(each, processing_flags=0) for each in found.values()]
    for inlet in inlets:
        inlet.open_stream(10.0)
    stop = threading.Event()
    _stop_at_a_line(stop.set)
    buffer = np.empty((1024, case.channels), np.float32)
    counts = dict.fromkeys((inlet.info().name() for inlet in inlets), 0)
    while not stop.wait(0.04):
        for inlet, name in zip(inlets, counts, strict=True):
            _, stamps = inlet.pull_chunk(0.0, 1024, dest_obj=buffer, as_numpy=True)
            counts[name] += len(stamps)
    _say(json.dumps({"samples": counts}))


RECEIVERS = {"floor": floor, "each": partial(record, thread_each=True), "record": record}
LABELS = {
    "floor": "pylsl pull loop, nothing kept",
    "each": "biosense, a thread each",
    "record": "biosense, as it is",
}


def _stop_at_a_line(stop: Callable[[], None]) -> None:
    def wait() -> None:
        sys.stdin.readline()
        stop()

    threading.Thread(target=wait, daemon=True).start()


def _say(text: str) -> None:
    print(text, flush=True)


def _config() -> str:
    from biosense.acquisition.lsl.config import _LOOPBACK

    return _LOOPBACK.format(session=os.environ["BIOSENSE_LSL_SESSION"])


@dataclass(frozen=True)
class Outcome:
    sent: int
    sender_cores: float
    cores: float
    open_s: float
    threads: int
    rss_mb: tuple[float, float]
    result: dict[str, Any]


class Process:
    """A child of this benchmark, spoken to by lines."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "benchmarks.acquisition.ingest", *arguments]
        pipe = subprocess.PIPE
        self.child = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        self.usage = psutil.Process(self.child.pid)

    def tell(self) -> None:
        assert self.child.stdin is not None
        self.child.stdin.write("\n")
        self.child.stdin.flush()

    def hear(self) -> str:
        assert self.child.stdout is not None
        line = self.child.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(self.child.args)} ended early")
        return line

    def cpu(self) -> float:
        times = self.usage.cpu_times()
        return float(times.user + times.system)

    def rss_mb(self) -> float:
        return float(self.usage.memory_info().rss) / 1e6


def measure(kind: str, name: str, seconds: float, folder: str) -> Outcome:
    """Send for `seconds` to a receiver, and take its processor time over the sending alone."""
    began = time.monotonic()
    receiver = Process("--as", kind, "--case", name, "--folder", folder)
    sender = Process("--as", "send", "--case", name, "--seconds", str(seconds))
    sender.hear()
    open_s = time.monotonic() - began
    time.sleep(2.0)
    at, before, sender_before = time.monotonic(), receiver.cpu(), sender.cpu()
    rss_before = receiver.rss_mb()
    sender.tell()
    sent = int(sender.hear())
    elapsed = time.monotonic() - at
    cores = (receiver.cpu() - before) / elapsed
    sender_cores = (sender.cpu() - sender_before) / elapsed
    threads, rss = receiver.usage.num_threads(), (rss_before, receiver.rss_mb())
    time.sleep(2.0)
    receiver.tell()
    result = json.loads(receiver.hear())
    sender.tell()
    receiver.child.wait(60)
    return Outcome(sent, sender_cores, cores, open_s, threads, rss, result)


def faults(case: Case, sent: int, folder: Path) -> int:
    """Return samples of the file that are missing or wrong, by our reader and by pyxdf."""
    from biosense.acquisition.xdf.reader import XdfReader
    from biosense.core.types import Chunk

    reader = XdfReader(folder)
    seen = {case.name(n): 0 for n in range(case.streams)}
    wrong = int(not reader.complete)
    for item in reader.items():
        if isinstance(item, Chunk) and item.info.name in seen:
            first = seen[item.info.name]
            right = (item.data == case.samples(first, first + item.n)).all(axis=1)
            wrong += int((~right).sum())
            seen[item.info.name] += item.n
    wrong += sum(abs(sent - count) for count in seen.values())
    return wrong + _faults_by_pyxdf(case, sent, reader.path)


def _faults_by_pyxdf(case: Case, sent: int, path: Path) -> int:
    import pyxdf

    wrong, names = 0, [{"name": case.name(n)} for n in range(PYXDF_STREAMS)]
    streams, _ = pyxdf.load_xdf(path, select_streams=names, dejitter_timestamps=False)
    for stream in streams:
        data = stream["time_series"]
        wrong += abs(sent - len(data))
        wrong += int((data != case.samples(0, len(data))).any(axis=1).sum())
    return wrong if len(streams) == PYXDF_STREAMS else sent


def run_case(name: str, seconds: float, folder: str, kinds: Sequence[str]) -> list[Figure]:
    """Measure the receivers one after the other, and check the file of the last."""
    case = CASES[name]
    print(f"{name}: {case}, {seconds:g} s")
    outcomes = {kind: measure(kind, name, seconds, folder) for kind in kinds}
    for kind, outcome in outcomes.items():
        missing = sum(abs(outcome.sent - n) for n in outcome.result["samples"].values())
        print(
            f"  {LABELS[kind]:30}: {outcome.cores:.3f} cores, {outcome.threads} threads, "
            f"{outcome.rss_mb[0]:.0f} to {outcome.rss_mb[1]:.0f} MB, open in {outcome.open_s:.1f} "
            f"s, {missing} samples missing; sender {outcome.sender_cores:.3f} cores"
        )
    ours = outcomes["record"]
    wrong = faults(case, ours.sent, Path(ours.result["folder"]))
    print(
        f"  ratio {ours.cores / outcomes[kinds[0]].cores:.2f}; in the file {wrong} of "
        f"{case.streams * ours.sent} samples are wrong or missing; "
        f"{ours.result['backlog']} items waited at most"
    )
    other = (outcomes["each"].cores, "a thread for each stream") if "each" in outcomes else ()
    return [
        Figure(f"recording {case}", ours.cores, "cores", *other, timed=True),
        Figure(f"samples wrong or missing, {case}", wrong),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--case", choices=[*CASES, "both"], default="both")
    parser.add_argument("--folder", default="")
    parser.add_argument("--alone", action="store_true", help="without the other receivers")
    parser.add_argument("--as", dest="role", choices=["send", *RECEIVERS], help="internal")
    options = parser.parse_args()
    if options.role == "send":
        send(CASES[options.case], options.seconds)
    elif options.role:
        RECEIVERS[options.role](CASES[options.case], options.folder)
    else:
        os.environ["BIOSENSE_LSL_SESSION"] = f"ingest-{os.getpid()}"
        figures = []
        for name in CASES if options.case == "both" else [options.case]:
            with tempfile.TemporaryDirectory(dir=options.folder or None) as folder:
                kinds = ["record"] if options.alone else list(RECEIVERS)
                figures += run_case(name, options.seconds, folder, kinds)
        tell(*figures)


if __name__ == "__main__":
    main()
