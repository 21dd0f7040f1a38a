"""Heart rate from a wearable's ECG and PPG, online, against Kubios.

Usage: python -m benchmarks.cardiac.heart_wearable DATA/wearable [--people 4] [--clips 40] [--each]

DATA/wearable holds rcqoea_P1.npz .. rcqoea_P4.npz. Every clip (about 30 s) is a stream of its own,
pushed in chunks of 16 samples through the live pipeline; the last epoch is compared with Kubios'
figures for the same samples of ECG. The PPG comes from another sensor with another clock (17.7 s
off for P4), so that its rate need not agree beyond what the heart rate changes within a clip.

The second table compares PPG and ECG window by window (10 s, four a second), with the stored lag
between the clocks removed: how many windows the PPG calls good (quality 0.6 and more), and the
error of the heart rate there and in the others.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, tell
from biosense.core.stage import Pipeline
from biosense.core.types import Chunk, Epoch, Floats, Modality, StreamInfo
from biosense.processing.cardiac.features import HeartFeatures
from biosense.processing.cardiac.pulse_peaks import PulsePeaks
from biosense.processing.cardiac.rhythm import HEART_CHANNELS
from biosense.processing.cardiac.rpeaks import RPeaks
from biosense.processing.signal.regularise import Regularise
from biosense.processing.signal.units import ToSI

CHUNK = 16
GOOD = 0.6
NOMINAL_HZ = 130.0
ECG = StreamInfo("chest", Modality.ECG, ("ecg",), NOMINAL_HZ, "uV", dtype="float32")
PPG = StreamInfo("finger", Modality.PPG, ("ppg",), NOMINAL_HZ, "mV", dtype="float32")


def ecg_pipeline() -> Pipeline:
    return Pipeline(ToSI(), Regularise(), HeartFeatures(RPeaks()))


def ppg_pipeline() -> Pipeline:
    return Pipeline(ToSI(), Regularise(), HeartFeatures(PulsePeaks()))


@dataclass(frozen=True)
class Result:
    """Hold one clip: rates in beats per minute, RMSSD as a ratio to Kubios', quality, speed."""

    kubios: float
    ecg: float
    ppg: float
    rmssd: float
    ecg_quality: float
    ppg_quality: float
    cost_ms: float  # per second of ECG, pipeline and features
    windows: Floats  # of the PPG: quality, |PPG - ECG| bpm; shape (n, 2)


def run(
    pipeline: Pipeline, info: StreamInfo, times: Floats, values: Floats
) -> tuple[list[Epoch], float]:
    """Return the epochs and the seconds that the run took."""
    pipeline.start(info)
    chunks = [
        Chunk.of(info, times[start : start + CHUNK], values[start : start + CHUNK])
        for start in range(0, len(times), CHUNK)
    ]
    began = time.process_time()
    epochs = [epoch for chunk in chunks for epoch in pipeline.push(chunk)]
    return epochs, time.process_time() - began


def windows(data: dict[str, Floats], number: int, ecg: list[Epoch]) -> Floats:
    """Compare the rates of both sensors on one clock, where ECG has one, from 10 s on."""
    key = f"V{number:02d}"
    lags = data["ecg_to_ppg_lag_s"]
    lag = lags[number - 1] if np.isfinite(lags[number - 1]) else np.nanmedian(lags)
    times, start = data[f"{key}_gsr_t"] - lag, data[f"{key}_ecg_t"][0]
    epochs, _ = run(ppg_pipeline(), PPG, times, data[f"{key}_ppg_mV"])
    found = {epoch.index: epoch for epoch in epochs if epoch.stop >= max(start, times[0]) + 10.0}
    return np.array(
        [
            (found[one.index].quality, abs(rate(found[one.index]) - rate(one)))
            for one in ecg
            if one.index in found and one.quality >= GOOD
        ]
    ).reshape(-1, 2)


def rate(epoch: Epoch) -> float:
    return feature(epoch, "heart_rate")


def feature(epoch: Epoch, name: str) -> float:
    return float(epoch.data[HEART_CHANNELS.index(name)])


def clip(data: dict[str, Floats], number: int) -> Result:
    """Run ECG and PPG of one clip."""
    columns = data["kubios_cols"].tolist()
    reference = data["kubios"][number - 1]
    n = int(data["kubios_window_samples"])
    key = f"V{number:02d}"
    times = data[f"{key}_ecg_t"][:n]
    epochs, seconds = run(ecg_pipeline(), ECG, times, data[f"{key}_ecg_uV"][:n])
    same = data[f"{key}_gsr_t"] <= times[-1]
    pulses, _ = run(ppg_pipeline(), PPG, data[f"{key}_gsr_t"][same], data[f"{key}_ppg_mV"][same])
    ecg, ppg = epochs[-1], pulses[-1]
    return Result(
        kubios=float(reference[columns.index("Mean HR (bpm)")]),
        ecg=feature(ecg, "heart_rate_30"),
        ppg=feature(ppg, "heart_rate_30"),
        rmssd=1e3 * feature(ecg, "rmssd_30") / float(reference[columns.index("RMSSD (ms)")]),
        ecg_quality=ecg.quality,
        ppg_quality=ppg.quality,
        cost_ms=1e3 * seconds / (times[-1] - times[0]),
        windows=windows(data, number, epochs),
    )


