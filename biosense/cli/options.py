"""Options that several commands share, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Seconds = Annotated[float | None, typer.Option(min=0.1, help="Stop after this long.")]
Headless = Annotated[bool, typer.Option(help="Open no window.")]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object as the last line of standard output.")
]
Lan = Annotated[
    bool, typer.Option(help="Look beyond this computer: LSL streams of the lab's network.")
]
Model = Annotated[
    str | None,
    typer.Option(metavar="CKPT", help="Checkpoint: a file, or 'demo'; 'default' by default."),
]
Mains = Annotated[
    float | None,
    typer.Option(min=45.0, max=65.0, help="Mains frequency, 50 (default) or 60 Hz; never guessed."),
]
Seed = Annotated[int, typer.Option(min=0, help="Who is simulated.")]
SEED = 5  # keeps the head still enough for a camera pulse most of the time, as a participant would
Record = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Record into a new folder under this one.")
]
RecordingPath = Annotated[
    Path, typer.Argument(metavar="REC", help="A recording folder, or an .xdf file.")
]
Features = Annotated[
    bool | None, typer.Option(help="Publish over LSL, and record, the features of each modality.")
]
PresetFile = Annotated[
    Path | None,
    typer.Option("--preset", metavar="FILE", help="Streams and settings in a file (TOML)."),
]
Preflight = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        max=600.0,
        metavar="SECONDS",
        help="Look at the signals this long before the run; 0 does not. 5 where it records.",
    ),
]
