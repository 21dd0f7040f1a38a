"""`biosense devices`: what is within reach."""

from __future__ import annotations

import json as json_format
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biosense.cli.options import Json, Lan

if TYPE_CHECKING:
    from biosense.acquisition.lsl.discovery import Found


def devices(
    seconds: Annotated[float, typer.Option(min=0.5, help="How long to look.")] = 5.0,
    lan: Lan = False,
    json: Json = False,
) -> None:
    """List the LSL streams and cameras within reach."""
    from rich.table import Table

    from biosense.acquisition.camera.discovery import find_cameras
    from biosense.acquisition.lsl.config import configure
    from biosense.acquisition.lsl.discovery import find_streams
    from biosense.cli.console import console, print_json

    configure(lan=lan)
    streams = find_streams(seconds)
    cameras = find_cameras()
    if json:
        found = {"lsl": [_plain(s) for s in streams], "cameras": [asdict(c) for c in cameras]}
        print_json(json_format.dumps(found))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("", "name", "type", "channels", "Hz", "source id", "host"):
        table.add_column(heading)
    for stream in streams:
        rate = f"{stream.sfreq:g}" if stream.sfreq else "irregular"
        row = (stream.name, stream.content_type, str(stream.n_channels), rate)
        table.add_row("LSL", *row, stream.source_id, stream.hostname)
    for camera in cameras:
        size = f"{camera.width}x{camera.height}"
        table.add_row("camera", str(camera.index), "", size, f"{camera.fps:g}", "", "")
    console.print(table)
    if not streams and not cameras:
        console.print("nothing found; is the sensor's program running, and --lan needed?")


def _plain(stream: Found) -> dict[str, Any]:
    # `asdict` would copy the handle as well, which belongs to LSL and cannot be copied.
    names = [field.name for field in fields(stream) if field.name != "handle"]
    return {name: getattr(stream, name) for name in names}
