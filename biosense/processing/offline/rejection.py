"""Which epochs were kept, which were not, and why: counted, and printable as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from biosense.core.errors import BadInput
from biosense.core.types import Epoch

LOW_QUALITY = "low quality"
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


@dataclass(frozen=True, eq=False)
class GoodEpochs:
    """Hold the epochs of the session grid that were kept, and what became of all."""

    epochs: tuple[Epoch, ...]
    report: RejectionReport


def good_epochs(epochs: Iterable[Epoch], min_quality: float = 0.5) -> GoodEpochs:
    """Leave out the epochs of the session grid that are not good enough.

    Parameters
    ----------
    epochs
        Windows or features, of one stream or of several.
    min_quality
        Least `Epoch.quality` that is kept, 0 to 1.

    Returns
    -------
    GoodEpochs
        With a verdict for each epoch, counted by stream. The reason is the stage's own ("flat",
        "no face") where it gave one, else "low quality".

    Raises
    ------
    BadInput
        For a `min_quality` outside 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from biosense.core import StreamInfo
    >>> info = StreamInfo("eda", None, ("level",), 4.0)
    >>> level = [Epoch(info, k, k / 4 - 1, k / 4, np.ones(1), k / 10, "flat") for k in (4, 5, 6)]
    >>> good = good_epochs(level)
    >>> [epoch.index for epoch in good.epochs], good.report.by_reason
    ([5, 6], {'flat': 1})
    """
    if not 0 <= min_quality <= 1:
        raise BadInput(f"min_quality={min_quality} must be 0 to 1")
    asked = tuple(epochs)
    verdicts = tuple(_verdict(epoch, min_quality) for epoch in asked)
    kept = (epoch for epoch, said in zip(asked, verdicts, strict=True) if said.is_kept)
    return GoodEpochs(tuple(kept), RejectionReport(verdicts))


def _verdict(epoch: Epoch, min_quality: float) -> EpochVerdict:
    is_good = epoch.quality >= min_quality  # False for NaN, which is no quality
    reason = "" if is_good else epoch.reason or LOW_QUALITY
    detail = "" if is_good else f"{epoch.quality:.2f}"
    return EpochVerdict(epoch.stop, epoch.info.name, reason, epoch.quality, detail)


def _cells(counts: dict[str, int], reasons: Sequence[str]) -> list[str]:
    kept, asked = counts.get("", 0), sum(counts.values())
    return [str(kept), str(asked), *(str(counts.get(reason, 0)) for reason in reasons)]


def _short(text: str) -> str:
    line = " ".join(text.split()) or _NO_TEXT
    return line if len(line) <= _MOST_WIDE else f"{line[: _MOST_WIDE - 3]}..."
