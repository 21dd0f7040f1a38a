"""`biosense check --sync`: the fixed delay between two streams, and the line for the preset."""

from __future__ import annotations

import json as json_format
import math
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from biosense.core.types import StreamInfo
    from biosense.recordings.sync import Delay


def check_sync(
    recording: Path,
    streams: tuple[str, str],
    channels: tuple[str | None, str | None],
    *,
    json: bool,
) -> None:
    """Measure the delay and print it, with what to write into the preset."""
    from biosense.acquisition.xdf.reader import XdfReader
    from biosense.cli.console import console, print_json
    from biosense.recordings.sync import measure_sync

    found = measure_sync(recording, *streams, *channels)
    late = streams[1] if found.lag >= 0 else streams[0]
    infos = {info.name: info for info in XdfReader(recording).infos}
    line = preset_line(infos[late], abs(found.lag))
    if json:
        print_json(json_format.dumps(_values(found, streams) | {"late": late, "preset": line}))
        return
    first, second = streams
    said = "later" if found.lag >= 0 else "earlier"
    console.print(
        f"{second} is {1000 * abs(found.lag):.1f} ms {said} than {first}, "
        f"+-{1000 * found.uncertainty:.1f} ms",
        soft_wrap=True,
    )
    drift = "" if math.isnan(found.drift_ppm) else f", drift {found.drift_ppm:+.1f} ppm"
    windows = "1 window" if len(found.windows) == 1 else f"{len(found.windows)} windows"
    console.print(
        f"from {windows} with common events, correlation {found.correlation:.2f}{drift}",
        style="dim",
        soft_wrap=True,
    )
    console.print(f"in the preset, in the [[stream]] of {late}:\n\n    {line}\n", soft_wrap=True)


def preset_line(info: StreamInfo, later: float) -> str:
    """Return what to write for a stream that came later by so many seconds than it should.

    What a preset had taken off already is in the recording's times, so it is added.
    """
    return f"delay_ms = {1000 * (later + _taken_off(info)):.1f}"


def _taken_off(info: StreamInfo) -> float:
    from biosense.acquisition.stream_xml import description_text
    from biosense.live.config.adapted_source import CHANGED

    said = description_text(info, CHANGED)
    return float(json_format.loads(said).get("delay_subtracted_s", 0.0)) if said else 0.0


def _values(found: Delay, streams: tuple[str, str]) -> dict[str, object]:
    return {
        "streams": list(streams),
        "lag_ms": 1000 * found.lag,
        "uncertainty_ms": 1000 * found.uncertainty,
        "correlation": found.correlation,
        "drift_ppm": None if math.isnan(found.drift_ppm) else found.drift_ppm,
        "windows": len(found.windows),
    }
