"""What commands that read data sets share: where the files are, what is kept, who is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biosense.core.errors import BadInput

if TYPE_CHECKING:
    from biosense.core.registry import Registry
    from biosense.datasets.base import Dataset
    from biosense.studies.features.source import DataSource

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
SchedulerAddress = Annotated[
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

    def source(self) -> DataSource:
        """Return what was said as a data source; wrong words are answered with the right ones."""
        from biosense.estimation.processor import ProcessorSettings
        from biosense.studies.features.extract import ExtractSettings
        from biosense.studies.features.source import DataSource

        self._check()
        extract = ExtractSettings(
            ProcessorSettings(mains_hz=self.mains),
            self.conditioning,
            video=not self.no_video,
            shuffle=self.shuffle,
            trials=self.trials,
        )
        return DataSource(
            self.name,
            self.root,
            self.fabricate,
            self.people,
            self.cache,
            not self.no_cache,
            extract,
        )

    def _check(self) -> None:
        from biosense.datasets.registry import DATASETS

        check_name(DATASETS, self.name)
        if self.fabricate and self.root is not None:
            raise typer.BadParameter("--fabricate makes its own files: leave out --root")
        if not self.fabricate and self.root is None:
            raise typer.BadParameter(
                f"--root PATH must name the folder with the files of {self.name!r}: "
                f"{DATASETS[self.name].about.access} (--fabricate tries the command without them)"
            )


def check_name(table: Registry[Any], name: str) -> None:
    """Refuse a name that is not in a table; the answer names those that are."""
    try:
        table[name]
    except BadInput as error:
        raise typer.BadParameter(str(error)) from error


@contextmanager
def opened(source: DataSource) -> Iterator[Dataset]:
    """Open a data set; of a made-up one it is said that it is."""
    warn_of_made_up(source)
    with source.open() as dataset:
        yield dataset


def warn_of_made_up(source: DataSource) -> None:
    """Say that data are made up, where they are."""
    from biosense.cli.console import console
    from biosense.studies.features.source import FABRICATED

    if source.fabricate:
        console.rule(style="bold red")
        console.print(FABRICATED, style="bold white on red", justify="center")
        console.rule(style="bold red")


def log(text: str) -> None:
    """Say a line about what takes time."""
    from biosense.cli.console import console

    console.print(text, style="dim", soft_wrap=True)


def labelled_counts(text: str | None, protocol: str) -> tuple[int, ...] | None:
    """Return the numbers of labelled videos that were asked for, and None where none were."""
    from biosense.core.errors import BadInput
    from biosense.studies.execution.calibration import Calibration
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
