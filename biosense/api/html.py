"""How values show themselves in a notebook: small tables in the notebook's own light or dark.

No style sheet and no script: colours of words are the reader's own, lines are of a tone between the
light and the dark palette. Whatever comes from a file is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from biosense.core.types import Floats, StreamInfo
from biosense.recordings.streams import is_derived
from biosense.viz.palette import DARK, LIGHT, colour_name

if TYPE_CHECKING:
    from biosense.processing.offline.epochs import MarkerEpochs
    from biosense.recordings.outline import Outline, StreamOutline

_CELL = "padding:3px 18px 3px 0;border:none;vertical-align:middle;white-space:nowrap"
_HEAD = f"{_CELL};font-weight:400;opacity:.6"
_RULE = "background:none;border:none;border-top:1px solid rgba(128,128,128,.22)"
_BOX = "font-family:system-ui,sans-serif;font-size:13px;line-height:1.45;overflow-x:auto"
_ASIDE = "opacity:.65;margin-left:12px"
_BELOW = "opacity:.8;margin-top:6px;max-width:62em"
_WIDTH, _HEIGHT = 130, 22
_NOTHING = "\N{EN DASH}"
_MOST_LETTERS = 60
MOST_ROWS = 40


class Drawn(str):
    """Markup that is made here, and so is not escaped again."""

    __slots__ = ()


def tone(name: str) -> str:
    """Return a colour that is read on light and on dark ground: halfway between the palettes.

    >>> len(tone("ecg"))
    7
    """
    pairs = zip(_rgb(LIGHT[name]), _rgb(DARK[name]), strict=True)
    return "#" + "".join(f"{(light + dark) // 2:02x}" for light, dark in pairs)


def table_html(
    title: str,
    aside: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[object]],
    below: Iterable[str] = (),
) -> str:
    """Return a table with a title; every text that is not `Drawn` is escaped.

    Parameters
    ----------
    title, aside
        Above the table: what it is, and what else there is to know.
    heads
        Of the columns.
    rows
        Cells, as many as heads; the first 40 rows are shown.
    below
        Sentences under the table.

    Examples
    --------
    >>> "&lt;b&gt;" in table_html("<b>", "", ["a"], [[1]])
    True
    """
    right = [all(_is_number(row[k]) for row in rows) for k in range(len(heads))]
    head = "".join(_cell("th", _HEAD, each, right[k]) for k, each in enumerate(heads))
    body = "".join(
        f'<tr style="{_RULE}">'
        + "".join(_cell("td", _CELL, each, right[k]) for k, each in enumerate(row))
        + "</tr>"
        for row in rows[:MOST_ROWS]
    )
    notes = [*below, f"{len(rows) - MOST_ROWS} more rows"] if len(rows) > MOST_ROWS else below
    foot = "".join(f'<div style="{_BELOW}">{escape(each)}</div>' for each in notes)
    return (
        f'<div style="{_BOX}"><div style="margin:2px 0 6px"><b>{escape(title)}</b>'
        f'<span style="{_ASIDE}">{escape(aside)}</span></div>'
        '<table style="border-collapse:collapse;border:none;margin:0">'
        f'<thead><tr style="background:none;border:none">{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>{foot}</div>"
    )


def sparkline(values: Floats, colour: str) -> Drawn:
    """Return a small curve of values, shape (n,): NaN breaks it, where nothing is known a dash.

    Parameters
    ----------
    values
        Evenly spaced; of many the lowest and the highest of every few are drawn.
    colour
        A name of the palette.
    """
    known = values[np.isfinite(values)]
    if len(known) < 2:
        return Drawn(_NOTHING)
    shown = _extremes(np.where(np.isfinite(values), values, np.nan))
    low, high = float(known.min()), float(known.max())
    step, scale = _WIDTH / max(len(shown) - 1, 1), (_HEIGHT - 4) / ((high - low) or 1.0)
    path, pen = [], "M"
    for number, value in enumerate(shown.tolist()):
        if value == value:
            path.append(f"{pen}{number * step:.1f} {_HEIGHT - 2 - (value - low) * scale:.1f}")
        pen = "L" if value == value else "M"
    return Drawn(
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" style="display:block" role="img" '
        f'aria-label="from {low:.3g} to {high:.3g}"><path d="{"".join(path)}" fill="none" '
        f'stroke="{tone(colour)}" stroke-width="1.2" stroke-linejoin="round"/></svg>'
    )


def recording_html(title: str, participant: str, started: datetime | None, found: Outline) -> str:
    """Return a recording: a row for each stream that was measured or sent."""
    span = found.end - found.begin
    said = [
        participant,
        f"{started:%Y-%m-%d %H:%M}" if started else "",
        f"{span:.1f} s" if span > 0 else "no sample",
        f"{len(found.markers)} markers" if found.markers else "",
    ]
    heads = ("stream", "modality", "channels", "Hz", "unit", "samples", "seconds", "")
    rows = [_stream_row(each) for each in found.streams.values() if not is_derived(each.info)]
    own = [info.name for info in (each.info for each in found.streams.values()) if is_derived(info)]
    below = [f"computed by the run: {', '.join(own)}"] if own else []
    aside = " · ".join(each for each in said if each)
    return table_html(f"Recording {title}", aside, heads, rows, below)


def epochs_html(epochs: MarkerEpochs) -> str:
    """Return epochs: a row for each text of a marker, with what became of its epochs."""
    rows = []
    for text, counts in epochs.report.by_text.items():
        why = ", ".join(f"{count} {reason}" for reason, count in counts.items() if reason)
        rows.append((_short(text), counts.get("", 0), sum(counts.values()), why))
    window = f"{epochs.times[0]:g} to {epochs.times[-1]:g} s around the marker"
    aside = f"{len(epochs)} of {epochs.report.asked} · {window} · {epochs.info.n_channels} channels"
    return table_html(
        f"Epochs of {epochs.info.name}", aside, ("marker", "kept", "of", "left out"), rows
    )


def _stream_row(stream: StreamOutline) -> tuple[object, ...]:
    info = stream.info
    seconds = stream.last - stream.first
    return (
        _short(info.name),
        info.modality or info.content_type or ("text" if info.is_text else _NOTHING),
        _channels(info),
        f"{info.sfreq:g}" if info.sfreq else "irregular",
        info.unit or _NOTHING,
        stream.samples,
        f"{seconds:.1f}" if seconds >= 0 else _NOTHING,
        sparkline(stream.sketch, colour_name(info.modality)),
    )


def _channels(info: StreamInfo) -> str:
    names = ", ".join(info.channels)
    if len(names) <= _MOST_LETTERS // 2:
        return names
    return f"{names[: _MOST_LETTERS // 2]}… ({info.n_channels})"


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float) or (cell == "" and not isinstance(cell, Drawn))


def _cell(tag: str, style: str, value: object, right: bool) -> str:
    side = ";text-align:right;font-variant-numeric:tabular-nums" if right else ";text-align:left"
    return f'<{tag} style="{style}{side}">{_shown(value)}</{tag}>'


def _shown(cell: object) -> str:
    if isinstance(cell, Drawn):
        return cell
    if isinstance(cell, float):
        return _NOTHING if cell != cell else f"{cell:.3g}"
    return escape(f"{cell:,}".replace(",", "\N{NARROW NO-BREAK SPACE}") if isinstance(cell, int)
                  else str(cell))  # fmt: skip


def _extremes(values: Floats) -> Floats:
    """Return the lowest and the highest of every few values, as many as a small curve needs."""
    size = -(-len(values) // _WIDTH)
    if size < 2:
        return values
    whole = values[: len(values) // size * size].reshape(-1, size)
    known = np.isfinite(whole).any(axis=1)
    low = np.where(known, np.where(np.isnan(whole), np.inf, whole).min(axis=1), np.nan)
    high = np.where(known, np.where(np.isnan(whole), -np.inf, whole).max(axis=1), np.nan)
    return np.column_stack([low, high]).ravel()


def _short(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
