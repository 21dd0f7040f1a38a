"""A run with a Bluetooth sensor: bleak and all above it are real, the radio is simulated."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from biosense.acquisition.ble.link.radio import Radio
from biosense.acquisition.ble.streams.source import BleSource
from biosense.acquisition.simulated import SimulatedSource
from biosense.acquisition.xdf.recording_folder import read_sidecar
from biosense.core.types import Event, Modality
from biosense.live.config.adapted_source import AdaptedSource, StreamChange
from biosense.live.config.preflight_settings import PreflightSettings
from biosense.live.config.run_settings import RunSettings
from biosense.live.output.status import RunStatus
from biosense.live.run import Run
from biosense.models.deployment.checkpoint import Loaded
from tests.support.fake_bluez import ScaledClock, why_not
from tests.support.fake_bluez.devices.polar import h10
from tests.support.recorded_runs import Outcome, compare, recorded

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

SPEED = 10.0


@dataclass
class OverBle:
    outcome: Outcome
    name: str


async def run_over_ble(loaded: Loaded, folder: Path) -> OverBle:
    from tests.support.fake_bluez.service import simulated_bluetooth

    clock = ScaledClock(SPEED)
    sensor = h10(clock)
    events: list[Event] = []
    statuses: list[RunStatus] = []
    settings = RunSettings(
        seconds=14.0,
        record=folder,
        # A busy machine delays packets by some ms, which are SPEED times as many here.
        preflight=PreflightSettings(4.0, max_clock_ms=20.0 * SPEED),
        model_name="small",
    )
    async with simulated_bluetooth(sensor):
        source = BleSource(
            "polar", radio=Radio(sleep=clock.sleep), clock=clock, sleep=clock.sleep, name="chest"
        )
        adapted = AdaptedSource(source, StreamChange(), {"ecg": 0.05})
        person = SimulatedSource(1, clock=clock, modalities=[Modality.EDA], sleep=clock.sleep)
        run = Run(
            [adapted, person],
            settings=settings,
            clock=clock,
            loaded=loaded,
            republish=[adapted],
            sleep=clock.sleep,
            on_event=events.append,
            on_status=statuses.append,
        )
        summary = await run.run()
    return OverBle(Outcome(summary, events, statuses), sensor.name)


@pytest.fixture(scope="module")
def over_ble(loaded: Loaded, tmp_path_factory: pytest.TempPathFactory) -> OverBle:
    return asyncio.run(run_over_ble(loaded, tmp_path_factory.mktemp("over-ble")))


def test_its_signals_are_recorded_without_a_gap(over_ble: OverBle) -> None:
    ecg = over_ble.outcome.summary.streams["chest ecg"]
    assert ecg.rate_hz == pytest.approx(130.0, rel=0.01)
    assert (ecg.gaps, ecg.lost) == (0, 0)
    kept = recorded(over_ble.outcome.folder)
    assert sum(chunk.n for chunk in kept["chest ecg"]) == ecg.samples > 130 * 10
    assert kept["chest ecg"][0].data.dtype == "int32"


def test_live_estimates_equal_offline_ones(over_ble: OverBle, loaded: Loaded) -> None:
    found = compare(over_ble.outcome.folder, loaded)
    assert found.recorded == found.offline == found.same_times > 20
    assert found.largest_difference == 0.0


def test_its_packets_are_recorded_and_not_shown(over_ble: OverBle) -> None:
    packets = recorded(over_ble.outcome.folder)["chest packets"]
    assert sum(chunk.n for chunk in packets) > 20
    assert "chest packets" not in over_ble.outcome.summary.streams
    shown = [stream.name for stream in over_ble.outcome.statuses[-1].streams]
    assert "chest ecg" in shown
    assert "chest packets" not in shown


def test_how_it_does_is_in_status_recording_and_sidecar(over_ble: OverBle) -> None:
    status = over_ble.outcome.statuses[-3]  # at the end the link is stopped
    (ecg,) = (each for each in status.streams if each.name == "chest ecg")
    assert (ecg.battery, ecg.link, ecg.device) == (0.87, "streaming", "Polar Electro Oy H10")
    assert ecg.contact is True
    assert ecg.drift_ppm != 0.0
    assert ecg.clock_age is not None
    assert 0 <= ecg.clock_age < 3.0
    said = [json.loads(c.data[0, 0]) for c in recorded(over_ble.outcome.folder)["biosense-health"]]
    last = next(each for each in reversed(said) if each["name"] == "chest ecg")
    assert (last["battery"], last["contact"], last["device"]) == (0.87, True, ecg.device)
    assert read_sidecar(over_ble.outcome.folder).devices["chest ecg"].startswith(f"{ecg.device} ")


def test_its_delay_is_taken_off_one_signal(over_ble: OverBle) -> None:
    kept = recorded(over_ble.outcome.folder)
    infos = {name: chunks[0].info for name, chunks in kept.items() if chunks}
    assert "delay_subtracted_s" in infos["chest ecg"].description
    assert "delay_subtracted_s" not in infos["chest acc"].description


def test_the_preflight_accepts_its_ecg_stream(over_ble: OverBle) -> None:
    """Its simulated ECG counts samples, which is no ECG; the rest must be well."""
    faults = [
        event.text
        for event in over_ble.outcome.events
        if "pre-flight" in event.text and "pre-flight ok" not in event.text
    ]
    assert [text for text in faults if "too large" not in text and "too small" not in text] == []
