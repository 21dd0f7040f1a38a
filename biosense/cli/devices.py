"""`biosense devices`: what is within reach."""

from __future__ import annotations

import asyncio
import json as json_format
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biosense.cli.options import Json, Lan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biosense.acquisition.ble.link.discovery import FoundSensor
    from biosense.acquisition.camera.discovery import FoundCamera
    from biosense.acquisition.lsl.discovery import FoundStream


def devices(
    seconds: Annotated[float, typer.Option(min=0.5, help="How long to look.")] = 5.0,
    lan: Lan = False,
    json: Json = False,
) -> None:
    """List the LSL streams, Bluetooth sensors and cameras within reach."""
    from biosense.acquisition.lsl.config import configure
    from biosense.cli.console import print_json

    configure(lan=lan)
    streams, sensors = asyncio.run(_search(seconds))
    cameras = _find_cameras()
    if json:
        found = {
            "lsl": [_plain(stream) for stream in streams],
            "ble": [asdict(sensor) for sensor in sensors],
            "cameras": [asdict(camera) for camera in cameras],
        }
        print_json(json_format.dumps(found))
        return
    _print(streams, sensors, cameras)


async def _search(seconds: float) -> tuple[Sequence[FoundStream], Sequence[FoundSensor]]:
    """Look for streams and sensors at the same time."""
    from biosense.acquisition.lsl.discovery import find_streams

    streams, sensors = await asyncio.gather(
        asyncio.to_thread(find_streams, seconds), _find_sensors(seconds)
    )
    return streams, sensors


async def _find_sensors(seconds: float) -> Sequence[FoundSensor]:
    """Look for Bluetooth sensors; a computer without Bluetooth is told why there are none."""
    from biosense.acquisition.ble.link.discovery import find_sensors
    from biosense.acquisition.ble.link.radio import Radio
    from biosense.cli.console import say_warning
    from biosense.core.errors import BluetoothUnavailable, MissingExtra

    try:
        return await find_sensors(seconds, Radio())
    except (BluetoothUnavailable, MissingExtra) as error:
        say_warning(str(error), about="no Bluetooth:")
        return []


def _find_cameras() -> Sequence[FoundCamera]:
    """Look for cameras; an installation that cannot is told what it lacks."""
    from biosense.acquisition.camera.discovery import find_cameras
    from biosense.cli.console import say_warning
    from biosense.core.errors import MissingExtra

    try:
        return find_cameras()
    except MissingExtra as error:
        say_warning(str(error), about="no cameras:")
        return []


def _print(
    streams: Sequence[FoundStream], sensors: Sequence[FoundSensor], cameras: Sequence[FoundCamera]
) -> None:
    from rich.table import Table

    from biosense.cli.console import console

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("", "name", "type", "channels", "Hz", "source id, address", "host, signal"):
        table.add_column(heading)
    for stream in streams:
        rate = f"{stream.sfreq:g}" if stream.sfreq else "irregular"
        row = (stream.name, stream.content_type, str(stream.n_channels), rate)
        table.add_row("LSL", *row, stream.source_id, stream.hostname)
    for sensor in sensors:
        signal = "connected" if sensor.rssi is None else f"{sensor.rssi} dBm"
        table.add_row("BLE", sensor.name, sensor.family, "", "", sensor.address, signal)
    for camera in cameras:
        size = f"{camera.width}x{camera.height}"
        table.add_row("camera", str(camera.index), "", size, f"{camera.fps:g}", "", "")
    console.print(table)
    if not (streams or sensors or cameras):
        console.print("nothing found; is the sensor on, its program running, and --lan needed?")


def _plain(stream: FoundStream) -> dict[str, Any]:
    # `asdict` would copy the handle as well, which belongs to LSL and cannot be copied.
    names = [field.name for field in fields(stream) if field.name != "handle"]
    return {name: getattr(stream, name) for name in names}
