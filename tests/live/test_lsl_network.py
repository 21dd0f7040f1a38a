"""Two computers on a network: two network namespaces and a cable, where this user may make them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.types import Chunk, ClockOffset, Event, EventKind

HERE, THERE = f"here-{os.getpid()}", f"there-{os.getpid()}"
CLOCK_AHEAD_S = 100_000.0

SENDER = """
import time, numpy, pylsl
outlet = pylsl.StreamOutlet(pylsl.StreamInfo("far", "Raw", 1, 100.0, "int32", "far-1"))
began, sent = pylsl.local_clock(), 0
while True:
    time.sleep(0.02)
    due = int((pylsl.local_clock() - began) * 100)
    if due > sent:
        numbers = numpy.arange(sent, due)
        outlet.push_chunk(numbers[:, None].astype("int32"), (began + numbers / 100).tolist())
        sent = due
"""


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


def cable(plugged: bool) -> None:
    ip("-n", THERE, "link", "set", "eth", "up" if plugged else "down")
    if plugged:
        ip("-n", THERE, "route", "replace", "default", "dev", "eth")


def inside(place: str, *command: str) -> list[str]:
    return ["ip", "netns", "exec", place, *command]


@pytest.fixture
def two_computers() -> Iterator[None]:
    if not os.environ.get("BIOSENSE_TEST_NETWORK"):
        pytest.skip("takes a quarter of a minute: set BIOSENSE_TEST_NETWORK=1 to run it")
    if shutil.which("ip") is None or shutil.which("unshare") is None:
        pytest.skip("needs the programs ip and unshare")
    try:
        ip("netns", "add", HERE)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"may not make network namespaces: {error.stderr.strip()}")
    try:
        ip("netns", "add", THERE)
        ip("link", "add", "eth", "netns", HERE, "type", "veth", "peer", "eth", "netns", THERE)
        for place, address in ((HERE, "10.77.0.1/24"), (THERE, "10.77.0.2/24")):
            ip("-n", place, "addr", "add", address, "brd", "+", "dev", "eth")
            ip("-n", place, "link", "set", "lo", "up")
            ip("-n", place, "link", "set", "eth", "up")
            ip("-n", place, "route", "add", "default", "dev", "eth")
        yield
    finally:
        for place in (HERE, THERE):
            subprocess.run(["ip", "netns", "del", place], check=False, capture_output=True)


@pytest.fixture
def sender(two_computers: None) -> Iterator[None]:
    """Send from the other computer, whose clock is far ahead."""
    clock = ["unshare", "--time", "--fork", "--kill-child", f"--monotonic={CLOCK_AHEAD_S:.0f}"]
    with subprocess.Popen(inside(THERE, *clock, sys.executable, "-c", SENDER)) as process:
        yield
        process.kill()


def wait_for_recording(folder: Path, size: int) -> None:
    deadline = time.monotonic() + 20
    while not any(path.stat().st_size > size for path in folder.glob("*/recording.xdf")):
        assert time.monotonic() < deadline, "nothing is recorded"
        time.sleep(0.1)


@pytest.mark.slow
def test_a_sender_on_another_computer_is_recorded_at_its_right_times_and_survives_a_pulled_cable(
    sender: None, tmp_path: Path
) -> None:
    command = ["-m", "biosense", "live", "--lan", "--lsl", "far", "--no-model", "--headless"]
    command += ["--preflight", "0", "--seconds", "5", "--record", str(tmp_path)]
    with subprocess.Popen(inside(HERE, sys.executable, *command)) as run:
        wait_for_recording(tmp_path, 5_000)
        cable(plugged=False)
        time.sleep(1.6)
        cable(plugged=True)
        assert run.wait(30) == 0
    ended = time.monotonic()
    (folder,) = tmp_path.iterdir()
    items = list(XdfReader(folder).items())
    chunks = [item for item in items if isinstance(item, Chunk) and item.info.name == "far"]
    numbers = np.concatenate([chunk.data[:, 0] for chunk in chunks])
    times = np.concatenate([chunk.times for chunk in chunks])
    np.testing.assert_array_equal(np.diff(numbers), 1)
    assert abs(np.diff(times) - 0.01).max() < 0.005
    assert 0 < ended - times[-1] < 5
    offsets = [item.offset for item in items if isinstance(item, ClockOffset)]
    assert np.median(offsets) == pytest.approx(-CLOCK_AHEAD_S, abs=0.01)
    kinds = [item.kind for item in items if isinstance(item, Event) and item.stream == "far"]
    assert kinds == [EventKind.CONNECTED, EventKind.LOST, EventKind.RECOVERED]
