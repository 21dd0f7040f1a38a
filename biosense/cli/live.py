"""`biosense live`: sensors in, recording and estimates out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from biosense.cli.options import Features, Headless, Json, Lan, Mains, Model, Record, Seconds, Seed
from biosense.core.errors import BadInput

if TYPE_CHECKING:
    from biosense.cli.session import Session
    from biosense.core.clock import Clock
    from biosense.core.source import Source


def live(
    lsl: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="An LSL stream by name, source id or key=value; repeat."),
    ] = None,
    camera: Annotated[
        str | None, typer.Option(metavar="INDEX|FILE|URL", help="A camera, video file or URL.")
    ] = None,
    simulate: Annotated[bool, typer.Option(help="Add the simulated participant.")] = False,
    seed: Seed = 1,
    model: Model = "default",
    no_model: Annotated[bool, typer.Option(help="Record and show, estimate nothing.")] = False,
    record: Record = None,
    participant: Annotated[str, typer.Option(metavar="ID", help="Pseudonym.")] = "",
    features: Features = False,
    mains: Mains = 50.0,
    seconds: Seconds = None,
    headless: Headless = False,
    lan: Lan = False,
    json: Json = False,
) -> None:
    """Record sensors and estimate valence and arousal, live."""
    if not (lsl or camera or simulate):
        raise typer.BadParameter(
            "name at least one stream: --lsl NAME, --camera INDEX or --simulate "
            "(`biosense devices` lists what is within reach)"
        )
    if participant:
        _check_pseudonym(participant)
    # Heavy libraries are loaded here, so that --help and mistakes answer at once.
    from biosense.acquisition.lsl.clock import LslClock
    from biosense.acquisition.lsl.config import configure
    from biosense.cli.session import Session
    from biosense.live.model import load_model
    from biosense.live.processor import ProcessorSettings
    from biosense.live.settings import RunSettings

    configure(lan=lan)
    clock = LslClock()
    settings = RunSettings(
        seconds=seconds,
        record=record,
        participant=participant,
        features=features,
        model_name="" if no_model else model,
        processor=ProcessorSettings(mains_hz=mains),
    )
    loaded = None if no_model else load_model(model)
    session = Session(clock=clock, settings=settings, loaded=loaded)
    over_lsl, own = _sources(lsl or [], camera, seed if simulate else None, session, clock)
    session.run([*over_lsl, *own], republish=own, headless=headless, json=json)


def _check_pseudonym(participant: str) -> None:
    from biosense.acquisition.xdf.folder import check_participant

    try:
        check_participant(participant)
    except BadInput as error:
        raise typer.BadParameter(str(error)) from error


def _sources(
    lsl: list[str], camera: str | None, seed: int | None, session: Session, clock: Clock
) -> tuple[list[Source], list[Source]]:
    """Return the sources that come over LSL, and those that the run itself publishes there."""
    from biosense.acquisition.lsl.source import LslSource

    own: list[Source] = []
    if camera is not None:
        from biosense.acquisition.camera.preview import Preview
        from biosense.acquisition.camera.source import CameraSource

        own.append(CameraSource(camera, clock=clock, on_frame=Preview(session.preview)))
    if seed is not None:
        from biosense.acquisition.simulated.source import SimulatedSource

        own.append(SimulatedSource(seed, clock=clock))
    return [LslSource(name, clock=clock) for name in lsl], own
