"""What a run is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from biosense.live.processor import ProcessorSettings


@dataclass(frozen=True)
class RunSettings:
    """Hold what a run is asked to do.

    Parameters
    ----------
    seconds
        Length of the run; None runs until stopped or until every source has ended.
    record
        Folder in which the recording's own folder is made; None records nothing.
    participant
        Pseudonym, part of the recording's name.
    features
        Publish, and record, the plain features of each modality.
    model_name
        What the checkpoint was called on the command line, for the recording's header.
    processor
        What changes the numbers.
    """

    seconds: float | None = None
    record: Path | None = None
    participant: str = ""
    features: bool = False
    model_name: str = ""
    processor: ProcessorSettings = field(default_factory=ProcessorSettings)
