"""Express EEG against another reference: the average, or linked mastoids or ears."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Bools, Chunk, Ints, StreamInfo
from biosense.processing.eeg.montage import Montage, read_montage, site_of

ReferenceKind = Literal["none", "average", "linked"]
"""How EEG is referenced: as recorded, against its average, or against mastoids or ear lobes."""


@dataclass
class Reference:
    """Subtract a reference from the EEG channels of a stream, sample by sample.

    "average" is the mean of the EEG channels that have a value; a bad channel spreads into all
    others by its share, so leave it out before (`BandPowers` averages the good channels of each
    window itself). "linked" is the mean of M1, M2 (or A1, A2, else TP9, TP10), whichever have a
    value; without any of them the sample has none. "none" passes the stream on. Channels that are
    no EEG stay as they are. There is no delay and no memory.

    Parameters
    ----------
    kind
        "none", "average" or "linked".

    Raises
    ------
    BadInput
        In `start`, for "linked" without any such channel, and "average" of fewer than 2.

    Examples
    --------
    >>> info = StreamInfo("cap", None, ("Cz", "M1", "M2"), 4.0, "V")
    >>> stage = Reference("linked")
    >>> out = stage.start(info)
    >>> stage.push(Chunk.of(info, [0.25], [[5.0, 1.0, 2.0]]))[0].data.tolist()
    [[3.5, -0.5, 0.5]]
    """

    kind: ReferenceKind = "average"
    _info: StreamInfo = field(init=False, repr=False)
    _eeg: Bools = field(init=False, repr=False)
    _from: Ints = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in get_args(ReferenceKind):
            raise BadInput(f"kind={self.kind!r} must be one of {get_args(ReferenceKind)}")

    def start(self, info: StreamInfo) -> StreamInfo:
        """Find the channels of the reference by name."""
        montage = read_montage(info.channels)
        self._eeg = montage.eeg.copy()
        self._from = np.flatnonzero(montage.eeg)
        if self.kind == "linked":
            self._from = _linked(info, montage)
            self._eeg[self._from] = True
        if self.kind == "average" and len(self._from) < 2:
            raise BadInput(
                f"an average reference needs at least 2 EEG channels, {info.name!r} has "
                f'{len(self._from)}: choose "none" or "linked"'
            )
        self._info = replace(info, dtype="float64")
        return self._info

    def push(self, item: Chunk) -> Sequence[Chunk]:
        """Return the chunk with the reference subtracted."""
        data = item.data.astype(np.float64)
        if self.kind != "none":
            source = data[:, self._from]
            known = np.isfinite(source)
            count = known.sum(axis=1)
            # A loop of numpy's over rows sums in the same order for every length of chunk.
            total = np.where(known, source, 0.0).sum(axis=1)
            mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
            data[:, self._eeg] -= mean[:, None]
        return [replace(item, info=self._info, data=data)]

    def flush(self) -> Sequence[Chunk]:
        """Return nothing: no sample is held back."""
        return []


def _linked(info: StreamInfo, montage: Montage) -> Ints:
    temporal = [n for n, name in enumerate(info.channels) if site_of(name) in ("TP9", "TP10")]
    if not (montage.ears or temporal):
        raise BadInput(
            f"{info.name!r} has no channel M1, M2, A1, A2, TP9 or TP10 to link; it has "
            f'{", ".join(info.channels)}: choose "average" or "none"'
        )
    return np.array(montage.ears or temporal, np.int64)
