"""Run one benchmark in a process of its own, and see how quiet the machine was meanwhile."""

from __future__ import annotations

import contextlib
import datetime
import os
import platform
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.catalogue import CHECKOUT, Benchmark
from benchmarks.figures import Figure, told

BUSY_CORES = 0.2  # what others may use before times mean nothing
QUICK_S = 600.0
IDLE = {"idle", "iowait", "guest", "guest_nice"}  # guests are counted in user time already
SLACK = 4.0  # times as long as on a quiet machine, and a minute


@dataclass(frozen=True)
class Outcome:
    """Hold what a benchmark said; `others` are the cores that other programs used meanwhile."""

    benchmark: str
    command: str
    figures: tuple[Figure, ...]
    seconds: float
    others: float
    exit_code: int | None  # None: it took too long
    date: str
    machine: str

    @property
    def is_good(self) -> bool:
        return self.exit_code == 0

    @property
    def was_quiet(self) -> bool:
        return self.others <= BUSY_CORES


def machine() -> str:
    """Describe this machine in a few words."""
    python = ".".join(platform.python_version_tuple()[:2])
    return f"{os.cpu_count()} cores, {platform.system()}, Python {python}"


def run(benchmark: Benchmark, data: Path, out: Path, *, quick: bool) -> Outcome:
    """Run a benchmark; what it prints goes to a file in `out`."""
    arguments = benchmark.arguments(data, quick=quick)
    said = out / f"{benchmark.name.replace('/', '-')}.txt"
    limit = QUICK_S if quick else 60 * (1 + SLACK * benchmark.minutes)
    began, before = time.monotonic(), _used()
    with said.open("w", encoding="utf-8") as file:
        command = [sys.executable, "-m", benchmark.module, *arguments]
        exit_code = wait_for(command, file.fileno(), limit)
    seconds = time.monotonic() - began
    busy, ours = (after - earlier for after, earlier in zip(_used(), before, strict=True))
    return Outcome(
        benchmark.name,
        f"python -m {benchmark.module} {' '.join(arguments)}".strip(),
        tuple(told(said.read_text(encoding="utf-8").splitlines())),
        round(seconds, 1),
        round(max(0.0, busy - ours) / seconds, 2),
        exit_code,
        datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        machine(),
    )


def others_now(seconds: float = 2.0) -> float:
    """Return the cores that other programs use just now."""
    before = _used()[0]
    time.sleep(seconds)
    return (_used()[0] - before) / seconds


def _used() -> tuple[float, float]:
    """Return seconds of processor time: of the whole machine, of this process and its children."""
    whole = psutil.cpu_times()._asdict()
    busy = sum(seconds for name, seconds in whole.items() if name not in IDLE)
    return busy, sum(os.times()[:4])


def wait_for(command: list[str], out: int, limit: float) -> int | None:
    """Run a command; kill it with all its children when it takes too long."""
    child = subprocess.Popen(
        command, stdout=out, stderr=subprocess.STDOUT, cwd=CHECKOUT, start_new_session=True
    )
    try:
        return child.wait(limit)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if child.poll() is None:
            _kill(child)


def _kill(child: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        child.kill()
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    child.wait()
