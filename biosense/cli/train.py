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
    people: Annotated[int, typer.Option(min=4, help="How many participants to simulate.")] = 64,
    minutes: Annotated[float, typer.Option(min=1.0, help="Length of each recording.")] = 6.0,
    model: Annotated[str, typer.Option(help="Which fusion model.")] = "cross_attention",
    epochs: Annotated[int, typer.Option(min=1, help="Most passes over the people.")] = 60,
    seed: Annotated[int, typer.Option(help="Of the people and of the training.")] = 1000,
    jobs: Annotated[int, typer.Option(help="Processes that simulate; -1 for all cores.")] = -1,
) -> None:
    """Train the demonstration model on simulated participants."""
    from biosense.cli.console import console
    from biosense.live.simulated_people import simulate_people
    from biosense.models.checkpoint import save
    from biosense.models.training import train as fit
    from biosense.processing.pipelines import fingerprints, schema

    console.print(f"simulating {people} participants, {minutes:g} min each")
    sequences = simulate_people(range(seed, seed + people), minutes * 60, jobs=jobs)
    trained = fit(model, sequences, epochs=epochs, seed=seed, progress=console.print)
    card = {
        "data": f"{people} simulated participants (seeds {seed} to {seed + people - 1})",
        "minutes each": minutes,
        "warning": WARNING,
        "command": f"biosense train simulated --people {people} --minutes {minutes:g} "
        f"--model {model} --epochs {epochs} --seed {seed} --out CKPT",
    }
    save(out, trained, schema=schema(), fingerprints=fingerprints(), card=card)
    console.print(f"saved {out}")
