"""How long `import biosense` and `biosense --help` take, beside importing MNE and NeuroKit2.

Usage: python -m benchmarks.system.startup [--repeats 15]

Each command is run in a process of its own, in turn, so that what else the machine does falls on
all alike; the first turn warms the disk cache and does not count. Printed are medians of wall-clock
and of CPU time, both with the interpreter's own start, which stands in the first row.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import time

from benchmarks.figures import Figure, tell

COMMANDS = {
    "python": ("-c", "pass"),
    "import biosense": ("-c", "import biosense"),
    "import mne": ("-c", "import mne"),
    "import neurokit2": ("-c", "import neurokit2"),
    "biosense --help": ("-m", "biosense", "--help"),
    "biosense --version": ("-m", "biosense", "--version"),
}


def once(arguments: tuple[str, ...]) -> tuple[float, float]:
    """Run a command; return its seconds of wall-clock and of CPU time."""
    began, before = time.perf_counter(), os.times()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - began, os.times()
    user, system = after.children_user, after.children_system
    return wall, user + system - before.children_user - before.children_system


def medians(repeats: int) -> dict[str, tuple[float, float]]:
    """Return the median wall-clock and CPU milliseconds of every command."""
    names = [
        name
        for name in COMMANDS
        if not name.startswith("import ") or importlib.util.find_spec(name.split()[-1])
    ]
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for _ in range(repeats + 1):
        for name in names:
            taken[name].append(once(COMMANDS[name]))
    return {
        name: tuple(1000 * statistics.median(each) for each in zip(*times[1:], strict=True))
        for name, times in taken.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    found = medians(parser.parse_args().repeats)
    bare = found["python"]
    print(f"{'':22s}{'wall ms':>9s}{'CPU ms':>9s}{'over bare Python':>18s}")
    for name, (wall, cpu) in found.items():
        print(f"{name:22s}{wall:9.0f}{cpu:9.0f}{wall - bare[0]:18.0f}")
    peers = [name for name in ("import mne", "import neurokit2") if name in found]
    ours, help_ms = found["import biosense"][0], found["biosense --help"][0]
    tell(
        *(Figure("import biosense", ours, "ms", found[n][0], n, timed=True) for n in peers),
        Figure("biosense --help", help_ms, "ms", timed=True),
    )


if __name__ == "__main__":
    main()
