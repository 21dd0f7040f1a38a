"""Draw what modalities bring: every subset, and what happens when one fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from biosense.core.affect import TARGETS
from biosense.studies.base import Bounds
from biosense.studies.report.panels import head, panels
from biosense.studies.results.parts import Damage, SubsetScore
from biosense.studies.results.result import StudyResult
from biosense.studies.results.verdicts import number
from biosense.viz.axes import write
from biosense.viz.palette import colour_name
from biosense.viz.svg import ink

_ROW_IN = 0.21
_MOST_ROWS = 40


def chosen_subsets(result: StudyResult) -> list[SubsetScore]:
    """Return the subsets in the order of their scores, each once: fitted anew where it was.

    Where there are more than a page holds, the best and the worst are kept, and all single ones.
    """
    found: dict[tuple[str, ...], SubsetScore] = {}
    for each in sorted(result.subsets, key=lambda subset: not subset.refit):
        found.setdefault(each.modalities, each)
    ranked = sorted(found.values(), key=_merit, reverse=True)
    if len(ranked) <= _MOST_ROWS:
        return ranked
    single = [each for each in ranked if len(each.modalities) == 1]
    others = [each for each in ranked if len(each.modalities) > 1]
    half = (_MOST_ROWS - len(single)) // 2
    kept = {id(each) for each in (*single, *others[:half], *others[-half:])}
    return [each for each in ranked if id(each) in kept]


def _merit(subset: SubsetScore) -> float:
    return sum(subset.scores[target].value or 0.0 for target in TARGETS)


def draw_subsets(result: StudyResult) -> Figure:
    """Draw a row for each subset: which modalities, and the scores as shades with numbers."""
    subsets = chosen_subsets(result)
    names = list(result.features)
    figure, axes = panels(2, len(subsets) * _ROW_IN, left=0.2, between=0.3, bottom=0.2)
    which, scores = axes
    box = which.get_position()
    which.set_position((box.x0, box.y0, 0.46, box.height))
    scores.set_position((box.x0 + 0.49, box.y0, 0.48, box.height))
    for place, subset in enumerate(subsets):
        for column, name in enumerate(names):
            present = name in subset.modalities
            colour = colour_name(name)
            which.plot(
                [column], [place], "o", ms=7 if present else 3, mew=0,
                mfc=ink(colour if present else "line"),
            )  # fmt: skip
        _cells(scores, place, subset.scores, bold=subset.refit)
    for panel, columns in ((which, names), (scores, list(TARGETS))):
        _grid(panel, columns, len(subsets))
    return figure


def draw_damages(result: StudyResult) -> Figure:
    """Draw the score of each family when a modality fails, and by how much it changed."""
    families = list(dict.fromkeys(each.family for each in result.robustness))
    variants = list(dict.fromkeys(each.variant for each in result.robustness))
    by_place = {(each.family, each.variant): each for each in result.robustness}
    figure, axes = panels(
        2, (len(variants) + 1) * _ROW_IN, left=1.75, between=0.3, bottom=0.2, top=0.55
    )
    for panel, target in zip(axes, TARGETS, strict=True):
        for column, family in enumerate(families):
            intact = result.row(family).intervals[target]["ccc"]
            _cell(panel, 0, column, intact, number(intact.value))
            for place, variant in enumerate(variants, 1):
                damage = by_place[family, variant]
                _cell(panel, place, column, damage.scores[target], _change(damage, target))
        _grid(panel, families, len(variants) + 1)
        panel.set_yticks(
            range(len(variants) + 1), ["everything there", *variants] if panel is axes[0] else []
        )
        panel.tick_params(axis="y", length=0)
        head(panel, target.capitalize(), colour=target, lift=14)
    return figure


def _change(damage: Damage, target: str) -> str:
    change = damage.changes[target]
    sure = change.low is not None and change.high is not None and change.low * change.high > 0
    value, by = number(damage.scores[target].value), number(change.value, sign=True)
    return f"{value}  ({by}{'*' if sure else ''})"


def _cells(axes: Axes, place: int, scores: Mapping[str, Bounds], *, bold: bool) -> None:
    for column, target in enumerate(TARGETS):
        bounds = scores[target]
        between = "" if bounds.low is None else f"  [{number(bounds.low)}, {number(bounds.high)}]"
        _cell(axes, place, column, bounds, number(bounds.value) + between, bold=bold)


def _cell(
    axes: Axes, place: int, column: int, bounds: Bounds, text: str, *, bold: bool = False
) -> None:
    """Draw a number on a shade: the more the better, red below nothing."""
    value = bounds.value or 0.0
    colour = "accent" if value >= 0 else "error"
    shade = Rectangle((column - 0.5, place - 0.5), 1, 1, lw=0, alpha=min(abs(value), 1.0) * 0.75)
    shade.set_facecolor(ink(colour))
    axes.add_patch(shade)
    write(
        axes, text, (column, place), (0, -2.6), coords="data", colour=ink("text"), size=7.5,
        align="center", bold=bold,
    )  # fmt: skip


def _grid(axes: Axes, columns: Sequence[str], n_rows: int) -> None:
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(n_rows - 0.5, -0.5)
    axes.grid(False)
    axes.set_yticks([])
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(columns)), list(columns))
    axes.tick_params(axis="x", length=0, labelsize=8, colors=ink("text"))
