"""Camera pulse, frame by frame: POS, and for comparison CHROM and the green channel alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from biosense.core.types import Chunk, Floats, StreamInfo
from biosense.processing.rppg.skin_colour import WaveStream

WAVE_CHANNELS = ("pulse", "background")
"""Blood volume pulse of the skin, upright, and the same projection of the background patch, both as
a fraction of the mean colour."""

_POS_PLANE = np.array([[0.0, -2.0], [1.0, 1.0], [-1.0, 1.0]])  # S1 = G - B, S2 = -2R + G + B
_CHROM_PLANE = np.array([[3.0, 1.5], [-2.0, 1.0], [0.0, -1.5]])  # X = 3R - 2G, Y = 1.5R + G - 1.5B
_NOTHING = 1e-26  # mean square of a change that is only rounding


def pos_wave(change: Floats) -> Floats:
    """Return the POS waves of windows of colour changes, blood upright: the paper's fall with it.

    Parameters
    ----------
    change
        Red, green and blue over their means, less 1, shape (windows, l, 3).

    Returns
    -------
    Floats
        Colour projected onto the plane orthogonal to the skin tone, shape (windows, l), as a
        fraction of the mean colour.

    References
    ----------
    .. [1] W. Wang, A. C. den Brinker, S. Stuijk and G. de Haan, "Algorithmic principles of remote
       PPG," IEEE Transactions on Biomedical Engineering 64(7), 1479-1491, 2017.

    Examples
    --------
    >>> brightness = 0.1 * np.sin(np.arange(48.0))[:, None]
    >>> bool(np.abs(pos_wave((brightness * np.ones(3))[None])).max() < 1e-12)
    True
    """
    return -_tuned(change @ _POS_PLANE, 1.0)


def chrom_wave(change: Floats) -> Floats:
    """Return the CHROM waves of windows of colour changes, blood upright.

    The paper [1]_ band-passes within the window, which its edges spoil; here the mean is removed
    and nothing else, and windows advance by one frame.

    Parameters
    ----------
    change
        Red, green and blue over their means, less 1, shape (windows, l, 3).

    Returns
    -------
    Floats
        Shape (windows, l), as a fraction of the mean colour.

    References
    ----------
    .. [1] G. de Haan and V. Jeanne, "Robust pulse rate from chrominance-based rPPG," IEEE
       Transactions on Biomedical Engineering 60(10), 2878-2886, 2013.
    """
    return _tuned(change @ _CHROM_PLANE, -1.0)


def green_wave(change: Floats) -> Floats:
    """Return what the green channel alone says [1]_, blood upright.

    Parameters
    ----------
    change
        Red, green and blue over their means, less 1, shape (windows, l, 3).

    Returns
    -------
    Floats
        Shape (windows, l), as a fraction of the mean colour.

    References
    ----------
    .. [1] W. Verkruysse, L. O. Svaasand and J. S. Nelson, "Remote plethysmographic imaging using
       ambient light," Optics Express 16(26), 21434-21445, 2008.
    """
    return -change[:, :, 1]


def _tuned(pairs: Floats, sign: float) -> Floats:
    """Add the two projections in (windows, l, 2), the second made as strong as the first."""
    power = np.einsum("nlk,nlk->nk", pairs, pairs)
    still = power[:, 1] <= _NOTHING * pairs.shape[1]
    ratio = np.where(still, 0.0, power[:, 0] / np.where(still, 1.0, power[:, 1]))
    wave: Floats = pairs[:, :, 0] + sign * np.sqrt(ratio)[:, None] * pairs[:, :, 1]
    return wave


@dataclass
class _ColourWaves:
    """What the three methods share: each only says how a window of colours becomes a wave."""

    _stream: WaveStream = field(init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        """Check the channels: they must be those of a camera's colour stream."""
        self._stream = WaveStream.start(info, WAVE_CHANNELS, self.wave)
        return self._stream.info

    def push(self, item: Chunk) -> Sequence[Chunk]:
        """Return the samples that became final."""
        return self._stream.chunks(self._stream.waves.push(item))

    def flush(self) -> Sequence[Chunk]:
        """Return the last samples of the run, which fewer windows hold, and begin a new run."""
        return self._stream.chunks(self._stream.waves.finish())

    @staticmethod
    def wave(change: Floats) -> Floats:
        """Return the waves of windows of relative colours."""
        raise NotImplementedError


@dataclass
class Pos(_ColourWaves):
    """Turn skin and background colour on a sample grid into pulse waves, streaming POS.

    Every sample is the mean of the projections of all windows (1.6 s) that hold it, so it is final
    l - 1 samples (1.57 s at 30 Hz) after it came in: it is put out then, at its own time. Windows
    do not reach across a gap, nor across samples without any skin (or background); samples that no
    window holds are NaN, and not ok where the pulse is concerned. Samples at the edge of a run are
    the mean of fewer windows. The sign is that of blood volume, opposite to the paper.

    Examples
    --------
    >>> from biosense.core.camera_streams import RPPG_COLOURS
    >>> info = StreamInfo("webcam", None, RPPG_COLOURS, 30.0)
    >>> stage = Pos()
    >>> stage.start(info).channels
    ('pulse', 'background')
    >>> frames = np.tile([0.5, 0.4, 0.3, 900.0], (60, 4))
    >>> len(stage.push(Chunk.of(info, np.arange(60) / 30, frames))[0].times)  # 47 are held back
    13
    """

    wave = staticmethod(pos_wave)


@dataclass
class Chrom(_ColourWaves):
    """Turn skin and background colour into pulse waves by CHROM: for comparison with `Pos`.

    Latency, gaps and edges are those of `Pos`. It resists motion less where the light is not white.

    Examples
    --------
    >>> from biosense.core.camera_streams import RPPG_COLOURS
    >>> Chrom().start(StreamInfo("webcam", None, RPPG_COLOURS, 30.0)).channels
    ('pulse', 'background')
    """

    wave = staticmethod(chrom_wave)


@dataclass
class Green(_ColourWaves):
    """Turn skin and background colour into the falls of green: for comparison with `Pos`.

    The least noise where nothing moves and the light is steady; no defence where it is not.

    Examples
    --------
    >>> from biosense.core.camera_streams import RPPG_COLOURS
    >>> Green().start(StreamInfo("webcam", None, RPPG_COLOURS, 30.0)).channels
    ('pulse', 'background')
    """

    wave = staticmethod(green_wave)
