"""Differential entropy of every EEG channel in every band: for models that keep the channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.types import Epoch, Floats, StreamInfo
from biosense.processing.eeg.band_powers import BANDS, BandPowers
from biosense.processing.eeg.montage import read_montage


def differential_entropy(log_power: Floats) -> Floats:
    """Return the differential entropy of a Gaussian signal from the logarithm of its power.

    It is 0.5 ln(2 pi e P) [1]_, with P in uV^2 as everywhere here.

    Parameters
    ----------
    log_power
        ln(uV^2), any shape.

    Returns
    -------
    Floats
        Nats, the same shape.

    References
    ----------
    .. [1] R.-N. Duan, J.-Y. Zhu and B.-L. Lu, "Differential entropy feature for EEG-based emotion
       classification," 6th International IEEE/EMBS Conference on Neural Engineering, 81-84, 2013.

    Examples
    --------
    >>> round(float(differential_entropy(np.array(0.0))), 4)
    1.4189
    """
    entropy: Floats = 0.5 * log_power + 0.5 * np.log(2 * np.pi * np.e)
    return entropy


@dataclass
class ChannelEntropies:
    """Turn windows of EEG in volts into the differential entropy of each channel and band.

    Features are named like "Fp1_alpha", channel by channel; what depends on a montage in this way
    fits no other, so it is in no default pipeline. A channel that cannot be used is NaN.

    Parameters
    ----------
    powers
        Limits of artefacts and reference.

    Examples
    --------
    >>> info = StreamInfo("cap", None, ("Fp1", "Oz", "EOG"), 128.0, "V")
    >>> ChannelEntropies().start(info).channels[4:6]
    ('Fp1_gamma', 'Oz_delta')
    """

    powers: BandPowers = field(default_factory=BandPowers)
    _info: StreamInfo = field(init=False, repr=False)
    _eeg: list[int] = field(init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        """Name the features after the EEG channels; the input must be in volts."""
        self.powers.start(info)
        self._eeg = np.flatnonzero(read_montage(info.channels).eeg).tolist()
        names = tuple(f"{info.channels[at]}_{band}" for at in self._eeg for band in BANDS)
        self._info = replace(info, channels=names, unit="", dtype="float64")
        return self._info

    def push(self, item: Epoch) -> Sequence[Epoch]:
        """Return the entropies of a window."""
        where = (self._info, item.index, item.start, item.stop)
        if len(item.data) == 0:
            data = np.full(self._info.n_channels, np.nan)
            return [Epoch(*where, data, 0.0, item.reason)]
        log_power, usable = self.powers.channel_powers(item.data.T[None])
        entropy = np.where(usable, differential_entropy(log_power), np.nan)[0][:, self._eeg]
        share = float(usable[0][:, self._eeg].mean())
        data = np.ascontiguousarray(entropy.T).ravel()
        return [Epoch(*where, data, item.quality * share, item.reason)]

    def flush(self) -> Sequence[Epoch]:
        """Return nothing: every window was answered at once."""
        return []
