"""Commands that use Bluetooth: through bleak, on a simulated radio in a thread of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from biosense.core.errors import BluetoothUnavailable, MissingExtra
from tests.support.fake_bluez import Peripheral, ScaledClock, why_not
from tests.support.fake_bluez.devices.polar import h10
from tests.support.recorded_runs import recorded

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


@contextmanager
def within_reach(*make: Callable[[ScaledClock], Peripheral]) -> Iterator[None]:
    from tests.support.fake_bluez.service import simulated_bluetooth

    ready, over = Event(), Event()

    async def serve() -> None:
        clock = ScaledClock()
        async with simulated_bluetooth(*(each(clock) for each in make)):
            ready.set()
            await asyncio.to_thread(over.wait)

    with ThreadPoolExecutor(1) as elsewhere:
        serving = elsewhere.submit(asyncio.run, serve())
        serving.add_done_callback(lambda _: ready.set())
        ready.wait(20)
        try:
            yield
        finally:
            over.set()
            serving.result()


def test_devices_lists_sensors(biosense) -> None:
    with within_reach(h10):
        answer = biosense("devices", "--seconds", 0.6, "--json")
        table = biosense("devices", "--seconds", 0.6)
    assert answer.code == table.code == 0
    (sensor,) = answer.json["ble"]
    assert set(sensor) == {"name", "family", "address", "rssi"}
    assert (sensor["name"].split()[:2], sensor["family"]) == (["Polar", "H10"], "Polar")
    (line,) = (line for line in table.err.splitlines() if line.startswith("BLE"))
    assert sensor["address"] in line
    assert "dBm" in line


@pytest.mark.parametrize(
    "error",
    [
        BluetoothUnavailable("the adapter is switched off: switch it on"),
        MissingExtra("bleak is not installed: pip install 'biosense[ble]'"),
    ],
)
def test_without_bluetooth_the_others_are_listed_and_the_reason_is_said(
    biosense, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def refuse(seconds: float, radio: object) -> object:
        raise error

    monkeypatch.setattr("biosense.acquisition.ble.link.discovery.find_sensors", refuse)
    answer = biosense("devices", "--seconds", 0.5, "--json")
    assert answer.code == 0
    assert answer.json["ble"] == []
    assert answer.words == f"no Bluetooth: {error}"


def test_without_opencv_the_others_are_listed_and_the_reason_is_said(
    biosense, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> object:
        raise MissingExtra("OpenCV is not installed: pip install 'biosense[camera]'")

    monkeypatch.setattr("biosense.acquisition.camera.discovery.find_cameras", refuse)
    answer = biosense("devices", "--seconds", 0.5, "--json")
    assert answer.code == 0
    assert answer.json["cameras"] == []
    assert "no cameras: OpenCV is not installed: pip install" in answer.words


def test_a_sensor_is_recorded(biosense, tmp_path: Path) -> None:
    with within_reach(h10):
        answer = biosense(
            *("live", "--ble", "Polar H10", "--no-model", "--record", tmp_path),
            *("--seconds", 2, "--preflight", 0, "--headless", "--json"),
        )
    assert answer.code == 0, answer.err
    (name,) = (each for each in answer.json["streams"] if each.endswith(" ecg"))
    assert answer.json["streams"][name]["samples"] > 130
    kept = recorded(Path(answer.json["recording"]))
    device = name.removesuffix(" ecg")
    assert f"{device} packets" in kept
    assert f"{device} packets" not in answer.json["streams"]
    last = json.loads(kept["biosense-health"][-1].data[0, 0])
    assert last["battery"] == 0.87


def test_a_sensor_that_is_not_there_is_said(biosense, monkeypatch: pytest.MonkeyPatch) -> None:
    from biosense.acquisition.ble.streams.source import BleSource

    monkeypatch.setitem(BleSource.__init__.__kwdefaults__, "timeout", 0.5)
    with within_reach(h10):
        reason = biosense("live", "--ble", "Muse", "--no-model", "--headless").reason
    assert "Muse" in reason
    assert "Polar H10" in reason, "what there is instead"
