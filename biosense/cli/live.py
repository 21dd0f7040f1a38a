"""`biosense live`: sensors in, recording and estimates out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biosense.cli.options import (
    SEED,
    Features,
    Headless,
    Json,
    Lan,
    Mains,
    Model,
    Preflight,
    PresetFile,
    Record,
    Seconds,
    Seed,
)
from biosense.core.errors import BadInput

if TYPE_CHECKING:
    from biosense.live.config.run_settings import RunSettings
    from biosense.models.deployment.checkpoint import Loaded


def live(
    preset: PresetFile = None,
    lsl: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="An LSL stream by name, source id or key=value; repeat."),
    ] = None,
    ble: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME|ADDRESS", help="A Bluetooth sensor; repeat."),
    ] = None,
    camera: Annotated[
        str | None, typer.Option(metavar="INDEX|FILE|URL", help="A camera, video file or URL.")
    ] = None,
    face_model: Annotated[
        Path | None,
        typer.Option(metavar="FILE.task", help="A Face Landmarker model: adds blendshapes."),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME[:ARG]", help="A source that a plug-in brings; repeat."),
    ] = None,
    simulate: Annotated[bool, typer.Option(help="Add the simulated participant.")] = False,
    seed: Seed = SEED,
    model: Model = None,
    no_model: Annotated[
        bool, typer.Option("--no-model", help="Record and show, estimate nothing.")
    ] = False,
    record: Record = None,
    participant: Annotated[str, typer.Option(metavar="ID", help="Pseudonym.")] = "",
    features: Features = None,
    mains: Mains = None,
    preflight: Preflight = None,
    seconds: Seconds = None,
    headless: Headless = False,
    lan: Lan = False,
    json: Json = False,
) -> None:
    """Record sensors and estimate valence and arousal, live.

    Streams named here are required; those of a preset as it says. Options go before the preset.
    """
    from biosense.live.config.make_sources import make_sources, wanted_streams, with_face_model
    from biosense.live.config.preset import Preset, load_preset

    given = Preset() if preset is None else load_preset(preset)
    seeds = seed if simulate else None
    streams = wanted_streams(given, lsl or [], ble or [], camera, seeds, source or [])
    if not streams:
        raise typer.BadParameter(
            "name at least one stream: --lsl NAME, --ble NAME, --camera INDEX, --simulate or a "
            "--preset FILE that does (`biosense devices` lists what is within reach)"
        )
    streams = with_face_model(streams, face_model)
    if participant:
        _check_pseudonym(participant)
    # Heavy libraries are loaded here, so that --help and mistakes answer at once.
    from biosense.acquisition.lsl.clock import LslClock
    from biosense.acquisition.lsl.config import configure
    from biosense.cli.session import Session
    from biosense.live.config.run_settings import RunOptions, run_settings

    configure(lan=lan or given.run.lan)
    options = RunOptions(
        "" if no_model else model, record, participant, features, mains, preflight, seconds
    )
    settings, clock = run_settings(given, options), LslClock()
    loaded = _load(settings) if settings.model_name else None
    session = Session(clock=clock, settings=settings, loaded=loaded)
    sources = make_sources(streams, clock=clock, preview=session.preview)
    session.run(
        sources.all,
        republish=sources.own,
        optional=sources.optional,
        headless=headless,
        json=json,
    )


def _load(settings: RunSettings) -> Loaded:
    """Load the model, and say what speaks against it for this participant."""
    from biosense.cli.console import say_warning
    from biosense.estimation.load_model import load_model
    from biosense.estimation.rated_spans import caution

    loaded = load_model(settings.model_name)
    if problem := caution(loaded.info.card, settings.participant):
        say_warning(problem)
    return loaded


def _check_pseudonym(participant: str) -> None:
    from biosense.acquisition.xdf.recording_folder import check_participant

    try:
        check_participant(participant)
    except BadInput as error:
        raise typer.BadParameter(str(error)) from error
