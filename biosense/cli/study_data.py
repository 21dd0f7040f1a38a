"""What commands that read data sets share: where the files are, what is kept, who is told."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from biosense.datasets.base import Dataset
    from biosense.studies.base import StudyData
    from biosense.studies.engine import Engine

DatasetName = Annotated[
    str, typer.Argument(metavar="DATASET", help="Which one: `biosense datasets` lists them.")
]
Root = Annotated[Path | None, typer.Option(metavar="PATH", help="Folder with its files.")]
Fabricate = Annotated[
    bool,
    typer.Option("--fabricate", help="Make up a miniature and use that: tries the program."),
]
People = Annotated[
    int | None, typer.Option(min=1, help="So many people only; how many are made up (6).")
]
Jobs = Annotated[int, typer.Option(help="Processes on this computer; -1 for all cores.")]
EngineAddress = Annotated[
    str, typer.Option("--engine", metavar="ADDRESS", help="A dask scheduler, or 'local'.")
]
Cache = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Where features are kept; by default the user's.")
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Keep no features, and use none.")]
Conditioning = Annotated[
    str,
    typer.Option(help="What is done to features: 'person' or 'context'."),
]
Calibrate = Annotated[
    str | None,
    typer.Option(
        metavar="1,2,3",
        help="First videos of each test person that are labelled, to calibrate to them; 0: none. "
        "Under 'subject' 1,2,3 where people have enough.",
    ),
]
NoVideo = Annotated[bool, typer.Option("--no-video", help="Leave films of faces alone.")]

FABRICATED = "FABRICATED DATA: made up to try the program. No number says anything about people."
_PEOPLE = 6  # of a miniature: enough for folds, few enough to wait for


@dataclass(frozen=True)
class DataOptions:
    """Hold what was said on the command line about the data."""

    name: str
    root: Path | None
    fabricate: bool
    people: int | None
    cache: Path | None
    no_cache: bool
    no_video: bool
    mains: float = 50.0
    shuffle: int | None = None
    trials: int | None = None
    conditioning: str = "person"


@contextmanager
def opened(options: DataOptions) -> Iterator[Dataset]:
    """Open a data set, or a made-up miniature of it that is gone afterwards."""
    from biosense.cli.console import console
    from biosense.datasets.registry import DATASETS

    if options.name not in DATASETS:
        known = ", ".join(sorted(DATASETS))
        raise typer.BadParameter(f"no data set {options.name!r}; there are: {known}")
    kind = DATASETS[options.name]
    if options.fabricate and options.root is not None:
        raise typer.BadParameter("--fabricate makes its own files: leave out --root")
    if not options.fabricate:
        if options.root is None:
            raise typer.BadParameter(
                f"--root PATH must name the folder with the files of {options.name!r}: "
                f"{kind.about.access} (--fabricate tries the command without them)"
            )
        yield kind.open(options.root)
        return
    console.rule(style="bold red")
    console.print(FABRICATED, style="bold white on red", justify="center")
    console.rule(style="bold red")
    with tempfile.TemporaryDirectory(prefix="biosense-") as folder:
        kind.fabricate(Path(folder), options.people or _PEOPLE, 0)
        yield kind.open(Path(folder))


def loaded(dataset: Dataset, options: DataOptions, engine: Engine) -> StudyData:
    """Return the features of a data set, and tell how they came about."""
    from biosense.cli.console import console
    from biosense.estimation.processor import ProcessorSettings
    from biosense.studies.features.cache import FeatureCache, default_folder
    from biosense.studies.features.extract import ExtractSettings
    from biosense.studies.features.load import LoadSettings, load_study

    # What was made up is not worth keeping, unless somebody asks for it.
    keeps = not options.no_cache and not (options.fabricate and options.cache is None)
    extract = ExtractSettings(
        ProcessorSettings(mains_hz=options.mains),
        options.conditioning,
        video=not options.no_video,
        shuffle=options.shuffle,
        trials=options.trials,
    )
    people = tuple(dataset.subjects[: options.people]) if options.people else ()
    settings = LoadSettings(
        extract,
        FeatureCache(options.cache or default_folder()) if keeps else None,
        engine,
        people,
    )
    return load_study(
        dataset,
        settings,
        say=lambda text: console.print(text, style="dim", soft_wrap=True),
    )


def labelled_counts(text: str | None, protocol: str) -> tuple[int, ...] | None:
    """Return the numbers of labelled videos that were asked for, and None where none were."""
    from biosense.core.errors import BadInput
    from biosense.studies.calibration import Calibration
    from biosense.studies.splits.protocols import PROTOCOLS

    if text is None:
        return None
    try:
        counts = tuple(int(each) for each in text.split(","))
        if counts == (0,):
            return ()
        Calibration(counts)
    except (ValueError, BadInput) as error:
        raise typer.BadParameter(
            f"--calibrate {text}: wanted rising numbers of videos such as 1,2,3, or 0"
        ) from error
    if not PROTOCOLS[protocol].subjects:
        raise typer.BadParameter(f"--calibrate: {protocol!r} holds out no people to calibrate to")
    return counts
