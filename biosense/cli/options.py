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
    str, typer.Option(metavar="CKPT", help="Checkpoint: a file, or 'default' or 'demo'.")
]
Mains = Annotated[
    float, typer.Option(min=45.0, max=65.0, help="Mains frequency, 50 or 60 Hz; never guessed.")
]
Seed = Annotated[int, typer.Option(min=0, help="Who is simulated.")]
Record = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Record into a new folder under this one.")
]
RecordingPath = Annotated[
    Path, typer.Argument(metavar="REC", help="A recording folder, or an .xdf file.")
]
Features = Annotated[
    bool, typer.Option(help="Publish over LSL, and record, the features of each modality.")
]
