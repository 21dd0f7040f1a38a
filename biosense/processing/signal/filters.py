"""Causal Butterworth filters and the notch, as stages; several run as one cascade in `Cascade`.

A filter that runs live delays the signal; `delay` of each class says by how much. Removing the
delay by filtering forward and backward needs the future, and is in no live pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal

from biosense.core.errors import BadInput
from biosense.core.types import Floats, StreamInfo
from biosense.processing.signal.sos import SosStage


def check_cutoff(name: str, frequency: float, info: StreamInfo) -> None:
    """Check that a frequency lies between 0 and Nyquist of a stream.

    Parameters
    ----------
    name
        Of the parameter.
    frequency
        Hz.
    info
        The stream.

    Raises
    ------
    BadInput
        It does not, or the stream is irregular.
    """
    if info.sfreq == 0:
        raise BadInput(f"{info.name!r} is irregular: put Regularise(sfreq=..) before a filter")
    nyquist = info.sfreq / 2
    if not 0 < frequency < nyquist:
        raise BadInput(
            f"{name}={frequency} Hz must be above 0 and below Nyquist ({nyquist} Hz) of "
            f"{info.name!r}"
        )


def _check_order(order: int) -> None:
    if order < 1:
        raise BadInput(f"order={order} of a filter must be at least 1")


@dataclass
class Cascade(SosStage):
    """Run several filters one after another in a single pass.

    The output of the stream's first samples, and of those after a gap, is not ok until the cascade
    has settled.

    Parameters
    ----------
    designs
        Filters in their order.

    Examples
    --------
    >>> from biosense.core import Chunk
    >>> stage = Cascade((Notch(50.0), BandPass(1.0, 40.0)))
    >>> info = StreamInfo("cap", None, ("Cz",), 256.0, "V")
    >>> out = stage.start(info)
    >>> chunk = Chunk.of(info, [1.0, 1.00390625], [[3.0], [3.0]])
    >>> stage.push(chunk)[0].data.round(9).tolist()
    [[0.0], [0.0]]
    """

    designs: tuple[SosStage, ...]

    def __post_init__(self) -> None:
        if not self.designs:
            raise BadInput("a cascade needs at least 1 filter, got none")

    def sos(self, info: StreamInfo) -> Floats:
        """Return the sections of all filters, shape (sections, 6)."""
        return np.concatenate([design.sos(info) for design in self.designs])


@dataclass
class BandPass(SosStage):
    """Keep the frequencies between `low` and `high` Hz (Butterworth).

    Parameters
    ----------
    low, high
        Frequencies where 3 dB are lost, Hz.
    order
        Order as given to the designer; a band-pass has twice that.

    Examples
    --------
    >>> info = StreamInfo("cap", None, ("Cz",), 256.0, "V")
    >>> round(BandPass(1.0, 40.0).delay(10.0, info) * 1000)  # ms
    8
    """

    low: float
    high: float
    order: int = 2

    def __post_init__(self) -> None:
        _check_order(self.order)
        if not 0 < self.low < self.high:
            raise BadInput(f"low={self.low} Hz must be above 0 and below high={self.high} Hz")

    def sos(self, info: StreamInfo) -> Floats:
        """Return the second-order sections for a stream, shape (order, 6)."""
        check_cutoff("high", self.high, info)
        band = (self.low, self.high)
        return signal.butter(self.order, band, "bandpass", fs=info.sfreq, output="sos")


@dataclass
class LowPass(SosStage):
    """Keep the frequencies below `cutoff` Hz (Butterworth).

    Parameters
    ----------
    cutoff
        Frequency where 3 dB are lost, Hz.
    order
        Order of the filter.
    """

    cutoff: float
    order: int = 2

    def __post_init__(self) -> None:
        _check_order(self.order)

    def sos(self, info: StreamInfo) -> Floats:
        """Return the second-order sections for a stream, shape (sections, 6)."""
        check_cutoff("cutoff", self.cutoff, info)
        return signal.butter(self.order, self.cutoff, "lowpass", fs=info.sfreq, output="sos")


@dataclass
class HighPass(SosStage):
    """Keep the frequencies above `cutoff` Hz (Butterworth).

    Parameters
    ----------
    cutoff
        Frequency where 3 dB are lost, Hz.
    order
        Order of the filter.
    """

    cutoff: float
    order: int = 2

    def __post_init__(self) -> None:
        _check_order(self.order)

    def sos(self, info: StreamInfo) -> Floats:
        """Return the second-order sections for a stream, shape (sections, 6)."""
        check_cutoff("cutoff", self.cutoff, info)
        return signal.butter(self.order, self.cutoff, "highpass", fs=info.sfreq, output="sos")


@dataclass
class Notch(SosStage):
    """Take out mains hum: `frequency` Hz and, on request, its multiples.

    Parameters
    ----------
    frequency
        Mains frequency, Hz: set it, it is never guessed.
    q
        Frequency over the width of the notch (-3 dB).
    harmonics
        How many multiples of the frequency are taken out, 1 for the frequency alone; those above
        Nyquist are left out.

    Examples
    --------
    >>> Notch(60.0, harmonics=2).sos(StreamInfo("cap", None, ("Cz",), 256.0, "V")).shape
    (2, 6)
    """

    frequency: float
    q: float = 30.0
    harmonics: int = 1

    def __post_init__(self) -> None:
        if self.q <= 0 or self.harmonics < 1:
            raise BadInput(f"q={self.q} must be above 0 and harmonics={self.harmonics} at least 1")

    def sos(self, info: StreamInfo) -> Floats:
        """Return the second-order sections for a stream, shape (sections, 6)."""
        check_cutoff("frequency", self.frequency, info)
        multiples = [self.frequency * (1 + n) for n in range(self.harmonics)]
        inside = [frequency for frequency in multiples if frequency < info.sfreq / 2]
        notches = [signal.iirnotch(frequency, self.q, fs=info.sfreq) for frequency in inside]
        return np.array([np.concatenate(notch) for notch in notches])
