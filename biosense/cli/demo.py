"""`biosense demo`: the main job on a simulated participant, over real LSL."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from biosense.cli.options import Headless, Json, Record, Seconds


def demo(
    seconds: Seconds = None,
    headless: Headless = False,
    record: Record = None,
    seed: Annotated[int, typer.Option(help="Who is simulated.")] = 1,
    json: Json = False,
) -> None:
    """Show everything on a simulated participant, whose streams come over real LSL."""
    from biosense.acquisition.lsl.clock import LslClock
    from biosense.acquisition.lsl.config import configure
    from biosense.acquisition.lsl.source import LslSource
    from biosense.live.model import load_model
    from biosense.cli.session import Session
    from biosense.cli.simulate import DEMO_MODALITIES, source_id
    from biosense.live.run import RunSettings

    configure()
    clock = LslClock()
    loaded = load_model("demo")
    settings = RunSettings(
        seconds=seconds, record=record, participant="simulated", model_name="demo"
    )
    session = Session(clock=clock, settings=settings, loaded=loaded)
    label = f"demo-{os.getpid()}"
    with _simulator(seed, label):
        wanted = [source_id(label, modality) for modality in (*DEMO_MODALITIES, "truth")]
        sources = [LslSource(f"source_id={name}", clock=clock) for name in wanted]
        session.run(sources, headless=headless, json=json)


@contextmanager
def _simulator(seed: int, label: str) -> Iterator[None]:
    """Run the simulated participant in a process of its own, which ends when this one does."""
    command = [sys.executable, "-m", "biosense", "simulate", "--seed", str(seed)]
    command += ["--label", label, "--follow-stdin"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert process.stdin is not None
    try:
        yield
    finally:
        process.stdin.close()
        process.wait(timeout=10)
