"""How values show themselves in a notebook: small tables, in the notebook's own light or dark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from biosense.core.types import Floats

_CELL = "padding:2px 14px 2px 0;text-align:left;border:none;vertical-align:middle"
_HEAD = f"{_CELL};font-weight:600;opacity:.65"
_ROW = "border-top:1px solid rgba(128,128,128,.25);background:transparent"
_FOOT = "opacity:.75;margin-top:6px;max-width:60em"
_WIDTH, _HEIGHT = 120, 20
_NOTHING = "\N{EN DASH}"


class Drawn(str):
    """Markup that is made here, and so is not escaped again."""

    __slots__ = ()


def table_html(
    title: str,
    aside: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[object]],
    below: str = "",
) -> str:
    """Return a table with a title; every text that is not `Drawn` is escaped.

    Parameters
    ----------
    title, aside
        Above the table: what it is, and what else there is to know.
    heads
        Of the columns.
    rows
        Cells, as many as heads.
    below
        A sentence under the table.

    Returns
    -------
    str
        HTML that needs no style sheet and no script.
    """
    head = "".join(f'<th style="{_HEAD}">{escape(each)}</th>' for each in heads)
    body = "".join(
        f'<tr style="{_ROW}">'
        + "".join(f'<td style="{_CELL}">{_shown(cell)}</td>' for cell in row)
        + "</tr>"
        for row in rows
    )
    foot = f'<div style="{_FOOT}">{escape(below)}</div>' if below else ""
    return (
        '<div style="font-family:system-ui,sans-serif;font-size:13px;line-height:1.5">'
        f'<div style="margin:2px 0 6px"><b>{escape(title)}</b>'
        f'<span style="opacity:.65;margin-left:12px">{escape(aside)}</span></div>'
        f'<table style="border-collapse:collapse;border:none;margin:0"><thead>'
        f'<tr style="background:transparent">{head}</tr></thead><tbody>{body}</tbody></table>'
        f"{foot}</div>"
    )


def sparkline(values: Floats, colour: str) -> Drawn:
    """Return a small curve of values, shape (n,); NaN breaks it, nothing known is a dash."""
    known = values[values == values]
    if len(known) < 2:
        return Drawn(_NOTHING)
    shown = values[:: max(1, len(values) // _WIDTH)]
    low, high = float(known.min()), float(known.max())
    step, scale = _WIDTH / max(len(shown) - 1, 1), (_HEIGHT - 3) / ((high - low) or 1.0)
    path, pen = [], "M"
    for number, value in enumerate(shown.tolist()):
        if value != value:
            pen = "M"
            continue
        path.append(f"{pen}{number * step:.1f} {_HEIGHT - 1.5 - (value - low) * scale:.1f}")
        pen = "L"
    return Drawn(
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" style="display:block" role="img" '
        f'aria-label="from {low:.3g} to {high:.3g}"><path d="{"".join(path)}" fill="none" '
        f'stroke="{escape(colour)}" stroke-width="1.2"/></svg>'
    )


def _shown(cell: object) -> str:
    if isinstance(cell, Drawn):
        return cell
    if isinstance(cell, float):
        return _NOTHING if cell != cell else f"{cell:.4g}"
    return escape(str(cell))
