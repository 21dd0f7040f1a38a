"""What a live run costs, beside libraries that are run again over a sliding window.

Usage: python -m benchmarks.system.live [--seconds 60] [--video FACE.mp4] [--minutes 30]

The full montage (EEG 32 ch 512 Hz, ECG 512 Hz, EDA 128 Hz, camera traces 30 Hz) comes over LSL from
the simulated participant in another process, and is recorded. Prints cores used, compute latency
and memory; the same with a real face video tracked; resident memory over --minutes of stream time;
and, in the same run, what neurokit2 and mne cost when they are run again over the last 60 s at each
estimate.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.figures import Figure, tell

ESTIMATES_HZ = 4.0
WINDOW_S = 60.0
CHUNK_S = 0.05  # what an LSL inlet hands over at a time


def demo(seconds: float, record: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "biosense", "demo", "--headless", "--json"]
    return _json([*command, "--seconds", str(seconds), "--record", record])


def with_camera(seconds: float, video: Path, record: str) -> dict[str, Any]:
    """Track a real video while EEG, ECG and EDA come over LSL."""
    kinds = ("eeg", "ecg", "eda")
    arguments = [argument for kind in kinds for argument in ("--modality", kind)]
    simulator = subprocess.Popen(
        [sys.executable, "-m", "biosense", "simulate", "--label", "bench", *arguments],
        stderr=subprocess.DEVNULL,
    )
    try:
        command = [sys.executable, "-m", "biosense", "live", "--headless", "--json"]
        command += ["--seconds", str(seconds), "--record", record, "--camera", str(video)]
        for kind in kinds:
            command += ["--lsl", f"source_id=bench-{kind}"]
        return _json(command)
    finally:
        simulator.terminate()
        simulator.wait()


def _json(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def memory_over(minutes: float) -> list[tuple[float, float]]:
    """Return (stream minutes, resident MB) of a whole run on accelerated stream time."""
    import torch

    from biosense.acquisition.lsl.config import configure
    from biosense.acquisition.simulated.source import SimulatedSource
    from biosense.core.clock import SystemClock
    from biosense.estimation.load_model import load_model
    from biosense.live.config.run_settings import RunSettings
    from biosense.live.run import Run

    torch.set_num_threads(1)
    configure()
    clock = SystemClock()
    process = psutil.Process()
    marks: list[tuple[float, float]] = []
    source = SimulatedSource(7, clock=clock, speed=6.0, seconds=minutes * 60)

    async def sample(run: Run) -> None:
        while True:
            streams = [s for s in run.status().streams if s.samples and s.nominal_hz]
            seen = min((s.samples / s.nominal_hz for s in streams), default=0.0)
            marks.append((seen / 60, process.memory_info().rss / 1e6))
            await asyncio.sleep(5.0)

    async def whole() -> None:
        run = Run(
            [source],
            settings=RunSettings(model_name="demo"),
            clock=clock,
            loaded=load_model("demo"),
        )
        running = asyncio.create_task(run.run())
        await asyncio.sleep(1.0)
        sampling = asyncio.create_task(sample(run))
        await running
        sampling.cancel()

    asyncio.run(whole())
    return marks


def processing_cores() -> float:
    """Return the cores that our processing needs, from samples to estimates, nothing else."""
    import torch

    from biosense.acquisition.simulated import DEFAULT_MODALITIES, simulate
    from biosense.estimation.interleave import interleave
    from biosense.estimation.load_model import load_model
    from biosense.estimation.processor import Processor, ProcessorSettings
    from biosense.estimation.run_processor import process
    from biosense.models.deployment.streaming import StreamingEstimator

    torch.set_num_threads(1)
    recording = simulate(3, WINDOW_S, modalities=DEFAULT_MODALITIES)
    processor = Processor(ProcessorSettings(), StreamingEstimator(load_model("demo")))
    chunks = interleave(recording.streams, seconds=CHUNK_S)
    before = time.process_time()
    for _ in process(chunks, [stream.info for stream in recording.streams], processor):
        pass
    return (time.process_time() - before) / WINDOW_S


def sliding_window_cores(repeats: int = 5) -> float:
    """Return the cores that neurokit2 and mne need when run over the last 60 s at each estimate."""
    import mne
    import neurokit2 as nk

    from biosense.acquisition.simulated import simulate

    recording = simulate(3, WINDOW_S)
    data = {chunk.info.modality: chunk.data for chunk in recording.streams}
    eeg = np.ascontiguousarray(data["eeg"].T, dtype=np.float64) * 1e-6
    skin = np.nan_to_num(data["rppg"][:, 1].astype(np.float64), nan=0.5)

    def once() -> None:
        _, beats = nk.ecg_process(data["ecg"][:, 0], sampling_rate=512)
        nk.hrv_time(beats, sampling_rate=512)
        nk.eda_process(data["eda"][:, 0], sampling_rate=128)
        nk.ppg_process(skin, sampling_rate=30)
        clean = mne.filter.filter_data(eeg, 512.0, 1.0, 45.0, verbose="error")
        mne.time_frequency.psd_array_welch(clean, 512.0, 1.0, 45.0, n_fft=1024, verbose="error")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        once()
        costs = []
        for _ in range(repeats):
            before = time.process_time()
            once()
            costs.append(time.process_time() - before)
    return statistics.median(costs) * ESTIMATES_HZ


def show(name: str, result: dict[str, Any]) -> None:
    latency = ", ".join(f"{key} {value:.1f}" for key, value in result["latency_ms"].items())
    print(
        f"{name}: {result['cpu_cores']:.3f} cores, latency ms {latency}, "
        f"{result['estimate_hz']:.2f} estimates/s, {result['rss_mb']:.0f} MB, "
        f"lost {sum(stream['lost'] for stream in result['streams'].values())} samples"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--video", type=Path)
    parser.add_argument("--minutes", type=float, default=30.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ours = demo(options.seconds, folder)
        show("full montage over LSL, recorded", ours)
        if options.video is not None:
            show("with a face video tracked", with_camera(options.seconds, options.video, folder))
    ours_alone, theirs = processing_cores(), sliding_window_cores()
    print(f"neurokit2 + mne on a sliding {WINDOW_S:g} s window: {theirs:.2f} cores")
    print(f"our processing alone, in {1000 * CHUNK_S:g} ms chunks: {ours_alone:.3f} cores")
    print(f"ratio to our processing: {theirs / ours_alone:.1f}")
    print(
        f"ratio to our whole run (LSL in and out, recording, model): "
        f"{theirs / ours['cpu_cores']:.1f}"
    )
    cores = (theirs, "NeuroKit2 and MNE on a sliding minute")
    tell(
        Figure("live run of the full montage", ours["cpu_cores"], "cores", *cores, timed=True),
        Figure("its processing alone", ours_alone, "cores", *cores, timed=True),
        Figure("from a sample to its estimate, p99", ours["latency_ms"]["p99"], "ms", timed=True),
        Figure("resident memory of a live run", ours["rss_mb"], "MB", timed=True),
    )
    if options.minutes > 0:
        marks = memory_over(options.minutes)
        print("stream minutes: resident MB")
        for minutes, megabytes in marks[:: max(1, len(marks) // 12)]:
            print(f"{minutes:6.1f}: {megabytes:.0f}")


if __name__ == "__main__":
    main()
