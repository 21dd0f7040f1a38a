"""One recorded run of a simulated person and friends, made once per test session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch

from biosense.acquisition.simulated import SimulatedSource, simulate
from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.source import Source
from biosense.core.types import TEXT, Chunk, Event, EventKind, Modality, StreamInfo
from biosense.estimation.compare import Comparison, compare_with_live
from biosense.estimation.load_model import load_model
from biosense.estimation.offline import estimate_recording
from biosense.estimation.recorded_run import recorded_header
from biosense.live.config.run_settings import RunSettings
from biosense.live.output.status import RunStatus
from biosense.live.output.summary import RunSummary
from biosense.live.run import Run
from biosense.models.deployment.checkpoint import Card, Loaded, save
from biosense.models.registry import build_model
from biosense.processing.pipelines import fingerprints, schema
from tests.support.scripted import Scripted, Step, Tap, chunked, foreign_clock
from tests.support.virtual_clock import START, VirtualClock

SECONDS = 40.0
MARK = "baseline [ends] ✓"
SENSORS = (Modality.ECG, Modality.EDA)


def small_checkpoint(path: Path) -> Path:
    """Save an untrained model of the features of this version: its numbers mean nothing."""
    torch.manual_seed(7)
    features = schema()
    counts = tuple((str(modality), len(names)) for modality, names in features.items())
    model = build_model("cross_attention", {"modalities": counts, "width": 8, "heads": 2})
    return save(
        path, "cross_attention", model, features=features, fingerprints=fingerprints(), card=Card()
    )


def sensor(modality: Modality, seconds: float, seed: int = 1) -> Chunk:
    """Simulate one sensor, from the beginning of a virtual clock on."""
    return simulate(seed, seconds, modalities=[modality], start=START).stream(f"sim-{modality}")


@dataclass
class Outcome:
    """What a run gave."""

    summary: RunSummary
    events: list[Event]
    statuses: list[RunStatus]

    @property
    def folder(self) -> Path:
        assert self.summary.recording is not None
        return Path(self.summary.recording)

    def said(self, stream: str) -> list[str]:
        """Return what was said of a stream, but for its end: every scripted one comes to it."""
        said = [e for e in self.events if e.stream == stream and e.kind is not EventKind.ENDED]
        return [f"{e.kind}: {e.text}" for e in said]


def carry_out(
    sources: Sequence[Source],
    clock: VirtualClock,
    *,
    loaded: Loaded | None = None,
    record: Path | None = None,
    prepare: Callable[[Run], None] = lambda _: None,
    optional: Sequence[Source] = (),
    republish: Sequence[Source] = (),
    **settings: object,
) -> Outcome:
    """Run sources to the end."""
    events: list[Event] = []
    statuses: list[RunStatus] = []

    async def whole() -> RunSummary:
        run = Run(
            sources,
            settings=RunSettings(record=record, **settings),  # type: ignore[arg-type]
            clock=clock,
            loaded=loaded,
            optional=optional,
            republish=republish,
            sleep=clock.sleep,
            on_event=events.append,
            on_status=statuses.append,
        )
        prepare(run)
        return await run.run()

    return Outcome(asyncio.run(whole()), events, statuses)


def compare(folder: Path, loaded: Loaded) -> Comparison:
    """Estimate a recording offline and hold it against what its run recorded."""
    reader = XdfReader(folder)
    header = recorded_header(reader)
    assert header is not None
    estimates = estimate_recording(reader, loaded, header.settings, header)
    found = compare_with_live(reader, estimates)
    assert found is not None
    return found


def recorded(folder: Path) -> dict[str, list[Chunk]]:
    """Return the chunks of a recording by stream."""
    reader = XdfReader(folder)
    found: dict[str, list[Chunk]] = {each.name: [] for each in reader.infos}
    for item in reader.items():
        if isinstance(item, Chunk):
            found[item.info.name].append(item)
    return found


GAZE = StreamInfo("gaze", None, ("x", "y"), 60.0, "px", "eyes-1", "int16", content_type="Gaze")
TRIGGERS = StreamInfo(
    "triggers", None, ("marker",), 0.0, "", "experiment-1", TEXT, content_type="Markers"
)


@dataclass
class WholeRun:
    """A run with everything that can come: see `whole_run`."""

    outcome: Outcome
    loaded: Loaded
    checkpoint: Path
    person: Tap
    second: Tap
    short: Tap
    others: Tap


@cache
def whole_run(folder: Path) -> WholeRun:
    """Record 40 s of a person whose EDA is unplugged for a while, beside other streams.

    A second ECG of the same name, stamped by a clock of its own; a PPG that ends after 15 s, also
    on another clock; a stream of unknown content, and triggers.
    """
    clock = VirtualClock()
    simulated = SimulatedSource(
        1, clock=clock, modalities=SENSORS, seconds=SECONDS, sleep=clock.sleep
    )
    person = Tap(simulated)
    person.at[400] = lambda: simulated.switch_off(Modality.EDA)
    person.at[500] = lambda: simulated.switch_on(Modality.EDA)
    again = sensor(Modality.ECG, SECONDS, seed=2)
    second = Tap(Scripted(clock, [again.info], foreign_clock(chunked(again), 50.0, 80e-6)))
    pulse = sensor(Modality.PPG, 15.0)
    short = Tap(Scripted(clock, [pulse.info], foreign_clock(chunked(pulse), -300.0)))
    others = Tap(Scripted(clock, [GAZE, TRIGGERS], _gaze_and_triggers()))
    checkpoint = small_checkpoint(folder / "small")
    loaded = load_model(str(checkpoint))
    outcome = carry_out(
        [person, second, short, others],
        clock,
        loaded=loaded,
        record=folder / "recordings",
        prepare=lambda run: person.at.update({700: lambda: run.mark(MARK)}),
        participant="P07",
        features=True,
        model_name=str(checkpoint),
    )
    return WholeRun(outcome, loaded, checkpoint, person, second, short, others)


def _gaze_and_triggers() -> list[Step]:
    steps: list[Step] = []
    for second in range(int(SECONDS)):
        times = START + second + np.arange(60) / 60
        steps.append(Chunk.of(GAZE, times, np.arange(120).reshape(60, 2) + second))
        steps.append(Chunk.of(TRIGGERS, [START + second + 0.99], [[f"trial {second}"]]))
    return steps
