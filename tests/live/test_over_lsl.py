"""A run over real LSL: what comes in, good and bad, and what it gives out to other programs."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pylsl
import pytest

from biosense.acquisition.lsl import LslClock, LslSource
from biosense.acquisition.simulated import SimulatedSource, simulate
from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.errors import BadInput, StreamNotFound
from biosense.core.types import TEXT, Chunk, Event, Modality, StreamInfo
from biosense.live.config.adapted_source import AdaptedSource, StreamChange
from biosense.live.config.preflight_settings import PreflightSettings
from biosense.live.config.run_settings import RunSettings
from biosense.live.output.lsl_outlet import LslOutlet
from biosense.live.run import Run
from biosense.models.deployment.checkpoint import Loaded
from tests.support.recorded_runs import Outcome, compare, recorded
from tests.support.scripted import info

CLOCK = LslClock()
SECONDS = 4.0
LABEL = "over-lsl"


def labelled(described: StreamInfo) -> StreamInfo:
    return replace(described, source_id=f"{LABEL}-{described.name}")


def sensor_now(modality: Modality) -> Chunk:
    whole = simulate(1, SECONDS + 2, modalities=[modality]).streams[0]
    return replace(whole, info=labelled(whole.info))


TEXT_ECG = labelled(info("words", None, dtype=TEXT, content_type="ECG"))
SILENT = labelled(info("silent", Modality.EEG, channels=("F3", "F4")))
GOOD, SPOILT = (f"sim-{modality}" for modality in (Modality.EDA, Modality.ECG))


@dataclass
class OverLsl:
    outcome: Outcome
    received: list[Chunk]


async def push(outlet: LslOutlet, whole: Chunk) -> None:
    """Send each sample when its time has come, in uneven packets; the first when one listens."""
    await asyncio.to_thread(outlet.wait_for_readers, 10)
    whole = replace(whole, times=whole.times - whole.times[0] + CLOCK.now())
    at = 0
    while at < whole.n:
        await asyncio.sleep(0.03)
        now = int(np.searchsorted(whole.times, CLOCK.now()))
        if now > at:
            outlet.push(whole.slice(at, now))
            at = now


async def read_estimates(run: asyncio.Task[object]) -> list[Chunk]:
    """Read the estimates as another program would."""
    received: list[Chunk] = []
    async with LslSource("name=biosense-affect", clock=CLOCK, timeout=10) as source:
        async for item in source:
            if isinstance(item, Chunk):
                received.append(item)
            if run.done() or len(received) >= 4:
                return received
    return received


async def run_over_lsl(loaded: Loaded, folder: Path) -> OverLsl:
    events: list[Event] = []
    with ExitStack() as stack:
        eda, ecg = sensor_now(Modality.EDA), sensor_now(Modality.ECG)
        data = ecg.data.copy()
        data[700:1476] = np.nan
        data[1000] = np.inf
        words = Chunk.of(TEXT_ECG, np.arange(3.0), [["0.1 mV"]] * 3)
        wholes = [eda, replace(ecg, data=data), words]
        outlets = [stack.enter_context(LslOutlet(whole.info)) for whole in wholes]
        stack.enter_context(LslOutlet(SILENT))
        sending = [asyncio.create_task(push(o, w)) for o, w in zip(outlets, wholes, strict=True)]
        names = (SPOILT, "words", "silent")
        late = LslSource(f"source_id={LABEL}-{GOOD}", clock=CLOCK)
        run = Run(
            [
                AdaptedSource(late, StreamChange(delay=0.015)),
                *(LslSource(f"source_id={LABEL}-{name}", clock=CLOCK) for name in names),
                person := SimulatedSource(3, clock=CLOCK, modalities=[Modality.PPG]),
            ],
            settings=RunSettings(
                seconds=SECONDS,
                record=folder,
                model_name="small",
                preflight=PreflightSettings(0.6),
            ),
            clock=CLOCK,
            loaded=loaded,
            republish=[person],
            on_event=events.append,
        )
        running = asyncio.create_task(run.run())
        received = await read_estimates(running)
        summary = await running
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
    return OverLsl(Outcome(summary, events, []), received)


@pytest.fixture(scope="module")
def over_lsl(loaded: Loaded, tmp_path_factory: pytest.TempPathFactory) -> OverLsl:
    folder = tmp_path_factory.mktemp("over-lsl")
    return asyncio.run(run_over_lsl(loaded, folder))


def test_everything_that_came_is_recorded(over_lsl: OverLsl) -> None:
    kept = {n: sum(c.n for c in chunks) for n, chunks in recorded(over_lsl.outcome.folder).items()}
    for name, stream in over_lsl.outcome.summary.streams.items():
        assert kept[name] == stream.samples, name
    assert kept[GOOD] > 128 * (SECONDS - 1)
    assert kept["words"] >= 1
    assert kept["silent"] == 0
    assert XdfReader(over_lsl.outcome.folder).complete


def test_live_estimates_equal_offline_ones(over_lsl: OverLsl, loaded: Loaded) -> None:
    found = compare(over_lsl.outcome.folder, loaded)
    assert found.recorded == found.offline == found.same_times >= 4
    assert found.largest_difference == 0.0


def test_an_estimate_follows_its_newest_sample_within_milliseconds(over_lsl: OverLsl) -> None:
    latency = over_lsl.outcome.summary.latency_ms
    assert latency["p50"] is not None
    assert 0 < latency["p50"] < 150


def test_other_programs_read_the_estimates(over_lsl: OverLsl) -> None:
    chunks = recorded(over_lsl.outcome.folder)["biosense-affect"]
    own = {chunk.times[0]: chunk.data[0] for chunk in chunks}
    received = over_lsl.received
    assert received[0].info.channels == chunks[0].info.channels
    assert sum(chunk.n for chunk in received) >= 4
    for chunk in received:
        assert chunk.stamps is not None
        for stamp, row in zip(chunk.stamps, chunk.data, strict=True):
            np.testing.assert_array_equal(row, own[stamp])


def test_bad_streams_are_named(over_lsl: OverLsl) -> None:
    outcome = over_lsl.outcome
    assert any("ecg needs numbers" in text for text in outcome.said("words"))
    assert any("it sends no numbers" in text for text in outcome.said(SPOILT))
    assert outcome.summary.streams[SPOILT].gaps == 1
    assert outcome.summary.streams[SPOILT].lost == 776
    assert outcome.summary.streams["silent"].samples == 0
    assert outcome.summary.streams[GOOD].gaps == 0


def test_the_preflight_looked_at_every_stream(over_lsl: OverLsl) -> None:
    said = {
        event.stream: f"{event.kind}: {event.text}"
        for event in over_lsl.outcome.events
        if "pre-flight" in event.text
    }
    assert said[GOOD].startswith("info: pre-flight ok: ")
    assert said[SPOILT].startswith("info: pre-flight ok: ")
    assert said["words"] == "info: pre-flight ok: 128 Hz, samples so far: 1"
    assert said["silent"] == "error: pre-flight fail: missing: no sample within 1 s"


def run_only(wanted: str) -> None:
    source = LslSource(wanted, clock=CLOCK, timeout=1.0)
    asyncio.run(Run([source], settings=RunSettings(), clock=CLOCK, loaded=None).run())


def test_a_stream_that_is_not_there_is_named_with_those_that_are() -> None:
    with LslOutlet(labelled(info("other"))), pytest.raises(StreamNotFound) as caught:
        run_only("nosuch")
    assert "no LSL stream 'nosuch'" in str(caught.value)
    assert "'other' (type=ECG" in str(caught.value)


def test_a_stream_of_no_channels_is_refused_by_name() -> None:
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo("empty", "EEG", 0, 100.0, "float32", "no-ch"))
    with pytest.raises(BadInput, match=r"'empty'.* needs at least 1 channel"):
        run_only("source_id=no-ch")
    del outlet
