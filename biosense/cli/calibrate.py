"""`biosense calibrate`: fit a model to one person, from a few minutes of their ratings."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import Annotated

import typer

from biosense.cli.options import Json


def calibrate(
    checkpoint: Annotated[
        str, typer.Argument(metavar="CKPT", help="A checkpoint: a file, 'default' or 'demo'.")
    ],
    recordings: Annotated[
        list[Path], typer.Argument(metavar="REC..", help="Recordings of one person, rated.")
    ],
    out: Annotated[Path, typer.Option(metavar="CKPT", help="Checkpoint to write.")],
    ratings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Ratings of the one recording: CSV with start, stop, valence, arousal.",
        ),
    ] = None,
    rated: Annotated[
        float, typer.Option(min=1.0, help="Seconds that a single rating speaks of, before it.")
    ] = 60.0,
    participant: Annotated[
        str, typer.Option(metavar="ID", help="Whose they are; as recorded by default.")
    ] = "",
    strength: Annotated[
        float, typer.Option(min=0.01, help="Minutes of ratings that weigh as much as the model.")
    ] = 10.0,
    head: Annotated[bool, typer.Option("--head", help="Also move the model's last layer.")] = False,
    mains: Annotated[
        float | None,
        typer.Option(min=45.0, max=65.0, help="Mains frequency; that of the live run by default."),
    ] = None,
    json: Json = False,
) -> None:
    """Fit a model to one person, from a few minutes of their ratings."""
    if ratings is not None and len(recordings) != 1:
        raise typer.BadParameter(f"--ratings is of one recording, got {len(recordings)}")
    from biosense.acquisition.xdf.reader import XdfReader
    from biosense.cli.console import console, print_json
    from biosense.estimation.load_model import load_model
    from biosense.estimation.rated_spans import rated_sequence, read_ratings
    from biosense.estimation.recorded_run import recorded_header, recorded_settings
    from biosense.models.deployment.checkpoint import save
    from biosense.models.evaluation.evaluate import evaluate
    from biosense.models.training.personalise import personal_card, personalise

    readers = [XdfReader(path) for path in recordings]
    spans = [] if ratings is None else read_ratings(ratings)
    loaded = load_model(checkpoint)
    sequences = []
    for reader in readers:
        settings = recorded_settings(recorded_header(reader), mains)
        sequences.append(
            rated_sequence(
                reader, loaded, settings, ratings=spans, rated_s=rated, participant=participant
            )
        )
    personal = personalise(loaded.model, sequences, strength=strength, head=head)
    info = loaded.info
    card = personal_card(info.card, sequences, info.hop)
    file = save(
        out,
        info.model,
        personal,
        features=info.features,
        fingerprints=info.fingerprints,
        card=card,
        conditioning=info.conditioning,
    )
    before, after = evaluate(loaded.model, sequences), evaluate(personal, sequences)
    moved = {name: [before[name].scores.rmse, after[name].scores.rmse] for name in after}
    if json:
        said = {"out": str(file), "person": card.person, "rmse": moved, "warning": card.warning}
        print_json(json_format.dumps(said))
        return
    for name, (was, now) in moved.items():
        console.print(f"{name}: RMSE on what was rated {was:.3f}, now {now:.3f}")
    console.print(f"saved {file}. {card.warning}")
