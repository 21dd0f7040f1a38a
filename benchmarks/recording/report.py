"""How long `biosense check --report` takes and what its page weighs, beside mne.Report.

Usage: python -m benchmarks.recording.report [--minutes 30]

A simulated person is recorded in memory and written as XDF: EEG (32 channels, 512 Hz), ECG and EDA.
Then, over the same file: `inspect` alone, the page, and an `mne.Report` that holds one figure of
the first ten seconds (what any page made with it weighs at least).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, tell
from benchmarks.parts.simulated_recording import record
from biosense.recordings.inspect import inspect
from biosense.recordings.report.page import write_report


def mne_report(recording: Path, out: Path) -> None:
    import mne
    from matplotlib.figure import Figure

    figure = Figure()
    figure.add_subplot().plot(np.arange(10))
    report = mne.Report(title=recording.name, verbose="error")
    report.add_figure(figure, title="one figure")
    report.save(out, open_browser=False, overwrite=True, verbose="error")


def measure(what: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    what()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as folder:
        recording, out, other = (Path(folder) / name for name in ("r.xdf", "a.html", "b.html"))
        record(recording, minutes)
        rows = {
            "inspect alone": (measure(lambda: inspect(recording)), None),
            "check --report": (measure(lambda: write_report(recording, out)), out),
            "mne.Report, 1 figure": (measure(lambda: mne_report(recording, other)), other),
        }
        print(f"{minutes:g} min of EEG (32 x 512 Hz), ECG, EDA")
        print(f"{'':22s} {'wall s':>8s} {'CPU s':>8s} {'MB':>6s}")
        for name, ((wall, cpu), path) in rows.items():
            size = "" if path is None else f"{path.stat().st_size / 1e6:.2f}"
            print(f"{name:22s} {wall:8.1f} {cpu:8.1f} {size:>6s}")
        spent, weight = rows["check --report"][0][1], out.stat().st_size / 1e6
        tell(
            Figure(f"report of {minutes:g} minutes", spent, "CPU s", timed=True),
            Figure(
                f"page of a report of {minutes:g} minutes",
                weight,
                "MB",
                other.stat().st_size / 1e6,
                "mne.Report with one figure",
            ),
        )


if __name__ == "__main__":
    main()
