"""`biosense simulate`: the simulated participant as LSL streams, for trying any LSL program."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from biosense.cli.options import SEED, Lan, Seconds, Seed
from biosense.core.types import Modality

if TYPE_CHECKING:
    from biosense.core.source import Source

DEMO_MODALITIES = (Modality.EEG, Modality.ECG, Modality.EDA, Modality.RPPG, Modality.FACE)


def source_id(label: str, modality: str) -> str:
    """Name the LSL source id of one stream of a simulated participant."""
    return f"{label}-{modality}"


def simulate(
    seed: Seed = SEED,
    seconds: Seconds = None,
    modality: Annotated[
        list[Modality] | None, typer.Option(help="Which streams; repeat. All by default.")
    ] = None,
    label: Annotated[str, typer.Option(help="Begins the source ids.")] = "simulated",
    lan: Lan = False,
    follow_stdin: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Publish a simulated participant as LSL streams, until stopped."""
    from biosense.acquisition.lsl.clock import LslClock
    from biosense.acquisition.lsl.config import configure
    from biosense.acquisition.simulated.participant import ALL_MODALITIES
    from biosense.acquisition.simulated.source import SimulatedSource
    from biosense.cli.console import console

    configure(lan=lan)
    wanted = tuple(modality or DEMO_MODALITIES)
    if unknown := set(wanted) - set(ALL_MODALITIES):
        raise typer.BadParameter(f"not simulated: {', '.join(sorted(unknown))}")
    source = SimulatedSource(seed, clock=LslClock(), modalities=wanted, seconds=seconds, truth=True)
    if not follow_stdin:
        console.print("publishing over LSL; Ctrl-C ends")
    with suppress(KeyboardInterrupt):
        asyncio.run(_publish(source, label, follow_stdin))


async def _publish(source: Source, label: str, follow_stdin: bool) -> None:
    from biosense.live.output.publisher import publish_source

    publishing = asyncio.create_task(publish_source(source, label=label))
    if not follow_stdin:
        await publishing
        return
    parent_gone = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    await asyncio.wait({publishing, parent_gone}, return_when=asyncio.FIRST_COMPLETED)
    # Leaves at once: asyncio would wait for the thread that still reads standard input.
    if parent_gone.done():
        publishing.cancel()
        with suppress(asyncio.CancelledError):
            await publishing
        return
    await publishing
    os._exit(0)
