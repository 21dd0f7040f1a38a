"""`biosense demo`: the main job on a simulated participant, over real LSL."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from biosense.cli.options import SEED, Headless, Json, Record, Seconds, Seed
from biosense.cli.simulate import DEMO_MODALITIES, source_id
from biosense.core.errors import MissingExtra

_START_S = 20.0  # a slow computer needs this long to start Python once more
_END_S = 10.0
_NEEDED = {"torch": "torch", "NeuroKit2": "neurokit2"}


def demo(
    seconds: Seconds = None,
    headless: Headless = False,
    record: Record = None,
    seed: Seed = SEED,
    json: Json = False,
) -> None:
    """Show everything on a simulated participant, whose streams come over real LSL."""
    _check_installed()
    label = f"demo-{os.getpid()}"
    with _simulator(seed, label):
        _run(label, seconds, record, headless=headless, json=json)


def _check_installed() -> None:
    """Say at once, and in one line, what a bare installation lacks."""
    if missing := [name for name, module in _NEEDED.items() if find_spec(module) is None]:
        raise MissingExtra(
            f"the demo needs {' and '.join(missing)}: pip install 'biosense[demo]', or without "
            "installing it: pipx run --spec 'biosense[demo]' biosense demo"
        )


def _run(
    label: str, seconds: float | None, record: Path | None, *, headless: bool, json: bool
) -> None:
    # Loaded while the other process starts.
    from biosense.acquisition.lsl.clock import LslClock
    from biosense.acquisition.lsl.config import configure
    from biosense.acquisition.lsl.poller import Poller
    from biosense.acquisition.lsl.source import LslSource
    from biosense.cli.session import Session
    from biosense.estimation.load_model import load_model
    from biosense.live.config.run_settings import RunSettings

    configure()
    clock, poller = LslClock(), Poller()
    settings = RunSettings(
        seconds=seconds, record=record, participant="simulated", model_name="demo"
    )
    session = Session(clock=clock, settings=settings, loaded=load_model("demo"))
    wanted = [source_id(label, modality) for modality in (*DEMO_MODALITIES, "truth")]
    sources = [
        LslSource(f"source_id={name}", clock=clock, timeout=_START_S, poller=poller)
        for name in wanted
    ]
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
        try:
            process.wait(timeout=_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
