"""Draw scores with intervals: all entries, the differences to the chosen one, and the people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from biosense.core.affect import TARGETS
from biosense.studies.execution.plan import Kind
from biosense.studies.report.panels import dot, head, panels, span_of, under, zero
from biosense.studies.results.parts import Compared, Person, Row
from biosense.studies.results.result import StudyResult
from biosense.viz.axes import name_rows, write
from biosense.viz.svg import ink

_ROW_IN = 0.23
_GROUPS = (
    (Kind.MODEL, "fusion models"),
    (Kind.PLAIN, "plain models"),
    (Kind.SINGLE, "one modality"),
    (Kind.SUBSET, "subsets, fitted anew"),
    (Kind.CONTROL, "controls"),
    (Kind.MARK, "knows labels of the test person"),
)
COLOURS: Mapping[str, str] = {
    Kind.MODEL: "accent",
    Kind.PLAIN: "good",
    Kind.SINGLE: "face",
    Kind.SUBSET: "face",
    Kind.CONTROL: "quiet",
    Kind.MARK: "faint",
}


def short(row_name: str) -> str:
    """Return the name of an entry as figures call it: a subset without the family's name.

    >>> short("early: ecg + eda"), short("ridge")
    ('only ecg + eda', 'ridge')
    """
    family, colon, subset = row_name.partition(": ")
    return f"only {subset}" if colon else family


def draw_entries(result: StudyResult) -> Figure:
    """Draw the headline score of every entry, in groups, the best of each on top."""
    shown, names = _grouped(result)
    figure, axes = panels(2, len(names) * _ROW_IN, left=2.25, between=0.3)
    every = [
        each
        for row in result.results
        for target in TARGETS
        for bounds in [row.intervals[target]["ccc"]]
        for each in (bounds.value, bounds.low, bounds.high)
    ]
    for panel, target in zip(axes, TARGETS, strict=True):
        _entries(panel, result, shown, names, target)
        panel.set_xlim(*span_of(every))
        name_rows(panel, names, named=panel is axes[0])
        head(panel, target.capitalize(), colour=target)
        under(panel, "CCC with its 95 % interval over people")
    for place, label in enumerate(axes[0].get_yticklabels()):
        is_group = shown[place] is None
        label.set_color(ink("quiet" if is_group else "text"))
        label.set_fontsize(7.5 if is_group else 8.5)
        if names[place] == result.chosen:
            label.set_fontweight("bold")
    return figure


def _grouped(result: StudyResult) -> tuple[list[Row | None], list[str]]:
    """Return a row or a heading for each line, and its text."""
    shown: list[Row | None] = []
    names = []
    for kind, title in _GROUPS:
        own = sorted((row for row in result.results if row.kind == kind), key=_merit)
        if own:
            shown += [None, *own]
            names += [title.upper(), *(short(row.name) for row in own)]
    return shown, names


def _merit(row: Row) -> float:
    return -sum(row.metrics[target]["ccc"] or 0.0 for target in TARGETS)


def _entries(
    axes: Axes,
    result: StudyResult,
    shown: Sequence[Row | None],
    names: Sequence[str],
    target: str,
) -> None:
    own = result.row(result.chosen).intervals[target]["ccc"]
    if own.low is not None and own.high is not None:
        axes.axvspan(own.low, own.high, color=ink("accent"), alpha=0.10, lw=0, zorder=0)
    zero(axes)
    for place, row in enumerate(shown):
        if row is None:
            axes.axhline(place - 0.5, color=ink("line"), lw=0.6)
            continue
        is_chosen = row.name == result.chosen
        bounds = row.intervals[target]["ccc"]
        hollow = row.kind in (Kind.CONTROL, Kind.MARK)
        dot(axes, place, bounds, COLOURS[row.kind], hollow=hollow, size=7 if is_chosen else 5)


def draw_differences(result: StudyResult) -> Figure:
    """Draw what the chosen entry is better or worse by than each rival, paired by person."""
    rivals = list(dict.fromkeys(each.against for each in result.comparisons))
    by_place = {(each.against, each.target): each for each in result.comparisons}
    rivals.sort(key=lambda name: sum(_value(by_place[name, target]) for target in TARGETS))
    figure, axes = panels(2, len(rivals) * _ROW_IN, left=2.25, between=0.3)
    every = [
        bound
        for each in result.comparisons
        for bound in (each.difference.value, each.difference.low, each.difference.high)
    ]
    for panel, target in zip(axes, TARGETS, strict=True):
        zero(panel)
        for place, name in enumerate(rivals):
            dot(panel, place, by_place[name, target].difference, _verdict(by_place[name, target]))
        panel.set_xlim(*span_of(every))
        name_rows(panel, [short(name) for name in rivals], named=panel is axes[0])
        head(panel, target.capitalize(), colour=target)
        under(panel, f"CCC of {result.chosen} minus that of the other")
    return figure


def _value(compared: Compared) -> float:
    return compared.difference.value or 0.0


def _verdict(compared: Compared) -> str:
    if compared.beats:
        return "good"
    high = compared.difference.high
    return "error" if high is not None and high < 0 else "warn"


def draw_people(result: StudyResult) -> Figure:
    """Draw each person's score of the chosen entry, the best single modality, the best control."""
    figure, axes = panels(2, max(len(result.table), 3) * 0.19 + 0.1, left=0.9, between=0.35)
    for panel, target in zip(axes, TARGETS, strict=True):
        people = sorted(result.table, key=lambda person: -_score(person, target, result.chosen))
        others = [name for name in people[0].scores[target] if name != result.chosen]
        zero(panel)
        for place, person in enumerate(people):
            own = person.scores[target]
            panel.axhline(place, color=ink("grid"), lw=0.6, zorder=0)
            for name, colour in zip(others, ("face", "quiet"), strict=False):
                _tick(panel, place, own[name], colour)
            if (value := own[result.chosen]) is not None:
                panel.plot([value], [place], "o", ms=5.5, mec=ink("accent"), mfc=ink("accent"))
        every = [value for person in people for value in person.scores[target].values()]
        panel.set_xlim(*span_of(every))
        name_rows(panel, [person.subject for person in people])
        panel.tick_params(axis="y", labelsize=6.5 if len(people) > 25 else 7.5)
        legend = [
            (result.chosen, "accent"),
            *zip(map(short, others), ("face", "quiet"), strict=False),
        ]
        _legend(panel, legend)
        head(panel, target.capitalize(), colour=target)
        under(panel, "each person's own CCC")
    return figure


def _tick(axes: Axes, place: float, value: float | None, colour: str) -> None:
    if value is not None:
        axes.plot([value, value], [place - 0.32, place + 0.32], color=ink(colour), lw=1.8)


def _score(person: Person, target: str, name: str) -> float:
    value = person.scores[target][name]
    return -2.0 if value is None else value


def _legend(axes: Axes, entries: Sequence[tuple[str, str]]) -> None:
    """Name colours at the right above a panel, the last one outermost."""
    at = 0.0
    for name, colour in reversed(entries):
        mark = "●" if colour == "accent" else "|"
        write(axes, f"{mark} {name}", (1, 1), (-at, 4), colour=ink(colour), size=7.5, align="right")
        at += 4.1 * len(name) + 16
