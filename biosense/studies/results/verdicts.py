"""What a study says in sentences: the doubtful news first, and no word that a number denies."""

from __future__ import annotations

from biosense.core.affect import TARGETS
from biosense.studies.base import Bounds
from biosense.studies.execution.plan import Kind
from biosense.studies.leak_checks.outcome import LeakCheck
from biosense.studies.results.calibration_result import OWN_MEAN, PERSONAL, CalibrationTrack
from biosense.studies.results.parts import Compared, Row, Verdict
from biosense.studies.results.result import StudyResult

GOOD, BAD, PLAIN = "good", "bad", "plain"
FEW_PEOPLE = 10
CREDIBLE = {
    "deap": 0.60,
    "deap_original": 0.60,
    "amigos": 0.66,
    "dreamer": 0.62,
    "mahnob": 0.72,
}
"""Highest binary accuracy that a leak-free study with held-out subjects has reported, rounded up
(EEGain, arXiv 2505.18175; LibEER; LibEMER, arXiv 2509.19330). Above it, look for a leak first."""


def verdicts(result: StudyResult) -> list[Verdict]:
    """Return what can be said of a result, with its doubts."""
    said = [*_failed_checks(result), *_cautions(result), *_passed_checks(result)]
    for target in TARGETS:
        said += _fusion(result, target)
    for target in TARGETS:
        said += _plain(result, target)
    for target in TARGETS:
        said += _controls(result, target)
    for target in TARGETS:
        said += _chance(result, target)
    if result.calibration is not None:
        said += [_calibration(result.calibration, target) for target in TARGETS]
    return [*said, *_credible(result)]


def _failed_checks(result: StudyResult) -> list[Verdict]:
    failed = [check for check in result.leak_checks if not check.passed]
    return [Verdict(BAD, f"A leak check failed: {_told(check)}.") for check in failed]


def _passed_checks(result: StudyResult) -> list[Verdict]:
    if not result.leak_checks or not all(check.passed for check in result.leak_checks):
        return []
    by_name = {check.name: check.value for check in result.leak_checks}
    chance, planted = (number(by_name.get(name)) for name in ("random ratings", "planted leak"))
    text = (
        f"All {len(result.leak_checks)} leak checks passed: random ratings reach a CCC of {chance} "
        f"on these folds, and {planted} where a leak is planted."
    )
    return [Verdict(GOOD, text)]


def _told(check: LeakCheck) -> str:
    if check.value is None:
        return check.text
    return f"{check.text} ({number(check.value, digits=3)}, limit {number(check.limit, digits=3)})"


def _cautions(result: StudyResult) -> list[Verdict]:
    said = []
    if result.fabricated:
        said.append(
            Verdict(
                BAD,
                "These data are fabricated: signals and labels are made up to try the program. "
                "No number here says anything about people.",
            )
        )
    if result.people < FEW_PEOPLE:
        said.append(
            Verdict(
                BAD,
                f"{result.people} people are few: no interval over them can be trusted to hold "
                "for others.",
            )
        )
    if len(result.seeds) < 3:
        fits = "one fit" if len(result.seeds) == 1 else f"{len(result.seeds)} fits"
        said.append(
            Verdict(BAD, f"Each fold rests on {fits}: how much of it is luck is not known.")
        )
    return said


def best_single(result: StudyResult, target: str) -> Row | None:
    """Return the single modality with the best score of a target; None where there is but one."""
    singles = [row for row in result.results if row.kind == Kind.SINGLE]
    return max(singles, key=lambda row: ccc_of(row, target), default=None)


def _fusion(result: StudyResult, target: str) -> list[Verdict]:
    """Decide whether fusion is worth it by the paired interval.

    The best single modality is picked by its score in the test, which favours it: a fused model
    that beats it has earned the word.
    """
    best = best_single(result, target)
    if best is None:
        text = f"There is one modality: {result.chosen} has nothing to fuse."
        return [Verdict(PLAIN, text)] if target == TARGETS[0] else []
    against = _against(result, best.name, target)
    verb = "beats" if against.beats else "does not beat"
    text = (
        f"{target.capitalize()}: the fused model {verb} its best single modality, "
        f"{best.modalities[0]} ({difference(against.difference)})."
    )
    return [Verdict(GOOD if against.beats else BAD, text)]


def _plain(result: StudyResult, target: str) -> list[Verdict]:
    """Say whether a network was worth it: regressions on running means are the least to beat."""
    own = [c for c in result.comparisons if c.kind == Kind.PLAIN and c.target == target]
    lost = [c for c in own if not c.beats]
    if not own:
        return []
    if not lost:
        names = " and ".join(c.against for c in own)
        return [Verdict(GOOD, f"{target.capitalize()}: it beats {names} on the same features.")]
    named = ", ".join(f"{c.against} ({difference(c.difference, short=True)})" for c in lost)
    return [Verdict(BAD, f"{target.capitalize()}: it does not beat {named} on the same features.")]


