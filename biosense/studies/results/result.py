"""What a study found, as one value: to JSON, and to tables."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from biosense.core.errors import BadInput, MissingExtra
from biosense.studies.leak_checks.outcome import LeakCheck
from biosense.studies.results.calibration_result import CalibrationTrack
from biosense.studies.results.parts import (
    Chance,
    Compared,
    Curve,
    Damage,
    FoldSize,
    Origin,
    Person,
    Point,
    Reliability,
    Row,
    SubsetScore,
    Verdict,
)
from biosense.studies.scoring.scores import jsonable

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
RESULT_FILE = "result.json"


@dataclass(frozen=True)
class StudyResult:
    """Hold everything that a study found.

    `level` is "sequence" (scores follow the time course within each sequence) or "trial" (one
    rating each; scores follow the trials); `metric` names the headline score in `METRICS`.
    `calibration` is a track of its own: no other score of a model rests on labels of test people.
    `leak_checks` have known answers, which a leak would change.
    """

    dataset: str
    title: str
    fabricated: bool
    protocol: str
    protocol_level: str
    question: str
    level: str
    metric: str
    chosen: str
    people: int
    sequences: int
    hours: float
    features: Mapping[str, int]
    seeds: tuple[int, ...]
    folds: tuple[FoldSize, ...]
    verdicts: tuple[Verdict, ...]
    results: tuple[Row, ...]
    comparisons: tuple[Compared, ...]
    subsets: tuple[SubsetScore, ...]
    robustness: tuple[Damage, ...]
    table: tuple[Person, ...]
    curves: tuple[Curve, ...]
    plane: tuple[Point, ...]
    reliability: tuple[Reliability, ...]
    chance: tuple[Chance, ...]
    origin: Origin
    notes: tuple[str, ...] = ()
    calibration: CalibrationTrack | None = None
    leak_checks: tuple[LeakCheck, ...] = ()
    format: int = FORMAT

    def row(self, name: str) -> Row:
        """Return the row of an entry."""
        for row in self.results:
            if row.name == name:
                return row
        raise BadInput(f"no result {name!r}; there are: {[row.name for row in self.results]}")

    def as_dict(self) -> dict[str, Any]:
        """Return everything by name, as JSON wants it."""
        plain: dict[str, Any] = jsonable(asdict(self))
        return plain

    def to_records(self) -> list[dict[str, Any]]:
        """Return the scores in long form, a row for each entry and target.

        Returns
        -------
        list of dict
            "entry", "kind", "target", "modalities" (joined by " + "), "judged" (whether the
            headline is about it), every score by name, the 95 % interval of CCC and RMSE over
            people ("ccc_low", ..), and "ccc_seed_sd", the standard deviation over seeds; NaN where
            there is nothing to score.
        """
        return [self._line(row, target) for row in self.results for target in row.metrics]

    def _line(self, row: Row, target: str) -> dict[str, Any]:
        scores = dict(row.metrics[target])
        for name, bounds in row.intervals[target].items():
            scores |= {f"{name}_low": bounds.low, f"{name}_high": bounds.high}
        scores["ccc_seed_sd"] = row.spread[target]
        return {
            "entry": row.name,
            "kind": row.kind,
            "target": target,
            "modalities": " + ".join(row.modalities),
            "judged": row.name == self.chosen,
            **{name: math.nan if value is None else value for name, value in scores.items()},
        }

    def to_pandas(self) -> pd.DataFrame:
        """Return `to_records` as a data frame.

        Raises
        ------
        MissingExtra
            pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise MissingExtra(
                "a data frame needs pandas, which is not installed: pip install 'biosense[tables]'"
            ) from error
        return pandas.DataFrame(self.to_records())

    def write(self, path: Path) -> None:
        """Write as JSON."""
        text = json.dumps(self.as_dict(), indent=1, allow_nan=False)
        path.write_text(text + "\n", encoding="utf-8")
