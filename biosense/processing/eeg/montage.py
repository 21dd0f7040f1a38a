"""What the names of EEG channels say: the site, its region, its partner on the other side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from biosense.core.types import Bools, Floats

REGIONS = ("all", "frontal", "central", "posterior")
"""Regions that band powers are averaged over; "all" holds every channel, whatever its name."""

# Letters of a site of the 10-5 system (Oostenveld & Praamstra 2001); temporal sites count as
# central, because small montages have too few of either.
_REGION_OF_LETTERS = {
    **dict.fromkeys(("FP", "AFP", "AF", "AFF", "F"), "frontal"),
    **dict.fromkeys(
        ("FFC", "FFT", "FC", "FT", "FCC", "FTT", "C", "T", "CCP", "TTP", "CP", "TP"), "central"
    ),
    **dict.fromkeys(("CPP", "TPP", "P", "PPO", "PO", "POO", "O", "OI", "I"), "posterior"),
}
# The 10-20 names before 1991 (American Electroencephalographic Society).
_OLD_NAMES = {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8"}
_SITE = re.compile(r"^(?:EEG[ ._:-]*)?([A-Z]+?)(\d{1,2}H?|ZH?)(?![A-Z0-9])")
_NOT_EEG = re.compile(
    r"^(?:EEG[ ._:-]*)?(?:[VHLR]?EOG|E[CMK]G|(?:LEFT |RIGHT )?AUX|TRIG|STATUS|STI|ACC|GYR|RESP|GSR"
    r"|CQ\.|EQ\.|COUNTER|INTERPOLATED|MARKER|BATTERY|TIMESTAMP)"
)
_EOG = re.compile(r"^(?:EEG[ ._:-]*)?[VHLR]?EOG")
# Mastoids and ear lobes: references by use, and nothing of the cortex below them.
_EAR = re.compile(r"^(?:EEG[ ._:-]*)?[AM][12](?![A-Z0-9])")
# The channels that see the eyes most; the first of these groups that a montage has is used.
_EYE_SITES = (("FP1", "FPZ", "FP2", "AF7", "AF8"), ("AF3", "AFZ", "AF4"), ("F7", "F8"))

# Frontal alpha asymmetry: F3/F4 is the pair of the literature (Smith et al. 2017); the others stand
# in for it on headbands, the poles least (eyes and forehead muscle).
_FRONTAL_PAIRS = {
    ("F3", "F4"): 1.0,
    ("F7", "F8"): 0.5,
    ("AF3", "AF4"): 0.5,
    ("AF7", "AF8"): 0.5,
    ("FP1", "FP2"): 0.25,
}


@dataclass(frozen=True, eq=False)
class Montage:
    """Hold which channels form the regions and the left-right pairs of a stream.

    Parameters
    ----------
    eeg
        Channels that are EEG at all, shape (channels,).
    members
        Channels of each of `REGIONS`, shape (regions, channels).
    left, right
        Positions of the channels of each pair of mirrored sites, each of shape (pairs,).
    frontal_weight
        Weight of each pair in the frontal alpha asymmetry, shape (pairs,); 0 for most.
    ears
        Positions of mastoid and ear channels, which are not counted as EEG.
    eyes
        Positions of the channels that show eye movements: EOG, else the sites next to the eyes.
    """

    eeg: Bools
    members: Bools
    left: tuple[int, ...]
    right: tuple[int, ...]
    frontal_weight: Floats
    ears: tuple[int, ...] = ()
    eyes: tuple[int, ...] = ()


def site_of(name: str) -> str | None:
    """Return the site of the 10-5 system [1]_ that a channel name means, or None.

    Parameters
    ----------
    name
        As a cap, an amplifier or a file spells it.

    Returns
    -------
    str or None
        In capitals.

    References
    ----------
    .. [1] R. Oostenveld and P. Praamstra, "The five percent electrode system for high-resolution
       EEG and ERP measurements," Clinical Neurophysiology 112(4), 713-719, 2001.

    Examples
    --------
    >>> site_of("EEG Fp1-A2"), site_of("T3"), site_of("Oz."), site_of("Ch4")
    ('FP1', 'T7', 'OZ', None)
    """
    match = _SITE.match(name.strip().upper())
    if match is None or match[1] not in _REGION_OF_LETTERS:
        return None
    site = match[1] + match[2]
    return _OLD_NAMES.get(site, site)


def read_montage(channels: Sequence[str]) -> Montage:
    """Sort channels into regions and left-right pairs by their names.

    Parameters
    ----------
    channels
        Names of all channels of a stream.

    Returns
    -------
    Montage

    Examples
    --------
    >>> montage = read_montage(("F3", "F4", "EEG T5", "VEOG", "extra"))
    >>> dict(zip(REGIONS, montage.members.sum(axis=1).tolist()))
    {'all': 4, 'frontal': 2, 'central': 0, 'posterior': 1}
    >>> montage.left, montage.right, montage.frontal_weight
    ((0,), (1,), array([1.]))
    """
    names = [name.strip().upper() for name in channels]
    numbered = _numbered(channels)
    ears = () if numbered else tuple(n for n, name in enumerate(names) if _EAR.match(name))
    eeg = np.array([_NOT_EEG.match(name) is None for name in names], bool)
    eeg[list(ears)] = False
    sites: list[str | None] = [None] * len(channels)
    if not numbered:
        sites = [site_of(name) if good else None for name, good in zip(channels, eeg, strict=True)]
    regions = [_region(site) for site in sites]
    members = np.array([[region == name for region in regions] for name in REGIONS], bool)
    members[0] = eeg
    pairs = _pairs(sites)
    weight = [_FRONTAL_PAIRS.get((str(sites[a]), str(sites[b])), 0.0) for a, b in pairs]
    return Montage(
        eeg,
        members,
        tuple(a for a, _ in pairs),
        tuple(b for _, b in pairs),
        np.array(weight, np.float64),
        ears,
        _eyes(names, sites),
    )


def _eyes(names: Sequence[str], sites: Sequence[str | None]) -> tuple[int, ...]:
    eog = [n for n, name in enumerate(names) if _EOG.match(name)]
    groups = [[n for n, site in enumerate(sites) if site in group] for group in _EYE_SITES]
    return tuple(next((group for group in (eog, *groups) if group), []))


def _region(site: str | None) -> str | None:
    return None if site is None else _REGION_OF_LETTERS[site.rstrip("0123456789ZH")]


def _pairs(sites: Sequence[str | None]) -> list[tuple[int, int]]:
    at = {site: position for position, site in enumerate(sites) if site is not None}
    pairs = []
    for site, left in at.items():
        letters = site.rstrip("0123456789ZH")
        number, half = site[len(letters) :].rstrip("H"), "H" * site.endswith("H")
        if number.isdigit() and int(number) % 2 == 1:
            right = at.get(f"{letters}{int(number) + 1}{half}")
            if right is not None:
                pairs.append((left, right))
    return pairs


def _numbered(channels: Sequence[str]) -> bool:
    """Tell plain numbering (C1..C8; BioSemi A1..A32, B1..) from names of sites."""
    names = [name.strip().upper() for name in channels]
    if any(re.match(r"^[ABDE]\d*[3-9]\d*$", name) for name in names):
        return True
    letters = {name.rstrip("0123456789") for name in names}
    numbers = {name[len(name.rstrip("0123456789")) :] for name in names}
    return (
        len(names) > 2
        and len(letters) == 1
        and numbers == {str(number) for number in range(1, len(names) + 1)}
    )
