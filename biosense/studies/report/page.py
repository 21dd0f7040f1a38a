"""What the page is filled with, and the writing of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from biosense.core.affect import TARGETS
from biosense.studies.base import Bounds
from biosense.studies.execution.plan import Kind
from biosense.studies.leak_checks.outcome import LeakCheck
from biosense.studies.leak_checks.random_ratings import DRAWS
from biosense.studies.report.draw_calibration import draw_calibration, videos
from biosense.studies.report.draw_modalities import draw_damages, draw_subsets
from biosense.studies.report.draw_scores import (
    COLOURS,
    draw_differences,
    draw_entries,
    draw_people,
    short,
)
from biosense.studies.report.draw_sequences import draw_curve, draw_plane, draw_reliability
from biosense.studies.results.calibration_result import CalibratedRow, CalibrationTrack
from biosense.studies.results.parts import Compared, Row
from biosense.studies.results.result import StudyResult
from biosense.studies.results.verdicts import best_single, ccc_of, number
from biosense.viz.page import check_page, fill_page
from biosense.viz.palette import DARK, FABRICATED, LIGHT
from biosense.viz.svg import figure_style, svg_of, variables

_TEMPLATE = Path(__file__).with_name("study.html.j2")
MARKS = {"good": "●", "bad": "▲", "plain": "■"}
_LEVELS = {
    "sequence": "CCC follows the time course within each sequence: the mean over a person's "
    "sequences, then over people. Knowing only each sequence's level scores 0.",
    "trial": "Each trial has one rating and counts once: CCC is over all trials together.",
    "pooled": "CCC is over all steps of everybody together: it rewards knowing the level of a "
    "sequence, which a table of stimuli knows best.",
}
_METRICS = (
    ("ccc", "CCC", 2),
    ("pearson", "Pearson", 2),
    ("rmse", "RMSE", 3),
    ("pooled_ccc", "pooled CCC", 2),
    ("macro_f1", "macro F1", 2),
    ("balanced_accuracy", "bal. acc.", 2),
)


@dataclass(frozen=True)
class Tile:
    """Hold the number that a target comes down to, and what stands beside it."""

    target: str
    value: str
    between: str
    asides: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Line:
    """Hold a line of a table: its colour, its words, and whether it is the chosen one."""

    colour: str
    cells: tuple[str, ...]
    about: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Shown:
    """Hold a figure with its caption."""

    drawn: str
    caption: str = ""


@dataclass(frozen=True)
class Content:
    """Hold everything that the page says."""

    result: StudyResult
    tiles: tuple[Tile, ...]
    level: str
    facts: tuple[tuple[str, str], ...]
    verdicts: tuple[tuple[str, str, str], ...]
    entries: str
    differences: str
    tables: tuple[tuple[str, tuple[Line, ...]], ...]
    comparisons: tuple[Line, ...]
    people: str
    curves: tuple[Shown, ...]
    plane: str
    reliability: str
    subsets: str
    damages: str
    cold: tuple[Line, ...]
    calibration: str
    calibrated: tuple[tuple[str, tuple[Line, ...]], ...]
    leak_checks: tuple[tuple[str, tuple[str, ...]], ...]
    draws: int
    headings: tuple[str, ...]
    light: str = variables(LIGHT)
    dark: str = variables(DARK)
    stripes: tuple[str, str] = FABRICATED


def write_study_report(result: StudyResult, out: Path) -> None:
    """Write one HTML file that shows a study; it needs no other file and no network.

    Raises
    ------
    BadInput
        If `out` cannot be a file.
    """
    check_page(out)
    out.write_text(render(content_of(result)), encoding="utf-8")


def render(content: Content) -> str:
    """Fill the page."""
    return fill_page(_TEMPLATE, page=content, result=content.result)


def content_of(result: StudyResult) -> Content:
    """Put the page together and draw its figures."""
    track = result.calibration
    with figure_style():
        reliability = draw_reliability(result)
        return Content(
            result=result,
            tiles=tuple(_tile(result, target) for target in TARGETS),
            level=_LEVELS[result.level],
            facts=_facts(result),
            verdicts=tuple((each.tone, MARKS[each.tone], each.text) for each in result.verdicts),
            entries=svg_of(draw_entries(result), "scores of all entries"),
            differences=svg_of(draw_differences(result), "differences to all rivals"),
            tables=tuple((target, _lines(result, target)) for target in TARGETS),
            comparisons=_compared(result),
            people=svg_of(draw_people(result), "scores of each person"),
            curves=_curves(result),
            plane=svg_of(draw_plane(result), "plane of valence and arousal"),
            reliability=""
            if reliability is None
            else svg_of(reliability, "claimed and reached coverage"),
            subsets=svg_of(draw_subsets(result), "subsets") if result.subsets else "",
            damages=svg_of(draw_damages(result), "failing modalities") if result.robustness else "",
            cold=_cold(result),
            calibration="" if track is None else svg_of(draw_calibration(track), "calibration"),
            calibrated=() if track is None else tuple((t, _calibrated(track, t)) for t in TARGETS),
            leak_checks=tuple(_leak_check(each) for each in result.leak_checks),
            draws=DRAWS,
            headings=tuple(title for _, title, _ in _METRICS),
        )


def _tile(result: StudyResult, target: str) -> Tile:
    row = result.row(result.chosen)
    bounds = row.intervals[target]["ccc"]
    asides = []
    single = best_single(result, target)
    if single is not None:
        value = number(single.metrics[target]["ccc"])
        asides.append((f"best single modality, {single.modalities[0]}", value))
    controls = [each for each in result.results if each.kind == Kind.CONTROL]
    best = max(controls, key=lambda each: ccc_of(each, target), default=None)
    if best is not None:
        asides.append((f"best control, {best.name}", number(best.metrics[target]["ccc"])))
    spread = row.spread[target]
    if spread is not None:
        asides.append(("SD over seeds", number(spread, digits=3)))
    return Tile(target, number(bounds.value), between(bounds), tuple(asides))


def between(bounds: Bounds, *, sign: bool = False) -> str:
    """Return the interval of a value in words.

    >>> between(Bounds(0.5, 0.4, 0.6)), between(Bounds(0.5))
    ('0.40 to 0.60', 'no interval')
    """
    if bounds.low is None or bounds.high is None:
        return "no interval"
    return f"{number(bounds.low, sign=sign)} to {number(bounds.high, sign=sign)}"


def _facts(result: StudyResult) -> tuple[tuple[str, str], ...]:
    features = sum(result.features.values())
    return (
        ("held out", f"{result.protocol_level} {result.protocol}"),
        ("people", str(result.people)),
        ("sequences", f"{result.sequences}, {result.hours:.1f} h"),
        ("modalities", f"{len(result.features)}, {features} features"),
        ("folds", str(len(result.folds))),
        ("seeds", str(len(result.seeds))),
    )


def _lines(result: StudyResult, target: str) -> tuple[Line, ...]:
    ranked = sorted(result.results, key=lambda row: -ccc_of(row, target))
    return tuple(_line(row, target, row.name == result.chosen) for row in ranked)


def _line(row: Row, target: str, strong: bool) -> Line:
    values = row.metrics[target]
    numbers = tuple(number(values.get(name), digits=digits) for name, _, digits in _METRICS)
    spread = row.spread[target]
    cells = (
        short(row.name),
        numbers[0],
        between(row.intervals[target]["ccc"]),
        *numbers[1:],
        "" if spread is None else number(spread, digits=3),
    )
    return Line(COLOURS[row.kind], cells, row.about, strong)


def _compared(result: StudyResult) -> tuple[Line, ...]:
    by_place = {(each.against, each.target): each for each in result.comparisons}
    rivals = dict.fromkeys(each.against for each in result.comparisons)
    return tuple(
        Line(
            COLOURS[by_place[name, TARGETS[0]].kind],
            (
                short(name),
                *(cell for target in TARGETS for cell in _cells(by_place[name, target])),
            ),
        )
        for name in rivals
    )


def _cells(compared: Compared) -> Sequence[str]:
    difference = compared.difference
    said = f"{number(difference.value, sign=True)} ({between(difference, sign=True)})"
    return said, _p(compared.p), _p(compared.p_holm)


def _p(value: float | None) -> str:
    if value is None:
        return "-"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _curves(result: StudyResult) -> tuple[Shown, ...]:
    return tuple(
        Shown(
            svg_of(draw_curve(curve), f"{curve.subject}, {curve.stimulus}"),
            f"{curve.subject}, {curve.stimulus or 'the whole recording'}: "
            f"{curve.why} of all people by score, and of this person the sequence in the middle",
        )
        for curve in result.curves
    )


def _leak_check(check: LeakCheck) -> tuple[str, tuple[str, ...]]:
    tone = "good" if check.passed else "bad"
    numbers = (number(value, digits=3) for value in (check.value, check.limit))
    return tone, (check.text, *numbers, f"{MARKS[tone]} {'passed' if check.passed else 'failed'}")


def _cold(result: StudyResult) -> tuple[Line, ...]:
    metrics = result.row(result.chosen).metrics
    return tuple(
        Line(
            target,
            (target, *(number(metrics[target][f"{part}_ccc"]) for part in ("first", "later"))),
        )
        for target in TARGETS
    )


def _calibrated(track: CalibrationTrack, target: str) -> tuple[Line, ...]:
    own = [row for row in track.rows if row.target == target]
    ordered = sorted(own, key=lambda row: row.labelled)  # stable: ways keep their order
    return tuple(Line(target, _calibrated_cells(row), strong=row.gains) for row in ordered)


def _calibrated_cells(row: CalibratedRow) -> tuple[str, ...]:
    used = f", {videos(row.labelled)}" if row.labelled else ""
    scores = (number(row.ccc.value), between(row.ccc), number(row.rmse.value, digits=3))
    if row.gain is None:
        return (f"{row.way}{used}", *scores, "", "", "", "")
    gain = (number(row.gain.value, sign=True), between(row.gain, sign=True))
    p = (_p(row.p), _p(row.p_holm)) if row.p is not None else ("", "")
    return (f"{row.way}{used}", *scores, *gain, *p)
