"""The answer to a name that nobody knows: what was probably meant, and what there is."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from biosense.core.errors import BadInput

_MOST_NAMED = 20


def unknown_name(kind: str, name: object, known: Iterable[str], where: str = "") -> BadInput:
    """Return the error for a name that is none of those that are known.

    Parameters
    ----------
    kind
        What was asked for: "model", "stream".
    name
        As it was given.
    known
        The names that there are; of many the first are told.
    where
        Follows the name: " in recording.xdf".

    Returns
    -------
    BadInput

    Examples
    --------
    >>> print(unknown_name("model", "deepcca", ["deep_cca", "early"]))
    no model 'deepcca' (did you mean 'deep_cca'?); there are: deep_cca, early
    >>> print(unknown_name("model", "x", []))
    no model 'x'; there are: none
    """
    names = list(dict.fromkeys(map(str, known)))
    close = get_close_matches(str(name), names, 1)
    meant = f" (did you mean {close[0]!r}?)" if close else ""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    listed = ", ".join(names[:_MOST_NAMED]) or "none"
    return BadInput(f"no {kind} {str(name)!r}{where}{meant}; there are: {listed}{more}")
