"""Which epochs were kept, which were not, and why: counted, and printable as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_NO_TEXT = "(no text)"
_MOST_WIDE = 40  # letters of a text that a table shows


@dataclass(frozen=True)
class EpochVerdict:
    """Hold what was decided on one epoch.

    Parameters
    ----------
    time
        Session time of its marker, or of its end on the session grid, seconds.
    text
        What it is counted under: the marker's text, or the stream's name.
    reason
        Why it was rejected, in a word or two; empty where it was kept.
    quality
        Share of it that can be trusted, 0 to 1.
    detail
        The channel and value that decided, where there is one.
    """

    time: float
    text: str
    reason: str
    quality: float
    detail: str = ""

    @property
    def is_kept(self) -> bool:
        """True for an epoch that was kept."""
        return not self.reason


@dataclass(frozen=True)
class RejectionReport:
    """Hold one verdict per epoch that was asked for, in the order in which they were asked for.

    Its text is a table: a line for each text of a marker, a column for each reason.

    Parameters
    ----------
    verdicts
        Of every epoch.

    Examples
    --------
    >>> report = RejectionReport((
    ...     EpochVerdict(1.0, "image", "", 1.0), EpochVerdict(2.0, "image", "gap", 0.0),
    ...     EpochVerdict(3.0, "rest", "", 1.0),
    ... ))
    >>> report.kept, report.asked, report.by_reason, report.by_text["image"]
    (2, 3, {'gap': 1}, {'': 1, 'gap': 1})
    >>> print(report)
           kept  of  gap
    image     1   2    1
    rest      1   1    0
    all       2   3    1
    """

    verdicts: tuple[EpochVerdict, ...]

    @property
    def asked(self) -> int:
        """How many epochs there were to decide on."""
        return len(self.verdicts)

    @property
    def kept(self) -> int:
        """How many were kept."""
        return sum(verdict.is_kept for verdict in self.verdicts)

    @property
    def rejected(self) -> tuple[EpochVerdict, ...]:
        """Those that were not kept."""
        return tuple(verdict for verdict in self.verdicts if not verdict.is_kept)

    @property
    def by_reason(self) -> dict[str, int]:
        """How many were rejected for each reason, most frequent first."""
        return dict(Counter(verdict.reason for verdict in self.rejected).most_common())

    @property
    def by_text(self) -> dict[str, dict[str, int]]:
        """How many of each marker's text ended in each reason; under "" those that were kept."""
        texts: dict[str, Counter[str]] = {}
        for verdict in self.verdicts:
            texts.setdefault(verdict.text, Counter())[verdict.reason] += 1
        return {text: dict(counts) for text, counts in texts.items()}

    def __str__(self) -> str:
        reasons = list(self.by_reason)
        rows = [("", "kept", "of", *reasons)]
        for text, counts in self.by_text.items():
            rows.append((_short(text), *_cells(counts, reasons)))
        total = {"": self.kept} | self.by_reason
        rows.append(("all", *_cells(total, reasons)))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(
                [row[0].ljust(widths[0])]
                + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
            )
            for row in rows
        )


def _cells(counts: dict[str, int], reasons: Sequence[str]) -> list[str]:
    kept, asked = counts.get("", 0), sum(counts.values())
    return [str(kept), str(asked), *(str(counts.get(reason, 0)) for reason in reasons)]


def _short(text: str) -> str:
    line = " ".join(text.split()) or _NO_TEXT
    return line if len(line) <= _MOST_WIDE else f"{line[: _MOST_WIDE - 3]}..."
