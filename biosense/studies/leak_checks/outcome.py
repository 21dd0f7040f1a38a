"""What a leak check found."""

from __future__ import annotations

from dataclasses import dataclass

from biosense.core.errors import LeakFound


@dataclass(frozen=True)
class LeakCheck:
    """Hold what a check measured, and what a leak would have done to it.

    Parameters
    ----------
    name
        Of the check.
    passed
        False: no score of the study counts until it is known why.
    value, limit
        What was measured, and the bound that it had to keep; None where there is no number.
    text
        What it demands, in a sentence for readers.
    """

    name: str
    passed: bool
    value: float | None
    limit: float | None
    text: str

    def demand(self) -> None:
        """Raise `LeakFound` unless the check passed."""
        if not self.passed:
            raise LeakFound(f"{self.name}: {self.text} (got {self.value}, limit {self.limit})")
