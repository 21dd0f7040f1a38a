"""Push a participant of the wearable test set through LSL outlets, at real time, from this process.

Usage: python -m benchmarks.parts.wearable_outlets NPZ SECONDS LOG.json

Three streams (ECG, EDA, PPG), each with its own clock's time stamps, clips in presentation order
with a pause of one second between them. Starts when every stream has a consumer. LOG.json tells
what was pushed: counts, stamps, and the clips with their reference heart rate.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from biosense.acquisition.lsl.clock import LslClock
from biosense.acquisition.lsl.config import configure
from biosense.core.types import Chunk, Floats, Modality, StreamInfo
from biosense.live.output.lsl_outlet import LslOutlet

PAUSE_S = 1.0
LEAD_S = 0.3  # stamps begin this long after the push loop, which sends a sample once it is due
TICK_S = 0.05


@dataclass(frozen=True)
class Signal:
    info: StreamInfo
    times: Floats
    data: Floats


def signals(npz: Path, seconds: float) -> tuple[list[Signal], list[dict[str, float]]]:
    """Return the three streams from time 0, and the clips with their reference heart rates."""
    data = np.load(npz)
    rate_column = data["kubios_cols"].tolist().index("Mean HR (bpm)")
    parts: dict[str, list[Floats]] = {key: [] for key in ("te", "ecg", "tg", "sc", "ppg")}
    clips = []
    at = 0.0
    for clip in np.argsort(data["order"]) + 1:
        if at >= seconds:
            break
        name = f"V{clip:02d}"
        ecg_t, gsr_t = data[f"{name}_ecg_t"], data[f"{name}_gsr_t"]
        origin = min(ecg_t[0], gsr_t[0])
        parts["te"].append(ecg_t - origin + at)
        parts["tg"].append(gsr_t - origin + at)
        parts["ecg"].append(data[f"{name}_ecg_uV"])
        parts["sc"].append(data[f"{name}_sc_uS"])
        parts["ppg"].append(data[f"{name}_ppg_mV"])
        end = at + max(ecg_t[-1], gsr_t[-1]) - origin
        heart_rate = float(data["kubios"][clip - 1, rate_column])
        clips.append({"clip": int(clip), "start": at, "end": end, "heart_rate": heart_rate})
        at = end + PAUSE_S
    joined = {key: np.concatenate(values) for key, values in parts.items()}
    fs_shimmer = float(data["fs_shimmer"])
    kinds = (
        ("wearable-ecg", Modality.ECG, 130.0, "uV", joined["te"], joined["ecg"]),
        ("wearable-eda", Modality.EDA, fs_shimmer, "uS", joined["tg"], joined["sc"]),
        ("wearable-ppg", Modality.PPG, fs_shimmer, "mV", joined["tg"], joined["ppg"]),
    )
    made = []
    for stream, modality, sfreq, unit, times, values in kinds:
        info = StreamInfo(
            stream, modality, (str(modality),), sfreq, unit, stream, "float32", lossy=True
        )
        wanted = times < seconds
        made.append(Signal(info, times[wanted], values[wanted, None].astype(np.float32)))
    return made, clips


def push(streams: list[Signal], outlets: list[LslOutlet], clock: LslClock, start: float) -> None:
    sent = [0] * len(streams)
    while any(n < len(s.times) for n, s in zip(sent, streams, strict=True)):
        due = clock.now() - start
        for i, (stream, outlet) in enumerate(zip(streams, outlets, strict=True)):
            stop = int(np.searchsorted(stream.times, due))
            if stop > sent[i]:
                part = slice(sent[i], stop)
                times = stream.times[part] + start
                ok = np.ones(len(times), bool)
                outlet.push(Chunk(stream.info, times, stream.data[part], ok))
                sent[i] = stop
        time.sleep(TICK_S)


def main() -> None:
    npz, seconds, log = Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
    configure()
    streams, clips = signals(npz, seconds)
    outlets = [LslOutlet(stream.info) for stream in streams]
    while not all(outlet.has_readers for outlet in outlets):
        time.sleep(0.1)
    time.sleep(2.0)  # an inlet that has connected still needs its first clock measurement
    clock = LslClock()
    start = clock.now() + LEAD_S
    push(streams, outlets, clock, start)
    time.sleep(1.0)
    pushed = {s.info.name: (s.times + start).tolist() for s in streams}
    log.write_text(json.dumps({"start": start, "pushed": pushed, "clips": clips}))
    time.sleep(5.0)
    for outlet in outlets:
        outlet.close()


if __name__ == "__main__":
    main()
