"""Channel names of common EEG caps and headbands, and a way to find them by name."""

from __future__ import annotations

from biosense.core.errors import BadInput

# International 10-20 (Jasper 1958), with the names of 1991.
_TEN_TWENTY = (
    *("Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "T7", "C3", "Cz", "C4", "T8"),
    *("P7", "P3", "Pz", "P4", "P8", "O1", "O2"),
)
# Koelstra et al. 2012: order of the preprocessed files (Geneva).
_DEAP = (
    *("Fp1", "AF3", "F3", "F7", "FC5", "FC1", "C3", "T7", "CP5", "CP1", "P3", "P7", "PO3", "O1"),
    *("Oz", "Pz", "Fp2", "AF4", "Fz", "F4", "F8", "FC6", "FC2", "Cz", "C4", "T8", "CP6", "CP2"),
    *("P4", "P8", "PO4", "O2"),
)
_EPOC = (
    *("AF3", "F7", "F3", "FC5", "T7", "P7", "O1"),
    *("O2", "P8", "T8", "FC6", "F4", "F8", "AF4"),
)
_SEED = (
    *("Fp1", "Fpz", "Fp2", "AF3", "AF4", "F7", "F5", "F3", "F1", "Fz", "F2", "F4", "F6", "F8"),
    *("FT7", "FC5", "FC3", "FC1", "FCz", "FC2", "FC4", "FC6", "FT8", "T7", "C5", "C3", "C1", "Cz"),
    *("C2", "C4", "C6", "T8", "TP7", "CP5", "CP3", "CP1", "CPz", "CP2", "CP4", "CP6", "TP8"),
    *("P7", "P5", "P3", "P1", "Pz", "P2", "P4", "P6", "P8", "PO7", "PO5", "PO3", "POz", "PO4"),
    *("PO6", "PO8", "CB1", "O1", "Oz", "O2", "CB2"),
)

LAYOUTS = {
    "10-20": _TEN_TWENTY,
    "deap": _DEAP,
    "emotiv epoc": _EPOC,
    "emotiv insight": ("AF3", "T7", "Pz", "T8", "AF4"),
    "dreamer": _EPOC,
    "muse": ("TP9", "AF7", "AF8", "TP10"),
    "seed": _SEED,
    "openbci 8": ("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2"),
    "openbci 16": (
        *("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2"),
        *("F7", "F8", "F3", "F4", "T7", "T8", "P3", "P4"),
    ),
}
"""Channels of caps, headbands and data sets in the order in which they are sent or stored."""


def layout(name: str) -> tuple[str, ...]:
    """Return the channel names of a cap or data set.

    Upper and lower case, spaces, hyphens and underscores make no difference.

    Parameters
    ----------
    name
        Of a key of `LAYOUTS`.

    Returns
    -------
    tuple of str
        In the order in which they are sent or stored.

    Raises
    ------
    BadInput
        For an unknown name; the message lists those that are known.

    Examples
    --------
    >>> layout("Muse"), len(layout("DEAP")), len(layout("emotiv_epoc"))
    (('TP9', 'AF7', 'AF8', 'TP10'), 32, 14)
    """
    known = {_plain(key): channels for key, channels in LAYOUTS.items()}
    if _plain(name) not in known:
        raise BadInput(f"no EEG layout {name!r}; there are: {', '.join(LAYOUTS)}")
    return known[_plain(name)]


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
