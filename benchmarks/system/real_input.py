"""What becomes of real input over LSL and a face video: samples, heart rates, offline estimates.

Usage: python -m benchmarks.system.real_input DATA --video FACE.mp4 [--seconds 180]

DATA is the folder that holds wearable/rcqoea_P1.npz. Another process pushes ECG, EDA and PPG
through LSL outlets; `biosense live` records them, tracks the face video, and estimates. Then: were
all samples kept, with their stamps; do heart rates agree with the reference of each clip; does
pyxdf open the recording; does `biosense estimate` reproduce the live estimates?
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyxdf

from benchmarks.figures import Figure, tell

STREAMS = ("wearable-ecg", "wearable-eda", "wearable-ppg")
HEART_RATE_WARM_UP_S = 12.0  # a heart rate over 10 s, after the pause between clips


def long_video(source: Path, seconds: float, target: Path) -> Path:
    """Repeat a clip forwards and backwards, so that the face never jumps, to the wanted length."""
    capture = cv2.VideoCapture(str(source))
    fps = capture.get(cv2.CAP_PROP_FPS)
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1])
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(target), cv2.VideoWriter.fourcc(*"MJPG"), fps, (width, height))
    loop = [*frames, *reversed(frames)]
    for number in range(int(seconds * fps)):
        writer.write(loop[number % len(loop)])
    writer.release()
    return target


def run(data: Path, video: Path, seconds: float, participant: int, work: Path) -> dict[str, Any]:
    log = work / "pushed.json"
    npz = data / "wearable" / f"rcqoea_P{participant}.npz"
    pushing = subprocess.Popen(
        [
            sys.executable,
            *("-m", "benchmarks.parts.wearable_outlets"),
            str(npz),
            str(seconds),
            str(log),
        ]
    )
    time.sleep(3.0)
    camera = long_video(video, seconds + 20, work / "face.avi")
    names = [argument for name in STREAMS for argument in ("--lsl", name)]
    command = [sys.executable, "-m", "biosense", "live", *names, "--camera", str(camera)]
    command += ["--record", str(work), "--participant", f"P{participant}", "--features"]
    command += ["--seconds", str(seconds + 15), "--headless", "--json"]
    live = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    pushing.wait(timeout=60)
    summary = json.loads(live.stdout.splitlines()[-1])
    offline = subprocess.run(
        [sys.executable, "-m", "biosense", "estimate", summary["recording"], "--json"],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return {
        "live": summary,
        "offline": json.loads(offline.stdout.splitlines()[-1]),
        "pushed": json.loads(log.read_text()),
    }


def check_file(recording: Path, pushed: dict[str, list[float]]) -> int:
    """Print how the samples were kept; return how many are missing."""
    missing = 0
    streams, _ = pyxdf.load_xdf(str(recording / "recording.xdf"))
    by_name = {stream["info"]["name"][0]: stream for stream in streams}
    print(f"\npyxdf opens the recording: {len(streams)} streams")
    print(f"{'stream':14s} {'pushed':>8s} {'recorded':>9s} {'largest time error ms':>22s}")
    for name, stamps in pushed.items():
        times = by_name[name]["time_stamps"]
        error = float("nan")
        missing += abs(len(stamps) - len(times))
        if len(times) == len(stamps):
            error = 1000 * float(np.abs(times - np.array(stamps)).max())
        print(f"{name:14s} {len(stamps):8d} {len(times):9d} {error:22.3f}")
    return missing


def check_heart_rate(
    recording: Path, start: float, clips: list[dict[str, float]]
) -> dict[str, float]:
    """Print the heart rates of each clip; return the largest error by modality."""
    streams, _ = pyxdf.load_xdf(str(recording / "recording.xdf"))
    features = {s["info"]["name"][0]: s for s in streams}
    print("\nheart rate, beats/min, mean over each clip")
    print(f"{'clip':>4s} {'reference':>10s} {'ECG':>7s} {'off':>6s} {'PPG':>7s} {'off':>6s}")
    worst = {"ecg": 0.0, "ppg": 0.0}
    for clip in clips:
        row = f"{clip['clip']:4.0f} {clip['heart_rate']:10.1f}"
        for modality in ("ecg", "ppg"):
            stream = features[f"biosense-features-{modality}"]
            labels = [c["label"][0] for c in stream["info"]["desc"][0]["channels"][0]["channel"]]
            values = np.asarray(stream["time_series"])[:, labels.index("heart_rate")]
            times = stream["time_stamps"] - start
            inside = (times > clip["start"] + HEART_RATE_WARM_UP_S) & (times < clip["end"])
            rate = float(np.nanmean(values[inside])) if inside.any() else float("nan")
            off = rate - clip["heart_rate"]
            worst[modality] = max(worst[modality], abs(off))
            row += f" {rate:7.1f} {off:6.1f}"
        print(row)
    print(f"worst: ECG {worst['ecg']:.2f}, PPG {worst['ppg']:.2f} beats/min")
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--participant", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = run(
            options.data, options.video, options.seconds, options.participant, Path(folder)
        )
        live, pushed = result["live"], result["pushed"]
        print(json.dumps(live, indent=1))
        recording = Path(live["recording"])
        missing = check_file(recording, pushed["pushed"])
        worst = check_heart_rate(recording, pushed["start"], pushed["clips"])
        offline = result["offline"]["live"]
        print("\noffline against live:", offline)
        tell(
            Figure("real input: samples missing in the recording", missing, timed=True),
            Figure("real input: heart rate of a clip, largest error", worst["ecg"], "bpm"),
            Figure("real input: offline against live estimates", offline["largest_difference"]),
        )


if __name__ == "__main__":
    main()
