"""One table of sources for the contract tests: how to make each, and what it must deliver."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from biosense.acquisition.camera.source import CameraSource
from biosense.acquisition.camera.tracking.tracker import FaceTracker
from biosense.acquisition.simulated import SimulatedSource, simulate
from biosense.acquisition.xdf.replay import Replay
from biosense.acquisition.xdf.writer import XdfWriter
from biosense.core.clock import ClockFit, SystemClock
from biosense.core.source import Source
from biosense.core.types import Chunk, ClockOffset, Modality, StreamInfo
from biosense.live.output.lsl_outlet import LslOutlet
from biosense.testing.source_example import Samples, SourceExample
from tests.support.ble.fakes import DATA, FAST, PER_PACKET, FakeAdapter, FakeSensor
from tests.support.ble.fakes import source_of as ble_source_of
from tests.support.camera_fakes import FakeClock, FixedFace, picture, write_video
from tests.support.fake_bluez.clock import ScaledClock
from tests.support.lsl.streams import CLOCK, describe, ready, samples, source_of


def lsl(info: StreamInfo) -> Callable[[Path, ExitStack], SourceExample]:
    def make(_: Path, stack: ExitStack) -> SourceExample:
        outlet = stack.enter_context(LslOutlet(info))
        sent = samples(info, 700)

        async def feed() -> None:
            await ready(outlet)
            for start, stop in ((0, 1), (1, 650), (650, 700)):
                outlet.push(sent.slice(start, stop))

        return SourceExample(source_of(info.source_id), lambda: {info.name: sent.data}, feed)

    return make


def replay(folder: Path, _: ExitStack) -> SourceExample:
    eeg, marks = describe("eeg", dtype="int16"), describe("marks", dtype="str", sfreq=0.0)
    path = folder / "short.xdf"
    fit, data = ClockFit(), samples(eeg, 3000, time=500.0)
    text = samples(marks, 5, time=501.0)
    with XdfWriter(path) as writer:
        writer.add_stream(eeg)
        writer.add_stream(marks)
        for start in range(0, 3000, 500):
            part = data.slice(start, start + 500)
            offset = ClockOffset(eeg, part.times[0], 20.0 + 1e-5 * start)
            fit.add(offset.time, offset.offset)
            writer.write_offset(offset)
            times = fit.to_session(part.times)
            writer.write(Chunk(eeg, times, part.data, part.ok, part.times))
        writer.write(text)
    source = Replay(path, clock=SystemClock(), speed=0)
    return SourceExample(source, lambda: {"eeg": data.data, "marks": text.data})


def simulated(_: Path, __: ExitStack) -> SourceExample:
    wanted = [Modality.ECG, Modality.EDA]
    source = SimulatedSource(3, clock=SystemClock(), speed=0, modalities=wanted, seconds=5.0)

    def expected() -> Samples:
        person = simulate(3, 5.0, modalities=wanted, start=source.start)
        return {chunk.info.name: chunk.data for chunk in person.streams}

    return SourceExample(source, expected)


def camera(folder: Path, _: ExitStack) -> SourceExample:
    pictures = [picture(forehead=(100 + shade, 120, 80)) for shade in range(40)]
    path, clock = write_video(folder / "face.mkv", pictures), FakeClock()
    source = CameraSource(path, clock=clock, backend_factory=FixedFace, wait=clock.wait)

    def expected() -> Samples:
        tracker = FaceTracker(FixedFace(), max_width=640)
        rows = [tracker.measure(image) for image in pictures]
        return {
            info.name: np.array([row[number] for row in rows], np.float32)
            for number, info in enumerate(source.infos)
        }

    return SourceExample(source, expected)


def ble(_: Path, __: ExitStack) -> SourceExample:
    clock, packets = ScaledClock(50.0), 20
    sensor = FakeSensor(clock=clock, sends={FAST}, most=packets)
    source = ble_source_of(FakeAdapter(sensor, clock=clock), driver_options={"keys": ("fast",)})
    texts = [[f"{DATA[4:8]} {struct.pack('<BI', FAST, number).hex()}"] for number in range(packets)]
    numbers = np.arange(packets * PER_PACKET, dtype=np.float64)[:, None]
    expected = {"Fake 1 fast": numbers, "Fake 1 packets": np.array(texts)}
    return SourceExample(source, lambda: expected)


SOURCES: dict[str, Callable[[Path, ExitStack], SourceExample]] = {
    "lsl": lsl(describe("numbers", dtype="int16", sfreq=250.0)),
    "lsl-markers": lsl(describe("marks", sfreq=0.0, dtype="str", channels=("marker",))),
    "replay": replay,
    "simulated": simulated,
    "camera-file": camera,
    "ble": ble,
}

ABSENT: dict[str, Callable[[Path], Source]] = {
    "lsl": lambda _: source_of("nobody", timeout=0.3),
    "replay": lambda folder: _replay_of(folder, "nobody"),
    "ble": lambda _: ble_source_of(FakeAdapter(clock=ScaledClock(50.0)), "nobody", timeout=3.0),
    "camera-file": lambda folder: CameraSource(
        folder / "nobody.mkv", clock=CLOCK, backend_factory=FixedFace
    ),
}


def _replay_of(folder: Path, stream: str) -> Source:
    replay(folder, ExitStack())
    return Replay(folder / "short.xdf", clock=SystemClock(), speed=0, streams=[stream])
