"""Names that people type, as what they mean."""

from __future__ import annotations

from biosense.core.suggest import unknown_name
from biosense.core.types import Modality


def modality_named(name: Modality | str) -> Modality:
    """Return a modality by its name, and answer a wrong one with the right ones.

    >>> modality_named("ecg")
    <Modality.ECG: 'ecg'>
    """
    try:
        return Modality(str(name).lower())
    except ValueError:
        raise unknown_name("modality", name, Modality) from None
