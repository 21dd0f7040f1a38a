"""Camera pulse: the plane-orthogonal-to-skin projection of the skin colour, frame by frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.camera_streams import RPPG_CHANNELS, RPPG_REGIONS
from biosense.core.errors import BadInput
from biosense.core.grid import contiguous_runs, sample_indices
from biosense.core.ring import MirroredRing
from biosense.core.types import Bools, Chunk, Floats, Ints, StreamInfo

POS_CHANNELS = ("pulse", "background")
"""Blood volume pulse of the skin, upright, and the same projection of the background patch, both as
a fraction of the mean colour."""

POS_WINDOW_S = 1.6  # Wang et al. 2017
_BACKGROUND = RPPG_REGIONS.index("background")
_DARK = 1e-6  # mean linear colour below which a region shows nothing to divide by


def pos_samples(sfreq: float) -> int:
    """Return the length l of a window of POS in samples; its latency is l - 1.

    >>> pos_samples(30.0)
    48
    """
    return int(np.ceil(POS_WINDOW_S * sfreq - 1e-9))


def pos_projection(colour: Floats) -> Floats:
    """Project one window of colour onto the plane orthogonal to the skin tone.

    Wang, den Brinker, Stuijk & de Haan, IEEE TBME 64:1479, 2017. The output falls when the blood
    volume rises, as in the paper.

    Parameters
    ----------
    colour
        Mean red, green, blue, shape (n, 3), each with a positive mean.

    Returns
    -------
    Floats
        Signal with zero mean, fraction of the mean colour, shape (n,).

    Examples
    --------
    >>> brightness = 1 + 0.1 * np.sin(np.arange(48.0))[:, None]
    >>> bool(np.abs(pos_projection(brightness * [0.6, 0.4, 0.3])).max() < 1e-12)
    True
    """
    red, green, blue = (colour / colour.mean(axis=0)).T
    first = green - blue
    second = green + blue - 2 * red
    spread = second.std()
    signal = first + (first.std() / spread) * second if spread > 0 else first
    centred: Floats = signal - signal.mean()
    return centred


@dataclass
class Pos:
    """Turn skin and background colour on a sample grid into pulse waves, streaming POS.

    Every sample is the mean of the projections of all windows that hold it, so it is final l - 1
    samples (1.57 s at 30 Hz) after it came in: it is put out then, at its own time. Windows do not
    reach across a gap, nor across samples without any skin (or background); samples that no
    window holds are NaN, and not ok where the pulse is concerned. Samples at the edge of a run are
    the mean of fewer windows. The sign is that of blood volume, opposite to the paper.

    Within a window the regions of skin that are in view all along are averaged with their mean
    pixel counts: counts that change from frame to frame would otherwise mix the regions' colours
    in changing parts, which looks like a pulse.

    Examples
    --------
    >>> info = StreamInfo("webcam", None, RPPG_CHANNELS, 30.0)
    >>> stage = Pos()
    >>> stage.start(info).channels
    ('pulse', 'background')
    >>> frames = np.tile([0.5, 0.4, 0.3, 900.0], (60, 4))
    >>> len(stage.push(Chunk.of(info, np.arange(60) / 30, frames))[0].times)  # 47 are held back
    13
    """

    _info: StreamInfo = field(init=False, repr=False)
    _length: int = field(init=False, repr=False)
    _expected: int | None = field(init=False, repr=False)
    _frames: MirroredRing = field(init=False, repr=False)
    _complete: Ints = field(init=False, repr=False)
    _sums: Floats = field(init=False, repr=False)
    _counts: Floats = field(init=False, repr=False)
    _times: deque[float] = field(init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        """Check the channels: they must be those of a camera's colour stream."""
        if info.channels != RPPG_CHANNELS:
            raise BadInput(
                f"channels of {info.name!r} must be RPPG_CHANNELS (forehead_r .. "
                f"background_pixels), got {info.channels}"
            )
        if info.sfreq < 8:
            raise BadInput(f"sfreq={info.sfreq} Hz of {info.name!r} must be at least 8 Hz for POS")
        self._length = pos_samples(info.sfreq)
        self._info = replace(info, channels=POS_CHANNELS, unit="", dtype="float64")
        self._expected = None
        self._frames = MirroredRing(self._length, len(RPPG_CHANNELS))
        self._begin_run()
        return self._info

    def push(self, item: Chunk) -> Sequence[Chunk]:
        """Return the samples that became final."""
        indices = sample_indices(item)
        done: list[Chunk] = []
        for start, stop, fresh in contiguous_runs(indices, self._expected):
            if fresh:
                done.extend(self.flush())
            done.extend(self._push_run(item.slice(start, stop)))
        if len(indices):
            self._expected = int(indices[-1]) + 1
        return done

    def flush(self) -> Sequence[Chunk]:
        """Return the last samples of the run, which fewer windows hold, and begin a new run."""
        rows = self._mean(self._length - len(self._times), self._length)
        times = list(self._times)
        self._begin_run()
        return self._chunk(times, rows)

    def _begin_run(self) -> None:
        """Forget the samples before a jump."""
        self._complete = np.zeros(len(RPPG_REGIONS), np.int64)  # samples in view without a break
        # Row j belongs to the sample l - 1 - j before the newest one.
        self._sums = np.zeros((self._length, 2))
        self._counts = np.zeros((self._length, 2))
        self._times = deque()

    def _push_run(self, run: Chunk) -> list[Chunk]:
        in_view = _in_view(run.data) & run.ok[:, None]
        # An absent region is made 0, so that its NaN does not reach the sums over regions.
        colour = np.where(np.repeat(in_view, 4, axis=1), run.data, 0.0)
        times: list[float] = []
        rows: list[Floats] = []
        # Frame by frame: the windows overlap in all but one sample, and the ring moves with them.
        for time, frame, seen in zip(run.times.tolist(), colour, in_view, strict=True):
            self._add_frame(time, frame[None, :], seen)
            if len(self._times) == self._length:
                times.append(self._times.popleft())
                rows.append(self._mean(0, 1))
        return self._chunk(times, np.concatenate(rows)) if rows else []

    def _add_frame(self, time: float, frame: Floats, seen: Bools) -> None:
        self._times.append(time)
        self._frames.append(frame)
        self._complete = np.where(seen, self._complete + 1, 0)
        for part in (self._sums, self._counts):
            part[:-1] = part[1:]
            part[-1] = 0.0
        whole = self._complete >= self._length
        if not whole.any():
            return
        window = self._frames.last(self._length).reshape(self._length, len(RPPG_REGIONS), 4)
        skin = [region for region in np.flatnonzero(whole).tolist() if region != _BACKGROUND]
        if skin:
            self._overlap_add(0, _skin_colour(window[:, skin]))
        if whole[_BACKGROUND]:
            self._overlap_add(1, window[:, _BACKGROUND, :3])

    def _overlap_add(self, column: int, colour: Floats) -> None:
        if colour.mean(axis=0).min() > _DARK:
            self._sums[:, column] -= pos_projection(colour)
            self._counts[:, column] += 1

    def _mean(self, start: int, stop: int) -> Floats:
        sums, counts = self._sums[start:stop], self._counts[start:stop]
        mean: Floats = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        return mean

    def _chunk(self, times: list[float], rows: Floats) -> list[Chunk]:
        if not times:
            return []
        return [Chunk(self._info, np.array(times), rows, np.isfinite(rows[:, 0]))]


def _in_view(data: Floats) -> Bools:
    """Tell which regions are in view, shape (n, regions)."""
    values = data.reshape(len(data), len(RPPG_REGIONS), 4)
    seen: Bools = np.isfinite(values).all(axis=2) & (values[:, :, 3] > 0)
    return seen


def _skin_colour(window: Floats) -> Floats:
    """Average regions of skin, (n, regions, 4) with pixel counts last, to (n, 3)."""
    pixels = window[:, :, 3].mean(axis=0)
    colour: Floats = np.einsum("nrc,r->nc", window[:, :, :3], pixels / pixels.sum())
    return colour
