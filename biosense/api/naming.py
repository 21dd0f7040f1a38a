"""Names that people type, as what they mean."""

from __future__ import annotations

from difflib import get_close_matches

from biosense.core.errors import BadInput
from biosense.core.types import Modality


def modality_named(name: Modality | str) -> Modality:
    """Return a modality by its name, and answer a wrong one with the right ones.

    >>> modality_named("ecg")
    <Modality.ECG: 'ecg'>
    """
    try:
        return Modality(str(name).lower())
    except ValueError:
        close = get_close_matches(str(name), list(Modality), 1)
        meant = f", did you mean {str(close[0])!r}?" if close else ""
        known = ", ".join(Modality)
        raise BadInput(f"no modality {name!r}{meant}; there are: {known}") from None
