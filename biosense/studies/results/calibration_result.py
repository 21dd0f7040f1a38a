"""What labelled videos of a new person are worth, as values: a track of its own in every result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from biosense.studies.base import Bounds

GENERAL = "general"
PERSONAL = "fitted to the person"
OFFSET = "offset of the person"
OWN_MEAN = "mean of their ratings"


@dataclass(frozen=True)
class CalibratedRow:
    """Hold what one way of using `labelled` videos of a person reaches on the videos after them.

    Parameters
    ----------
    way
        `GENERAL`: the model for everybody, which uses none. `PERSONAL`: offset and gain, by
        `personalise`. `OFFSET`: the shrunk offset alone. `OWN_MEAN`: one constant for the person,
        without physiology.
    labelled
        Number of videos; 0 for `GENERAL`.
    target
        "valence" or "arousal".
    ccc, rmse
        Over all people's steps together (over trials, where each has one rating).
    gain, rmse_change
        Against `GENERAL` on the same sequences, paired by person; None for itself.
    p, p_holm
        Of the gain in CCC, for `PERSONAL` only: sign-flip permutation over people, adjusted for
        all numbers of videos and both targets.
    over
        CCC minus that of `OFFSET` and of `OWN_MEAN` with the same videos, for `PERSONAL` only.
    """

    way: str
    labelled: int
    target: str
    ccc: Bounds
    rmse: Bounds
    gain: Bounds | None = None
    rmse_change: Bounds | None = None
    p: float | None = None
    p_holm: float | None = None
    over: Mapping[str, Bounds] = field(default_factory=dict)

    @property
    def gains(self) -> bool:
        """True where the interval excludes no gain and the adjusted p is at most 0.05."""
        low = None if self.gain is None else self.gain.low
        return low is not None and low > 0 and self.p_holm is not None and self.p_holm <= 0.05

    @property
    def costs(self) -> bool:
        """True where it is worse, by the same rule."""
        high = None if self.gain is None else self.gain.high
        return high is not None and high < 0 and self.p_holm is not None and self.p_holm <= 0.05


@dataclass(frozen=True)
class CalibrationTrack:
    """Hold the calibration track of a study.

    Parameters
    ----------
    counts
        Numbers of labelled videos.
    strength_min
        Minutes of ratings that weigh as much as the model for everybody; fixed beforehand.
    people, left_out
        Those who were scored, and those who had too few videos.
    sequences
        That every row was scored on: those behind the last labelled video of each person.
    """

    counts: tuple[int, ...]
    strength_min: float
    people: int
    left_out: int
    sequences: int
    rows: tuple[CalibratedRow, ...]

    def row(self, way: str, labelled: int, target: str) -> CalibratedRow:
        """Return one row."""
        wanted = (way, labelled, target)
        return next(r for r in self.rows if (r.way, r.labelled, r.target) == wanted)