def _controls(result: StudyResult, target: str) -> list[Verdict]:
    fair = [c for c in result.comparisons if c.kind == Kind.CONTROL and c.target == target]
    lost = sorted((c for c in fair if not c.beats), key=_value)
    if not lost:
        text = f"{target.capitalize()}: it beats all {len(fair)} controls."
        return [Verdict(GOOD, text)]
    named = ", ".join(f"{c.against} ({difference(c.difference, short=True)})" for c in lost[:3])
    more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
    text = (
        f"{target.capitalize()}: it does not beat {len(lost)} of {len(fair)} controls, "
        f"above all {named}{more}."
    )
    return [Verdict(BAD, text)]


def _chance(result: StudyResult, target: str) -> list[Verdict]:
    for each in result.chance:
        if each.target != target or each.p is None or each.value is None or each.limit is None:
            continue
        above = each.p <= 0.05
        how = "more than" if above else "no more than"
        where = "among each person's trials" if result.level == "trial" else "in time"
        by = "" if result.level == "trial" else " within sequences"
        text = (
            f"{target.capitalize()}: a CCC{by} of {number(each.value)} is {how} labels shifted "
            f"{where} give (95 % of the shifts stay below {number(each.limit)}; p = {each.p:.3f})."
        )
        return [Verdict(GOOD if above else BAD, text)]
    return []


def _calibration(track: CalibrationTrack, target: str) -> Verdict:
    """Say what the most labelled videos gain, and whether they need the model at all for it."""
    count = track.counts[-1]
    row = track.row(PERSONAL, count, target)
    videos = f"{count_of(count)} labelled video{'s' if count > 1 else ''} of a new person"
    head = f"{target.capitalize()}: {videos}"
    p = "-" if row.p_holm is None else f"{row.p_holm:.3f}"
    told = "-" if row.gain is None else f"{difference(row.gain)}; p = {p} after Holm"
    if not (row.gains or row.costs):
        return Verdict(PLAIN, f"{head} gain nothing that can be told from chance ({told}).")
    text = f"{head} {{}} on those that follow ({told})"
    if row.costs:
        return Verdict(BAD, f"{text.format('cost:')}.")
    own = row.over[OWN_MEAN]
    if own.low is not None and own.low > 0:
        return Verdict(GOOD, f"{text.format('gain')}.")
    rival = difference(own, short=True)
    return Verdict(
        BAD,
        f"{text.format('gain')}, but this does not beat the mean of those ratings alone ({rival}).",
    )


def count_of(n: int) -> str:
    """Return a small number as a word.

    >>> count_of(3), count_of(12)
    ('three', '12')
    """
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return words[n] if n < len(words) else str(n)


def _credible(result: StudyResult) -> list[Verdict]:
    limit = CREDIBLE.get(result.dataset)
    if limit is None or result.fabricated or result.protocol not in ("subject", "subject-stimulus"):
        return []
    reached = {
        target: result.row(result.chosen).metrics[target].get("accuracy") for target in TARGETS
    }
    return [
        Verdict(
            BAD,
            f"{target.capitalize()}: an accuracy of {value:.2f} is above what any study without a "
            f"leak has reported here ({limit:.2f}): look for a leak before believing it.",
        )
        for target, value in reached.items()
        if value is not None and value > limit
    ]


def _against(result: StudyResult, name: str, target: str) -> Compared:
    return next(c for c in result.comparisons if c.against == name and c.target == target)


def ccc_of(row: Row, target: str) -> float:
    """Return the headline score for sorting; none is worse than any."""
    value = row.metrics[target]["ccc"]
    return -2.0 if value is None else value


def _value(compared: Compared) -> float:
    value = compared.difference.value
    return 0.0 if value is None else value


def difference(bounds: Bounds, *, short: bool = False) -> str:
    """Return a difference in words, with its interval or the lack of one.

    >>> difference(Bounds(0.03, 0.01, 0.07))
    'CCC +0.03, 95 % interval +0.01 to +0.07'
    """
    value = number(bounds.value, sign=True)
    if bounds.low is None or bounds.high is None:
        return value if short else f"CCC {value}, too few people for an interval"
    low, high = number(bounds.low, sign=True), number(bounds.high, sign=True)
    return f"{value} [{low}, {high}]" if short else f"CCC {value}, 95 % interval {low} to {high}"


def number(value: float | None, *, sign: bool = False, digits: int = 2) -> str:
    """Return a number for people, a dash where there is none, and no negative zero.

    >>> number(0.1234), number(-0.001), number(None), number(0.5, sign=True)
    ('0.12', '0.00', '-', '+0.50')
    """
    if value is None:
        return "-"
    rounded = round(value, digits) + 0.0
    text = f"{rounded:+.{digits}f}" if sign and rounded else f"{rounded:.{digits}f}"
    return text.replace("-", "\N{MINUS SIGN}")
