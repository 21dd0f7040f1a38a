"""What the window costs on the full simulated montage: frames a second and share of a core.

Usage: python -m benchmarks.system.gui [--seconds 30]

A run on the simulated participant (EEG 32 ch 512 Hz, ECG 512 Hz, EDA 128 Hz, camera traces 30 Hz)
is headless in one process; the window, 1280 x 800 and drawn off screen, in another. Prints one JSON
object: frames a second that were drawn, cores that the window used while it drew (its threads that
read LSL included), and milliseconds that a frame took before Qt copied it to the screen.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

from benchmarks.figures import Figure, tell

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("BIOSENSE_LSL_SESSION", f"benchmark-{os.getpid()}")

# The run prints where its window finds it; everything else is `biosense live --simulate`.
RUN = """
import sys
from biosense.cli import session
session.open_window = lambda control: print(control.address, control.token, flush=True)
sys.argv = ["biosense", *sys.argv[1:]]
from biosense.cli.app import main
main()
"""
WARM_S = 8.0


def watch(address: str, token: str, seconds: float) -> dict[str, float]:
    """Show the run for a while; returns what it cost after a start of 8 s."""
    import psutil
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from biosense.acquisition.lsl.clock import LslClock
    from biosense.acquisition.lsl.config import configure
    from biosense.gui.app import SIZE
    from biosense.gui.connection.control_client import ControlLink
    from biosense.gui.connection.lsl_feed import LslFeed
    from biosense.gui.state.window_state import WindowState
    from biosense.gui.widgets.window import MainWindow

    configure()
    application = QApplication([])
    clock = LslClock()
    window = MainWindow(WindowState(clock), ControlLink(address, token), LslFeed(clock))
    frames: list[float] = []
    advance = window.advance

    def timed() -> None:
        before = time.perf_counter()
        advance()
        frames.append(time.perf_counter() - before)

    window.timer.timeout.disconnect()
    window.timer.timeout.connect(timed)
    window.resize(*SIZE)
    window.show()
    process = psutil.Process()
    marks: list[tuple[float, float, int]] = []

    def mark() -> None:
        used = process.cpu_times()
        marks.append((time.monotonic(), used.user + used.system, len(frames)))

    QTimer.singleShot(int(1000 * WARM_S), mark)
    QTimer.singleShot(int(1000 * (WARM_S + seconds)), lambda: (mark(), window.leave()))
    application.exec()
    (start, used_before, first), (stop, used_after, last) = marks
    costs = sorted(1000 * cost for cost in frames[first:last])
    streams = [trace for trace in window.state.traces if trace.buffer.total]
    return {
        "frames_per_second": (last - first) / (stop - start),
        "cores": (used_after - used_before) / (stop - start),
        "advance_ms_median": statistics.median(costs),
        "advance_ms_p99": costs[int(0.99 * len(costs))],
        "traces": sum(len(trace.panel.lanes) for trace in streams),
        "estimates": window.state.estimates_total,
        "rss_mb": process.memory_info().rss / 1e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    length = str(options.seconds + WARM_S + 30.0)
    command = [sys.executable, "-c", RUN, "live", "--simulate", "--json", "--seconds", length]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert run.stdout is not None
        address, token = run.stdout.readline().split()
        cost = watch(address, token, options.seconds)
        print(json.dumps(cost))
        rate = cost["frames_per_second"]
        tell(
            Figure("window: frames a second", rate, more_is_better=True, timed=True),
            Figure("window", cost["cores"], "cores", timed=True),
            Figure("window: a frame, median", cost["advance_ms_median"], "ms", timed=True),
        )
    finally:
        run.terminate()
        run.wait()


if __name__ == "__main__":
    main()
