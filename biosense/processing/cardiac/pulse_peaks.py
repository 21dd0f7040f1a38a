"""Find pulse waves in a photoplethysmogram while it arrives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import signal

from biosense.core.errors import BadInput
from biosense.core.grid import contiguous_runs, sample_indices
from biosense.core.types import Bools, Chunk, Floats, StreamInfo
from biosense.processing.cardiac.beat_confidence import BeatConfidence, ramp
from biosense.processing.cardiac.beat_decision import AdaptiveThresholds
from biosense.processing.cardiac.beat_detector import BeatDetector
from biosense.processing.cardiac.beat_rows import BeatRow, beat_chunks, beat_info
from biosense.processing.signal.peak_tracker import parabolic_peak
from biosense.processing.signal.small_chunk_filter import SmallChunkFilter

REFRACTORY_S = 0.3
SEARCH_S = 0.12  # the steepest point lies within this of the envelope's peak, delay removed
SHAPE_S = 0.2  # on either side of the steepest point
SNR = (1.3, 2.0)  # lower than for ECG: the dicrotic wave counts as noise
SKEW_S = 4.0  # time constant of the skewness that tells the polarity
SWITCH_SKEW = 0.4
# Skewness of what rises and falls alike (a swinging arm, breath) is below 0.15, of pulse waves
# above 0.6 (wearable finger sensor and simulations, 5 % quantile); between these, one is doubted.
UPRIGHT = (0.2, 0.5)
SWITCH_S = 5.0  # the other polarity must look right for so long


@dataclass
class PulsePeaks:
    """Detect pulse waves online by their steepest upstroke.

    Takes a regularised PPG of any scale, 25 to 500 Hz, of either polarity: blood volume upwards, or
    reflected light as it comes from the diode. Gives beats as `RPeaks` does; the time is the
    steepest point of the systolic upstroke (a foot or a peak moves more with noise and is lost when
    the signal saturates), the amplitude is its slope in units of the input per second. A beat is
    known at most 0.5 s after; those found while learning (first 3 s) or by searching back are
    `late`.

    The polarity is learned from skewness: a pulse wave stands upright where its peaks are narrower
    than its valleys [1]_ and its upstrokes steeper than its downstrokes. Both polarities are
    followed all the time and the likelier one is given out. What is not skewed either way is no
    pulse, however regular: its confidence is 0.

    Parameters
    ----------
    low_pass
        Cut-off of the smoothing (Bessel, second order), Hz.
    hold
        A pulse counts when the envelope stays below it for so long, seconds.

    References
    ----------
    .. [1] M. Elgendi, "Optimal signal quality index for photoplethysmogram signals," Bioengineering
       3(4), 21, 2016.

    Examples
    --------
    >>> from biosense.core.types import Modality
    >>> info = StreamInfo("finger", Modality.PPG, ("ppg",), 64.0, "mV")
    >>> times = np.arange(64 * 12) / 64
    >>> ppg = np.exp(3 * np.cos(2 * np.pi * times / 0.8 + 0.5 * np.sin(2 * np.pi * times / 0.8)))
    >>> detector = PulsePeaks()
    >>> beats_info = detector.start(info)
    >>> [beats] = detector.push(Chunk.of(info, times, ppg[:, None]))
    >>> np.diff(beats.times).round(2).tolist()[2:5]
    [0.8, 0.8, 0.8]
    """

    low_pass: float = 8.0
    hold: float = 0.2
    _front: _SlopeFilter = field(init=False, repr=False)
    _detectors: tuple[BeatDetector, BeatDetector] = field(init=False, repr=False)
    _polarity: _Polarity = field(init=False, repr=False)
    _info: StreamInfo = field(init=False, repr=False)
    _sfreq: float = field(init=False, repr=False)
    _expected: int | None = field(init=False, repr=False)
    _given: float = field(init=False, repr=False)
    _believed: float = field(init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        """Design the filters for the rate of the stream and forget everything."""
        if info.n_channels != 1 or not 25 <= info.sfreq <= 500:
            raise BadInput(
                f"{info.name!r} has {info.n_channels} channels at {info.sfreq} Hz; pulse waves "
                "need 1 channel, regularised, at 25 to 500 Hz: pick one or decimate"
            )
        self._sfreq = info.sfreq
        self._front = _SlopeFilter(info.sfreq, self.low_pass)
        self._detectors = (self._detector(), self._detector())
        self._polarity = _Polarity()
        self._expected, self._given, self._believed = None, -np.inf, 0.0
        self._info = beat_info(info)
        return self._info

    @property
    def latency(self) -> float:
        """Longest time from an upstroke to its confirmation, seconds; late beats excepted."""
        return self._detectors[0].latency

    def push(self, item: Chunk) -> Sequence[Chunk]:
        """Take samples; return the pulse waves that they settle."""
        valid = np.isfinite(item.data[:, 0])
        indices, values, ok = sample_indices(item)[valid], item.data[valid, 0], item.ok[valid]
        rows: list[BeatRow] = []
        for begin, stop, fresh in contiguous_runs(indices, self._expected):
            if fresh:
                rows += self._jump(int(indices[begin]), float(values[begin]))
            rows += self._run(values[begin:stop], ok[begin:stop], int(indices[begin]))
            self._expected = int(indices[stop - 1]) + 1
        return beat_chunks(self._info, rows)

    def flush(self) -> Sequence[Chunk]:
        """Return the last pulse wave, if its samples were complete."""
        if self._expected is None:
            return []
        return beat_chunks(self._info, self._close((self._expected - 1) / self._sfreq))

    def _detector(self) -> BeatDetector:
        delay, light_delay = self._front.measure_delay()
        return BeatDetector(
            self._sfreq,
            hold=round(self.hold * self._sfreq),
            delay=delay,
            light_delay=light_delay,
            reach=round(SEARCH_S * self._sfreq),
            around=round(SHAPE_S * self._sfreq),
            either_sign=False,
            thresholds=AdaptiveThresholds(refractory=REFRACTORY_S, t_wave=0.0, learn=3.0),
            confidence=BeatConfidence(snr=SNR),
        )

    def _jump(self, now: int, first: float) -> list[BeatRow]:
        rows: list[BeatRow] = []
        if self._expected is not None:
            rows = self._close(now / self._sfreq)
            for detector in self._detectors:
                detector.thresholds.gap(now / self._sfreq, (now - self._expected) / self._sfreq)
        for detector in self._detectors:
            detector.prime(now)
        self._front.prime(first)
        return rows

    def _run(self, values: Floats, ok: Bools, first: int) -> list[BeatRow]:
        slope, envelopes, skew = self._front.filter(values)
        found = [
            (row.known_at, inverted, row)
            for inverted, detector in enumerate(self._detectors)
            for row in detector.push(-slope if inverted else slope, envelopes[:, inverted], ok)
        ]
        rows: list[BeatRow] = []
        for known, inverted, row in sorted(found, key=lambda entry: entry[:2]):
            at = round(known * self._sfreq) - first
            self._polarity.update(known, float(skew[at]))
            self._believed = ramp(abs(float(skew[at])), *UPRIGHT)
            rows += self._chosen(bool(inverted), row)
        return rows

    def _close(self, known: float) -> list[BeatRow]:
        return [
            row
            for inverted, detector in enumerate(self._detectors)
            for closed in detector.close(known)
            for row in self._chosen(bool(inverted), closed)
        ]

    def _chosen(self, inverted: bool, row: BeatRow) -> list[BeatRow]:
        """Give out beats of the polarity that holds now, and none twice after a switch."""
        if inverted != self._polarity.inverted or row.time < self._given + REFRACTORY_S:
            return []
        self._given = row.time
        return [row._replace(confidence=self._believed * row.confidence)]


@dataclass
class _Polarity:
    """Follow the sign of the skewness of the slopes, slowly once it is known."""

    inverted: bool = False
    known: bool = False
    _doubted: float | None = None

    def update(self, now: float, skew: float) -> None:
        if not self.known:
            self.known, self.inverted = True, skew < 0
        contrary = (skew if self.inverted else -skew) > SWITCH_SKEW
        if not contrary:
            self._doubted = None
        elif self._doubted is None:
            self._doubted = now
        elif now - self._doubted >= SWITCH_S:
            self.inverted, self._doubted = not self.inverted, None


class _SlopeFilter:
    """Filter a PPG into its slope, one envelope for each polarity, and a measure of polarity."""

    def __init__(self, sfreq: float, low_pass: float) -> None:
        self._sfreq = sfreq
        low = signal.bessel(2, low_pass, fs=sfreq, output="sos", norm="mag")
        drift = signal.butter(1, 0.5, "highpass", fs=sfreq, output="sos")
        self._level = SmallChunkFilter(np.concatenate([low, drift]))
        window = signal.windows.triang(max(3, round(0.25 * sfreq)))
        self._window = window / window.sum()
        self._forget = np.exp(-1 / (SKEW_S * sfreq))
        self._moment_state = np.zeros((1, 4))  # outlives gaps: the polarity does too
        self.prime(0.0)

    def prime(self, first: float) -> None:
        """Begin anew, as if the first value had been there for ever."""
        self._level.prime(first)
        self._window_state = np.zeros((len(self._window) - 1, 2))
        self._before = 0.0

    def filter(self, values: Floats) -> tuple[Floats, Floats, Floats]:
        """Return slope (n,), envelopes (n, 2) and how upright the waves are (n,)."""
        level = self._level.filter(values)
        slope = np.diff(level, prepend=self._before) * self._sfreq
        self._before = float(level[-1])
        sides = np.maximum(np.stack([slope, -slope], axis=1), 0.0)
        # The second coefficient keeps scipy off np.convolve, whose sums depend on the cutting.
        energy, self._window_state = signal.lfilter(
            self._window, [1.0, 0.0], sides**2, axis=0, zi=self._window_state
        )
        return slope, np.sqrt(np.maximum(energy, 0.0)), self._uprightness(level, slope)

    def _uprightness(self, level: Floats, slope: Floats) -> Floats:
        """Return the skewness of level and slope together, over the last seconds, shape (n,)."""
        both = np.stack([level, slope], axis=1)
        squares = both * both
        powers = np.concatenate([squares, squares * both], axis=1)
        moments, self._moment_state = signal.lfilter(
            [1 - self._forget], [1.0, -self._forget], powers, axis=0, zi=self._moment_state
        )
        spread = np.maximum(moments[:, :2], 1e-60)
        skewness = moments[:, 2:] / (spread * np.sqrt(spread))
        return np.asarray(skewness[:, 0] + skewness[:, 1])

    def measure_delay(self) -> tuple[int, float]:
        """Measure on a smooth upstroke how late the envelope and the slope peak."""
        at = round(2 * self._sfreq)
        steps = (np.arange(2 * at) - at) / (0.05 * self._sfreq)
        slope, envelopes, _ = self.filter(1 / (1 + np.exp(-steps)))
        self.prime(0.0)
        self._moment_state = np.zeros((1, 4))
        late = parabolic_peak(slope, int(np.argmax(slope)))[0] - at
        return int(np.argmax(envelopes[:, 0])) - at, late
