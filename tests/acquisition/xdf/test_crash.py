"""A recording whose process is killed, and one whose disk is full, in real processes."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from biosense.acquisition.xdf.reader import XdfReader, load
from biosense.acquisition.xdf.repair import repair

ROOT = Path(__file__).resolve().parents[3]

RECORD = """
import sys, time
import numpy as np
from pathlib import Path
from biosense.acquisition.xdf.recorder import Recorder
from biosense.core.clock import SystemClock
from biosense.core.types import Chunk, Modality, StreamInfo

info = StreamInfo("eeg", Modality.EEG, tuple(map(str, range(32))), 500.0, "uV", "amp", "float32")
clock = SystemClock()
with Recorder(Path(sys.argv[1]), [info], clock=clock) as recorder:
    begin, made = clock.now(), 0
    print("recording", flush=True)
    while True:
        n = int((clock.now() - begin) * info.sfreq) - made
        times = begin + (made + 1 + np.arange(n)) / info.sfreq
        recorder.put(Chunk.of(info, times, np.arange(made, made + n)[:, None] + np.arange(32)))
        made += n
        time.sleep(0.02)
"""

FILL = """
import json, resource, sys, time
import numpy as np
from pathlib import Path
from biosense.acquisition.xdf.recorder import Recorder
from biosense.core.clock import SystemClock
from biosense.core.types import Chunk, StreamInfo

info = StreamInfo("n", None, ("n",), 100.0, dtype="int32")
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
failures = []
recorder = Recorder(
    Path(sys.argv[1]), [info], clock=SystemClock(), retry_every=0.01, on_failure=failures.append
)
for first in range(0, 20000, 10):
    numbers = np.arange(first, first + 10)
    recorder.put(Chunk.of(info, numbers / 100.0, numbers[:, None]))
while sys.argv[2] == "freed" and not failures:
    time.sleep(0.001)
if sys.argv[2] == "freed":
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
summary = recorder.close()
reasons = [str(failure) for failure in failures]
print(json.dumps([reasons, dict(summary.samples), dict(summary.lost)]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("seconds", [0.31, 0.87, 1.23])
def test_a_killed_recording_opens_as_it_is_and_lacks_less_than_a_second(
    tmp_path: Path, seconds: float
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", RECORD, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == b"recording\n"
        time.sleep(seconds)  # the one real thing here: a process that is killed while it writes
        child.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        child.wait()
    streams, _ = pyxdf.load_xdf(tmp_path / "recording.xdf")
    stream = next(item for item in streams if item["info"]["name"][0] == "eeg")
    series = stream["time_series"]
    expected = np.arange(len(series))[:, None] + np.arange(32)
    assert np.array_equal(series, expected.astype(np.float32))
    assert np.array_equal(load(tmp_path).stream("eeg").data, series)
    assert killed - stream["time_stamps"][-1] < 1.0
    assert not XdfReader(tmp_path).complete
    repair(tmp_path, tmp_path / "whole")
    assert XdfReader(tmp_path / "whole").complete


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on file sizes")
@pytest.mark.parametrize("then", ["full", "freed"])
def test_a_full_disk_leaves_a_valid_file_and_counts_what_is_lost(tmp_path: Path, then: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(tmp_path), then],
        capture_output=True,
        check=True,
        cwd=ROOT,
        timeout=60,
    )
    failures, samples, lost = json.loads(done.stdout)
    assert "File too large" in failures[0]
    assert "disk refuses data" in done.stderr.decode()
    assert samples["n"] + lost.get("n", 0) == 20000
    assert samples["n"] > 0
    assert (lost == {}) == (then == "freed")
    streams, _ = pyxdf.load_xdf(tmp_path / "recording.xdf")
    kept = streams[0]["time_series"][:, 0]
    assert np.array_equal(kept, np.arange(len(kept)))
    assert len(kept) == samples["n"]
    assert XdfReader(tmp_path).damage == ()
