"""What the camera path costs, part by part and in real time, on a video of a face.

Usage: python -m benchmarks.acquisition.camera VIDEO [--seconds 10]
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import psutil

from benchmarks.figures import Figure, tell
from biosense.acquisition.camera import CameraSource
from biosense.acquisition.camera.native.opencv import load_opencv
from biosense.acquisition.camera.tracking.head_pose import HeadPose
from biosense.acquisition.camera.tracking.mediapipe_backend import MediaPipeBackend
from biosense.acquisition.camera.tracking.skin_regions import RegionColours
from biosense.acquisition.camera.tracking.tracker import FaceTracker
from biosense.core.camera_streams import FACE_CHANNELS
from biosense.core.clock import SystemClock
from biosense.core.types import Chunk, Modality, StreamInfo
from biosense.processing.pipelines import feature_pipeline

WARM_UP_FRAMES = 10


class Timers:
    """Milliseconds of each part of each frame: on the clock, and of all cores together."""

    def __init__(self):
        self.parts = defaultdict(list)

    def time(self, part, function, *args):
        begun, used = time.perf_counter(), time.process_time()
        result = function(*args)
        spent = time.perf_counter() - begun, time.process_time() - used
        self.parts[part].append([1000 * each for each in spent])
        return result

    def print(self) -> float:
        """Print the table; return the median ms of all parts of a frame together."""
        self.parts["all"] = np.sum([*self.parts.values()], axis=0).tolist()
        print(f"{'part':<10}{'median':>8}{'p95':>8}{'CPU mean':>10}  ms a frame")
        for part, spent in self.parts.items():
            wall, cpu = np.array(spent[WARM_UP_FRAMES:]).T
            print(
                f"{part:<10}{np.median(wall):>8.2f}{np.percentile(wall, 95):>8.2f}"
                f"{cpu.mean():>10.2f}"
            )
        return float(np.median(np.array(self.parts["all"][WARM_UP_FRAMES:])[:, 0]))


def time_parts(video: Path, max_width: int) -> float:
    cv2 = load_opencv()
    capture = cv2.VideoCapture(str(video), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    tracker = FaceTracker(MediaPipeBackend(), max_width=max_width)
    colours, pose = RegionColours(), HeadPose()
    info = StreamInfo("face", Modality.FACE, FACE_CHANNELS, 30.0)
    pipeline = feature_pipeline(info)
    pipeline.start(info)
    timers, found = Timers(), 0
    while True:
        decoded, frame = timers.time("decode", capture.read)
        if not decoded:
            timers.parts["decode"].pop()
            break
        face = timers.time("track", tracker.find, frame)
        points = None if face is None else face.points
        found += face is not None
        timers.time("regions", colours.measure, frame, points)
        if points is not None:
            timers.time("pose", pose.rotation, points)
        else:
            timers.parts["pose"].append([0.0, 0.0])
        row = tracker.face_row(face)
        frames = len(timers.parts["pose"]) - 1
        timers.time("features", pipeline.push, Chunk.of(info, [frames / 30], [row]))
    tracker.close()
    frames = len(timers.parts["decode"])
    size = f"{capture.get(cv2.CAP_PROP_FRAME_WIDTH):g}x{capture.get(cv2.CAP_PROP_FRAME_HEIGHT):g}"
    print(f"{video.name}: {frames} frames of {size}, a face in {found}")
    return timers.print()


async def time_real_time(video: Path, seconds: float, max_width: int) -> float:
    """Play the video again and again until the time is up; return cores at 30 frames a second."""
    process, clock = psutil.Process(), SystemClock()
    spent = wall = 0.0
    frames = 0
    delays = []
    while wall < seconds:
        async with CameraSource(video, clock=clock, max_width=max_width) as source:
            begun, used = time.perf_counter(), sum(process.cpu_times()[:2])
            async for item in source:
                if isinstance(item, Chunk):
                    delays.append(clock.now() - item.times[0])
                    frames += 1
                if wall + time.perf_counter() - begun >= seconds:
                    break
            wall += time.perf_counter() - begun
            spent += sum(process.cpu_times()[:2]) - used
    frames //= 2
    print(f"real time: {frames / wall:.1f} frames/s for {wall:.1f} s, {spent / wall:.3f} cores")
    print(f"CPU {1000 * spent / frames:.2f} ms a frame: {30 * spent / frames:.3f} cores at 30 fps")
    print(
        f"from frame to event loop: median {1000 * np.median(delays):.1f} ms, "
        f"p95 {1000 * np.percentile(delays, 95):.1f} ms"
    )
    return 30 * spent / frames


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path, help="with a face; 640x360 to compare with our figures")
    parser.add_argument("--seconds", type=float, default=10.0, help="of real time")
    parser.add_argument("--max-width", type=int, default=640)
    options = parser.parse_args()
    ms = time_parts(options.video, options.max_width)
    cores = asyncio.run(time_real_time(options.video, options.seconds, options.max_width))
    tell(
        Figure("camera: a frame from file to features, median", ms, "ms", timed=True),
        Figure("camera at 30 frames a second", cores, "cores", timed=True),
    )


if __name__ == "__main__":
    main()
