"""`biosense train`: fit a fusion model and save it as a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biosense.cli.study_data import (
    Cache,
    Conditioning,
    DataOptions,
    DatasetName,
    Fabricate,
    NoCache,
    NoVideo,
    Root,
    check_name,
    log,
    opened,
)

if TYPE_CHECKING:
    from biosense.models.training.train import Progress, Trained

SIMULATED = "simulated"
WARNING = (
    "A demonstration, trained on simulated participants only. It shows that the program works; "
    "it is no evidence about people and must not be used on them."
)
_SHOWN = (
    ("pooled_ccc", "CCC"),
    ("pooled_rmse", "RMSE"),
    ("coverage_90", "share in 90 % intervals"),
)


def train(
    dataset: DatasetName,
    out: Annotated[Path, typer.Option(metavar="CKPT", help="Checkpoint to write.")],
    root: Root = None,
    model: Annotated[str, typer.Option(help="Which fusion model.")] = "cross_attention",
    epochs: Annotated[int | None, typer.Option(min=1, help="Most passes over the people.")] = None,
    seed: Annotated[int, typer.Option(help="Of the training (and of simulated people).")] = 1000,
    jobs: Annotated[int, typer.Option(help="Processes for features; -1 for all cores.")] = -1,
    people: Annotated[
        int | None, typer.Option(min=4, help="How many people; 48 simulated ones by default.")
    ] = None,
    minutes: Annotated[float, typer.Option(min=1.0, help="Of each simulated person.")] = 5.0,
    modality: Annotated[
        list[str] | None, typer.Option(help="Learn from these modalities only.")
    ] = None,
    pulse_as_ecg: Annotated[
        bool, typer.Option("--pulse-as-ecg", help="Let what ECG taught hold for PPG as well.")
    ] = False,
    conditioning: Conditioning = "person",
    warning: Annotated[str, typer.Option(help="What the card warns of.")] = "",
    fabricate: Fabricate = False,
    cache: Cache = None,
    no_cache: NoCache = False,
    no_video: NoVideo = False,
    mains: Annotated[float, typer.Option(min=45.0, max=65.0, help="Mains frequency.")] = 50.0,
) -> None:
    """Fit a fusion model to a data set, or to simulated people (`biosense train simulated`)."""
    from biosense.models.registry import MODELS

    check_name(MODELS, model)
    if dataset == SIMULATED:
        _simulated(out, people or 48, minutes, model, epochs or 20, seed, jobs)
        return
    options = DataOptions(
        dataset, root, fabricate, people, cache, no_cache, no_video, mains,
        conditioning=conditioning,
    )  # fmt: skip
    _of_people(out, options, model, epochs, seed, jobs, modality or [], pulse_as_ecg, warning)


def _of_people(
    out: Path,
    options: DataOptions,
    model: str,
    epochs: int | None,
    seed: int,
    jobs: int,
    modalities: list[str],
    pulse_as_ecg: bool,
    warning: str,
) -> None:
    from dataclasses import replace

    from biosense.core.types import Modality
    from biosense.models.training.settings import STUDY
    from biosense.studies.executor import Executor
    from biosense.studies.features.source import FABRICATED
    from biosense.studies.train_final import fit_for_use

    unknown = sorted(set(modalities) - set(Modality))
    if unknown:
        raise typer.BadParameter(f"no modality {unknown}; there are: {', '.join(Modality)}")
    source = options.source()
    with opened(source) as opening:
        data = source.load(opening, Executor(jobs), log)
        about = f"{len(data.subjects)} people of {opening.about.title}; {opening.about.citation}"
    seen = "".join(f" --modality {name}" for name in modalities)
    command = (
        f"biosense train {options.name} --root PATH --model {model} --seed {seed}{seen}"
        f" --conditioning {options.conditioning}{' --pulse-as-ecg' if pulse_as_ecg else ''}"
        f" --epochs {epochs or STUDY.epochs} --out CKPT"
    )
    trained = fit_for_use(
        data,
        model,
        modalities=[Modality(name) for name in modalities],
        pulse_as_ecg=pulse_as_ecg,
        settings=replace(STUDY, seed=seed, epochs=epochs or STUDY.epochs),
        about=f"{FABRICATED} {about}" if options.fabricate else f"{about}. Made by `{command}`",
        warning=f"{FABRICATED} {warning}".strip() if options.fabricate else warning,
        progress=_tell,
    )
    _save(out, trained, options.conditioning)


def _simulated(
    out: Path, people: int, minutes: float, model: str, epochs: int, seed: int, jobs: int
) -> None:
    from biosense.cli.console import console
    from biosense.models.training.train import TrainingSettings
    from biosense.models.training.train import train as fit
    from biosense.studies.features.simulated import simulate_people

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
        progress=_tell,
    )
    _save(out, trained, "person")


def _tell(now: Progress) -> None:
    from biosense.cli.console import console

    console.print(
        f"epoch {now.epoch} of {now.epochs}: CCC {now.validation_ccc:.3f} on unseen "
        f"participants, at most {now.seconds_left:.0f} s left"
    )


def _save(out: Path, trained: Trained, conditioning: str) -> None:
    from biosense.cli.console import console
    from biosense.models.deployment.checkpoint import save
    from biosense.processing.conditioning import conditioned_fingerprints, conditioned_schema

    save(
        out,
        trained.name,
        trained.model,
        features=conditioned_schema(conditioning),
        fingerprints=conditioned_fingerprints(conditioning),
        card=trained.card,
        conditioning=conditioning,
    )
    console.print(f"saved {out}; on unseen participants, all steps together:")
    for target, found in trained.card.metrics.items():
        known = ((name, found.get(key)) for key, name in _SHOWN)
        shown = ", ".join(f"{name} {value:.2f}" for name, value in known if value is not None)
        console.print(f"  {target}: {shown}")
