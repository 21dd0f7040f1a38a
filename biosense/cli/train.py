"""`biosense train`: fit a fusion model and save it as a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Fit a fusion model and save it as a checkpoint.")

WARNING = (
    "A demonstration, trained on simulated participants only. It shows that the program works; "
    "it is no evidence about people and must not be used on them."
)


@app.callback()
def train() -> None:
    """Fit a fusion model and save it as a checkpoint."""


@app.command("simulated")
def simulated(
    out: Annotated[Path, typer.Option(metavar="CKPT", help="Checkpoint to write.")],
    people: Annotated[int, typer.Option(min=4, help="How many participants to simulate.")] = 48,
    minutes: Annotated[float, typer.Option(min=1.0, help="Length of each recording.")] = 5.0,
    model: Annotated[str, typer.Option(help="Which fusion model.")] = "cross_attention",
    epochs: Annotated[int, typer.Option(min=1, help="Most passes over the people.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the people and of the training.")] = 1000,
    jobs: Annotated[int, typer.Option(help="Processes that simulate; -1 for all cores.")] = -1,
) -> None:
    """Train the demonstration model on simulated participants."""
    from biosense.cli.console import console
    from biosense.live.simulated_people import simulate_people
    from biosense.models.checkpoint import save
    from biosense.models.registry import MODELS
    from biosense.models.training import TrainingSettings
    from biosense.models.training import train as fit
    from biosense.processing.pipelines import fingerprints, schema

    if model not in MODELS:
        raise typer.BadParameter(f"no model {model!r}; there are: {', '.join(sorted(MODELS))}")
    console.print(f"simulating {people} participants, {minutes:g} min each")
    sequences = simulate_people(range(seed, seed + people), minutes * 60, jobs=jobs)
    command = (
        f"biosense train simulated --people {people} --minutes {minutes:g} --model {model} "
        f"--epochs {epochs} --seed {seed} --out CKPT"
    )
    trained = fit(
        model,
        sequences,
        settings=TrainingSettings(epochs=epochs, seed=seed),
        data=f"{people} simulated participants, {minutes:g} min each; made by `{command}`",
        warning=WARNING,
        progress=lambda now: console.print(
            f"epoch {now.epoch} of {now.epochs}: CCC {now.validation_ccc:.3f} on unseen "
            f"participants, at most {now.seconds_left:.0f} s left"
        ),
    )
    save(
        out,
        trained.name,
        trained.model,
        features=schema(),
        fingerprints=fingerprints(),
        card=trained.card,
    )
    console.print(f"saved {out}; on unseen participants: {trained.card.metrics}")