def participant(path: Path, clips: int) -> list[Result]:
    with np.load(path) as file:
        data = {name: file[name] for name in file.files}
    return [clip(data, int(number)) for number in data["clip"][:clips]]


def table(name: str, results: list[Result], each: bool) -> None:
    ecg = np.array([abs(one.ecg - one.kubios) for one in results])
    ppg = np.array([abs(one.ppg - one.kubios) for one in results])
    rmssd = np.array([one.rmssd for one in results])
    if each:
        for number, one in enumerate(results, 1):
            print(
                f"   V{number:02d} kubios {one.kubios:6.2f}  ecg {one.ecg:6.2f}  ppg {one.ppg:6.2f}"
                f"  rmssd x{one.rmssd:.2f}  quality {one.ecg_quality:.2f} {one.ppg_quality:.2f}"
            )
    cells = [
        f"{np.nanmedian(ecg):5.2f} {np.nanmean(ecg):5.2f} {np.nanmax(ecg):5.2f}",
        f"{np.nanmedian(ppg):5.2f} {np.nanmean(ppg):5.2f} {np.nanmax(ppg):5.2f}",
        f"{np.isnan(ecg).sum():3d} {np.isnan(ppg).sum():3d}",
        f"{np.nanmedian(rmssd):5.2f} {np.nanmin(rmssd):5.2f} {np.nanmax(rmssd):5.2f}",
        f"{np.mean([one.ecg_quality for one in results]):5.2f}"
        f" {np.mean([one.ppg_quality for one in results]):5.2f}",
        f"{np.median([one.cost_ms for one in results]):6.2f}",
    ]
    print(f"{name:3s} | " + " | ".join(cells))


def windows_table(name: str, results: list[Result]) -> None:
    """Print how PPG and ECG agree window by window."""
    quality, error = np.concatenate([one.windows for one in results]).T
    good = (quality >= GOOD) & np.isfinite(error)
    others = error[~good & np.isfinite(error)]
    print(
        f"{name:3s} | {len(quality):7d} | {good.mean():6.1%} | {error[good].mean():5.2f}"
        f" {np.quantile(error[good], 0.95):5.2f} {error[good].max():6.2f} |"
        f" {others.mean() if len(others) else np.nan:6.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, default=4)
    parser.add_argument("--clips", type=int, default=40, help="of each person")
    parser.add_argument("--each", action="store_true", help="print every clip")
    arguments = parser.parse_args()
    print(
        "    | |ECG - Kubios| bpm | |PPG - Kubios| bpm | no value| RMSSD ECG/Kubios  | quality     "
    )
    print(
        "    |  med  mean   max   |  med  mean   max   | ecg ppg |  med   min   max  | ecg   ppg   "
    )
    everybody: list[Result] = []
    named: dict[str, list[Result]] = {}
    for path in sorted(arguments.folder.glob("rcqoea_P*.npz"))[: arguments.people]:
        results = participant(path, arguments.clips)
        everybody += results
        named[path.stem[-2:]] = results
        table(path.stem[-2:], results, arguments.each)
    if not everybody:
        parser.error(f"no rcqoea_P*.npz in {arguments.folder}")
    table("all", everybody, each=False)
    print("last column: milliseconds of one core per second of ECG, in chunks of 16 samples\n")
    print("    | windows |  good  | |PPG - ECG| bpm, good | others")
    print("    |         |        |  mean   95%    max   |  mean")
    for name, results in {**named, "all": everybody}.items():
        windows_table(name, results)
    tell(*figures(everybody))


def figures(results: list[Result]) -> list[Figure]:
    """Return the headlines of all clips together."""
    quality, error = np.concatenate([one.windows for one in results]).T
    good = (quality >= GOOD) & np.isfinite(error)
    ecg = float(np.nanmean([abs(one.ecg - one.kubios) for one in results]))
    return [
        Figure("heart rate from ECG, mean difference from Kubios", ecg, "bpm"),
        Figure("heart rate from PPG, mean difference from ECG", float(error[good].mean()), "bpm"),
        Figure("windows of PPG called good", 100 * float(good.mean()), "%", more_is_better=True),
    ]


if __name__ == "__main__":
    main()
