"""Commands that publish or list LSL streams: what other programs get to see."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from biosense.acquisition.simulated import simulate
from biosense.core.types import Modality, StreamInfo
from biosense.live.output.lsl_outlet import LslOutlet
from tests.support.lsl.listener import listening
from tests.support.recorded_runs import recorded

GAZE = StreamInfo("gaze [left]", None, ("x", "y"), 60.0, "px", "eyes-1", content_type="Gaze")


def offset_of(part: np.ndarray, whole: np.ndarray) -> int:
    """Return where `part` lies within `whole`, which it must do in one piece."""
    starts = np.flatnonzero((whole[: len(whole) - len(part) + 1] == part[0]).all(axis=1))
    found = [at for at in starts if np.array_equal(whole[at : at + len(part)], part)]
    assert found, f"{len(part)} samples are not among the {len(whole)} that were sent"
    return int(found[0])


def test_devices_lists_streams(biosense) -> None:
    with LslOutlet(GAZE):
        answer = biosense("devices", "--seconds", 0.5, "--json")
    assert answer.code == 0
    assert set(answer.json) == {"lsl", "ble", "cameras"}
    (gaze,) = (stream for stream in answer.json["lsl"] if stream["source_id"] == "eyes-1")
    assert gaze["name"] == "gaze [left]"
    assert (gaze["content_type"], gaze["n_channels"], gaze["sfreq"]) == ("Gaze", 2, 60.0)
    assert "handle" not in gaze


def test_devices_shows_a_table_to_a_person(biosense) -> None:
    with LslOutlet(GAZE):
        answer = biosense("devices", "--seconds", 0.5)
    assert answer.code == 0
    assert answer.out == ""
    (line,) = (line for line in answer.err.splitlines() if "eyes-1" in line)
    assert line.split()[:6] == ["LSL", "gaze", "[left]", "Gaze", "2", "60"]


def test_simulate_publishes_a_participant(biosense) -> None:
    with listening("source_id=me-eda") as listener:
        answer = biosense(
            *("simulate", "--seed", 9, "--seconds", 2, "--modality", "eda", "--label", "me")
        )
    assert answer.code == 0
    sent = simulate(9, 2.0, modalities=[Modality.EDA]).stream("sim-eda")
    assert listener.chunks[0].info.modality is Modality.EDA
    at = offset_of(listener.samples, sent.data)
    assert len(listener.samples) > 64
    assert at + len(listener.samples) == sent.n, "the end arrives as well"


def test_replay_publishes_a_recording(biosense, brief) -> None:
    with listening("name=sim-eda") as listener:
        answer = biosense("replay", brief.folder, "--speed", 6)
    assert answer.code == 0
    assert f"replaying {brief.folder} at 6 x" in answer.words
    sent = np.concatenate([chunk.data for chunk in recorded(brief.folder)["sim-eda"]])
    at = offset_of(listener.samples, sent)
    assert len(listener.samples) > len(sent) / 4
    assert at + len(listener.samples) == len(sent), "the end arrives as well"
    steps = np.diff(listener.times)
    assert np.median(steps) == pytest.approx(1 / 128, rel=1e-3)
    assert "replayed" in answer.words


def test_replay_of_nothing_is_said(biosense, tmp_path: Path) -> None:
    assert "there is no recording" in biosense("replay", tmp_path / "nowhere").reason


@pytest.mark.slow
def test_the_demo_does_the_whole_job_over_lsl(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "biosense", "demo", "--headless", "--seconds", "6", "--json"]
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        [*command, "--record", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    nominal = {"eeg": 512, "ecg": 512, "eda": 128, "rppg": 30, "face": 30, "truth": 4}
    assert set(summary["streams"]) == {f"sim-{name}" for name in nominal}
    for name, sfreq in nominal.items():
        stream = summary["streams"][f"sim-{name}"]
        assert stream["rate_hz"] == pytest.approx(sfreq, rel=0.02)
        assert (stream["gaps"], stream["lost"]) == (0, 0)
    assert summary["estimate_hz"] == pytest.approx(4.0)
    assert summary["estimates"] >= 4 * 4
    kept = recorded(Path(summary["recording"]))
    for name, stream in summary["streams"].items():
        assert sum(chunk.n for chunk in kept[name]) == stream["samples"]
    assert sum(chunk.n for chunk in kept["biosense-affect"]) == summary["estimates"]
