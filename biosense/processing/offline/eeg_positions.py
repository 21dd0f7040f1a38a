"""Where EEG channels sit on the head, by the standard montages of MNE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.extras import need
from biosense.core.types import Floats
from biosense.processing.eeg.montage import read_montage, site_of

if TYPE_CHECKING:
    import mne


def channel_positions(channels: Sequence[str], montage: str = "standard_1005") -> Floats:
    """Return the positions of channels in metres, shape (channels, 3); NaN where unknown.

    Names are read as everywhere here ("EEG Fp1-Ref", "T3"); where that gives no site of the
    montage (as on "biosemi64" or "GSN-HydroCel-128"), the name itself is looked up.

    Parameters
    ----------
    channels
        Names.
    montage
        A name that `mne.channels.make_standard_montage` knows.

    Returns
    -------
    Floats
        Metres, x to the right, y to the front, z up, shape (channels, 3); NaN where nobody knows.

    Raises
    ------
    BadInput
        For a montage that MNE does not know.
    MissingExtra
        If MNE is not installed.
    """
    places = standard_montage(montage).get_positions()["ch_pos"]
    by_site = {name.upper(): np.asarray(place, np.float64) for name, place in places.items()}
    eeg = read_montage(channels).eeg
    nowhere = np.full(3, np.nan)
    found = []
    for name, is_eeg in zip(channels, eeg, strict=True):
        site = site_of(name) if is_eeg else None
        found.append(by_site.get(site or "", by_site.get(name.strip().upper(), nowhere)))
    return np.array(found, np.float64).reshape(len(channels), 3)


def standard_montage(montage: str = "standard_1005") -> mne.channels.DigMontage:
    """Return a montage of MNE by its name, whichever way this version of MNE spells it.

    Parameters
    ----------
    montage
        One of MNE's names.

    Returns
    -------
    mne.channels.DigMontage

    Raises
    ------
    BadInput
        For a montage that MNE does not know.
    MissingExtra
        If MNE is not installed.
    """
    need("mne")
    import mne

    names = mne.channels.get_builtin_montages()
    if montage not in names:  # MNE 1.13 calls its standard_* montages colin27_*
        montage = montage.replace("standard_", "colin27_")
    if montage not in names:
        raise BadInput(f"MNE has no montage {montage!r}; it has: {', '.join(names)}")
    return mne.channels.make_standard_montage(montage)
