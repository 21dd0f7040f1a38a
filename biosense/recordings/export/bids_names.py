"""Where BIDS wants the files of one recording."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from biosense.core.errors import BadInput

_LABEL = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True)
class BidsSettings:
    """Hold what names the files of a recording in a BIDS data set.

    Parameters
    ----------
    subject
        Label of the person: a pseudonym.
    task
        Label of what was done.
    session
        Label of the visit, empty without one.
    run
        Number of the recording among several of one task and visit, None where it is the only one.
    mains_hz
        Mains frequency, Hz, for the sidecar of the EEG; None where nobody knows.
    overwrite
        Replace files that exist.

    Raises
    ------
    BadInput
        For a label that is not of letters and digits.

    Examples
    --------
    >>> BidsSettings("P07", "films").stem()
    'sub-P07_task-films'
    >>> BidsSettings("P 07")
    Traceback (most recent call last):
    biosense.core.errors.BadInput: subject='P 07': a BIDS label has letters and digits only
    """

    subject: str
    task: str = "affect"
    session: str = ""
    run: int | None = None
    mains_hz: float | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        for name, value in (("subject", self.subject), ("task", self.task)):
            _check(name, value)
        if self.session:
            _check("session", self.session)
        if self.run is not None and self.run < 1:
            raise BadInput(f"run={self.run} must be 1 or more")

    def stem(self, acquisition: str = "") -> str:
        """Return what the names of this recording's files begin with."""
        parts = [("sub", self.subject), ("ses", self.session), ("task", self.task)]
        parts += [("acq", acquisition), ("run", "" if self.run is None else f"{self.run:02d}")]
        return "_".join(f"{key}-{value}" for key, value in parts if value)

    def folder(self, root: Path, kind: str) -> Path:
        """Return the folder of this recording's files of a kind ("eeg", "beh")."""
        person = root / f"sub-{self.subject}"
        return (person / f"ses-{self.session}" if self.session else person) / kind


def bids_label(text: str, taken: set[str] | None = None) -> str:
    """Return letters and digits of a text as a label, unlike all `taken`, and add it to them.

    >>> taken: set[str] = set()
    >>> bids_label("sim-ecg", taken), bids_label("SIM ecg", taken), bids_label("µ", taken)
    ('simecg', 'SIMecg2', 'stream')
    """
    plain = "".join(_LABEL.findall(text)) or "stream"
    known = set() if taken is None else taken
    label, copy = plain, 1
    while label.lower() in known:
        copy += 1
        label = f"{plain}{copy}"
    known.add(label.lower())
    return label


def _check(name: str, value: str) -> None:
    if not _LABEL.fullmatch(value):
        raise BadInput(f"{name}={value!r}: a BIDS label has letters and digits only")
