"""What 1, 2 and 3 labelled films of a new person gain on CASE.

Usage: python -m benchmarks.models.case_personal DATA/case [--families ridge,gated] [--seeds 3]

DATA/case holds the derived series of CASE (`biosense datasets`). Held out are people, five folds;
each fit is then fitted to each test person with their first videos, and scored on the videos after
the third. Gains are paired by person, with BCa intervals over people and sign-flip p values after
Holm. Ridge takes a minute or two on one core, behind the features, which --cache keeps.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from benchmarks.figures import Figure, tell
from biosense.datasets.registry import DATASETS
from biosense.models.training.settings import STUDY
from biosense.studies.base import Bounds, StudyData
from biosense.studies.candidates.families import FamilyCandidate
from biosense.studies.execution.calibration import Calibration
from biosense.studies.execution.plan import Entry, Kind, Plan, Split
from biosense.studies.features.cache import FeatureCache
from biosense.studies.features.extract import ExtractSettings
from biosense.studies.features.load import LoadSettings, load_study
from biosense.studies.results.calibration_result import GENERAL, OWN_MEAN, PERSONAL, CalibratedRow
from biosense.studies.results.result import StudyResult
from biosense.studies.run import run_study


def studied(data: StudyData, family: str, seeds: int) -> StudyResult:
    """Run one family under the protocol "subject", with nothing but the calibration track."""
    own = tuple(range(1 if family == "ridge" else seeds))  # ridge is the same with every seed
    entry = Entry(
        Kind.MODEL, family, FamilyCandidate(family, STUDY), own, calibration=Calibration()
    )
    return run_study(data, Plan(Split("subject"), (entry,), family))


def told(result: StudyResult) -> None:
    """Print the track."""
    track = result.calibration
    if track is None:
        print(*result.notes, sep="\n")
        return
    print(
        f"{track.people} people, {track.left_out} left out, {track.sequences} videos scored, "
        f"strength {track.strength_min:g} min"
    )
    heads = ("", "k", "CCC", "RMSE", "gain in CCC", "p Holm", "change in RMSE", "over own mean")
    print("{:8s} {:22s} {} {:>6s} {:>6s}  {:24s} {:7s} {:24s} {}".format("target", *heads))
    for row in sorted(track.rows, key=lambda row: (row.target, row.labelled)):
        print(line(row))


def line(row: CalibratedRow) -> str:
    """Return a row as text."""
    p = "" if row.p_holm is None else f"{row.p_holm:.3f}"
    over = between(row.over[OWN_MEAN]) if row.way == PERSONAL else ""
    gain, change = ("", "") if row.way == GENERAL else (between(row.gain), between(row.rmse_change))
    return (
        f"{row.target:8s} {row.way:22s} {row.labelled} {row.ccc.value:6.3f} {row.rmse.value:6.3f}"
        f"  {gain:24s} {p:7s} {change:24s} {over}"
    )


def between(bounds: Bounds | None) -> str:
    """Return a difference with its interval."""
    if bounds is None or bounds.low is None:
        return "-"
    return f"{bounds.value:+.3f} [{bounds.low:+.3f}, {bounds.high:+.3f}]"


def gains(family: str, result: StudyResult) -> list[Figure]:
    """Return what three labelled films change, for each target."""
    track = result.calibration
    return [
        Figure(
            f"CASE, {family}: CCC gained by 3 labelled films, {row.target}",
            row.gain.value,
            more_is_better=True,
        )
        for row in (track.rows if track else ())
        if row.way == PERSONAL and row.labelled == 3 and row.gain is not None
    ]


def main() -> None:
    """Load, run each family, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--families", default="ridge,gated")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--people", type=int, default=24)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    cache = FeatureCache(asked.cache) if asked.cache else None
    dataset = DATASETS["case_derived"].open(asked.root)
    people = tuple(dataset.subjects[: asked.people])
    settings = LoadSettings(ExtractSettings(conditioning="context"), cache, subjects=people)
    data = load_study(dataset, settings, log=print)
    figures: list[Figure] = []
    for family in asked.families.split(","):
        began = time.monotonic()
        result = studied(data, family, asked.seeds)
        print(f"\n{family}, {time.monotonic() - began:.0f} s")
        told(result)
        print(*(v.text for v in result.verdicts if "labelled" in v.text), sep="\n")
        figures += gains(family, result)
    tell(*figures)


if __name__ == "__main__":
    main()
