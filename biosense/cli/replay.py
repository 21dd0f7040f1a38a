"""`biosense replay`: a recording as LSL streams again."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated

import typer

from biosense.cli.options import Lan, RecordingPath


def replay(
    recording: RecordingPath,
    speed: Annotated[float, typer.Option(min=0.01, help="Times real time.")] = 1.0,
    lan: Lan = False,
) -> None:
    """Publish a recording as LSL streams, with its own rhythm."""
    from biosense.acquisition.lsl.clock import LslClock
    from biosense.acquisition.lsl.config import configure
    from biosense.acquisition.xdf.replay import Replay
    from biosense.cli.console import console
    from biosense.live.output.publisher import publish_source

    configure(lan=lan)
    source = Replay(recording, clock=LslClock(), speed=speed, keep_times=False)
    console.print(f"replaying {recording} at {speed:g} x; Ctrl-C ends")
    with suppress(KeyboardInterrupt):
        samples = asyncio.run(publish_source(source))
        console.print(f"replayed {samples} samples")
