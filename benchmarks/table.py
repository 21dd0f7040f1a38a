"""The table of headline figures in docs/benchmarks.md: a marked block that a run replaces.

A figure that depends on the load of the machine is taken from a quiet one only: else the row that
stands there stays, with its date.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.catalogue import BENCHMARKS, CHECKOUT, ROOMS
from benchmarks.figures import Figure
from benchmarks.run import Outcome

PAGE = CHECKOUT / "docs" / "benchmarks.md"
BEGIN = "<!-- figures: `python -m benchmarks` writes what stands until the end of this block -->"
END = "<!-- end of figures -->"
HEAD = (
    "| benchmark | figure | biosense | beside it | times better | measured |",
    "|---|---|---|---|---|---|",
)


@dataclass(frozen=True)
class Row:
    """Hold the cells of a row as text; `beside` begins with the name of the alternative."""

    benchmark: str
    name: str
    ours: str
    beside: str
    ratio: str
    measured: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.benchmark, self.name, self.beside.split(": ")[0]

    def __str__(self) -> str:
        cells = (self.name, self.ours, self.beside, self.ratio, self.measured)
        return f"| `{self.benchmark}` | {' | '.join(cells)} |"


def merged(rows: Iterable[Row], outcomes: Iterable[Outcome]) -> list[Row]:
    """Return the rows with those of good outcomes in place of the old ones."""
    kept = list(rows)
    for outcome in outcomes:
        if not outcome.is_good:
            continue
        made = [(figure, _row(outcome, figure)) for figure in outcome.figures]
        new = [row for figure, row in made if outcome.was_quiet or not figure.timed]
        left = {row.key for _, row in made} - {row.key for row in new}
        kept = [row for row in kept if row.benchmark != outcome.benchmark or row.key in left] + new
    order = [each.name for each in BENCHMARKS]
    known = [row for row in kept if row.benchmark in order]
    return sorted(known, key=lambda row: order.index(row.benchmark))


def _row(outcome: Outcome, figure: Figure) -> Row:
    beside = "" if figure.other is None else f"{figure.alternative}: {number(figure.other)}"
    ratio = "" if figure.ratio is None else number(figure.ratio)
    ours = f"{number(figure.ours)} {figure.unit}".strip()
    measured = f"{outcome.date}, {outcome.machine}"
    return Row(outcome.benchmark, figure.name, ours, beside, ratio, measured)


def number(value: float) -> str:
    """Return a number as people write it, to three digits."""
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value)}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def block(rows: Iterable[Row]) -> str:
    """Return the block: a table for each room."""
    rows, parts = list(rows), [BEGIN]
    for room, title in ROOMS.items():
        mine = [str(row) for row in rows if row.benchmark.startswith(f"{room}/")]
        if mine:
            parts += [f"\n### [{title}](benchmarks/{room}.md)\n", *HEAD, *mine]
    return "\n".join([*parts, "", END])


def read(page: str) -> list[Row]:
    """Return the rows that stand on a page."""
    lines = page[page.index(BEGIN) : page.index(END)].splitlines()
    rows = [line for line in lines if line.startswith("| `")]
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows]
    return [Row(each[0].strip("`"), *each[1:]) for each in cells]


def write(outcomes: Iterable[Outcome], page: Path = PAGE) -> None:
    """Put what was measured into the page."""
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(before + block(merged(read(text), outcomes)) + after, encoding="utf-8")
