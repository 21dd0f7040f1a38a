"""What a few seconds of a raw signal show to be wrong with it: for the pre-flight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from biosense.core.camera_streams import FACE_CHANNELS, RPPG_CHANNELS
from biosense.core.mains import MAINS_HZ
from biosense.core.skin import LEVEL_C, LEVEL_US
from biosense.core.types import Bools, Chunk, Floats, Modality
from biosense.core.units import unit_problem
from biosense.estimation.signal_quality import clipped_share
from biosense.processing.signal.units import ToSI

_LEAST_SAMPLES = 16  # below, nothing can be said of a signal
_FLAT_V = {Modality.EEG: 0.5e-6, Modality.ECG: 10e-6}  # the noise of any amplifier is near that
_LARGE_V = {Modality.EEG: 1e-3, Modality.ECG: 20e-3, Modality.EMG: 20e-3}  # about the median
_SMALL_V = {Modality.ECG: 100e-6}  # an R peak is larger in every usual lead
_LEVELS = {  # unit, least and greatest plausible level
    Modality.EDA: ("S", 1e-6 * LEVEL_US[0], 1e-6 * LEVEL_US[1]),
    Modality.TEMP: ("degC", *LEVEL_C),
}
_CLIPPED_WARN, _CLIPPED_FAIL = 0.01, 0.1  # share of samples at a rail
_FACES_WARN, _FACES_FAIL = 0.1, 0.5  # share of frames without a face
_DARK, _BRIGHT = 0.02, 0.95  # linear, of 1
_NAMED = 4


class Severity(StrEnum):
    """Say how bad something is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """Hold one thing that was found: of a stream, or of the run where `stream` is empty."""

    stream: str
    severity: Severity
    text: str

    def __str__(self) -> str:
        return f"{self.stream}: {self.text}" if self.stream else self.text


def check_signal(chunk: Chunk, *, mains_hz: float, max_mains: float) -> list[Finding]:
    """Look for flat, clipped and noisy channels, and for values that cannot be.

    Parameters
    ----------
    chunk
        Some seconds of a raw stream, in the sender's unit.
    mains_hz
        Mains frequency that the run is set to, Hz.
    max_mains
        Share of a channel's power above 1 Hz that hum of the mains may have.

    Returns
    -------
    list of Finding
        What is wrong; empty where nothing is.

    Examples
    --------
    >>> from biosense.core import StreamInfo
    >>> info = StreamInfo("cap", Modality.EEG, ("Cz",), 250.0, "uV")
    >>> dead = Chunk.of(info, np.arange(500) / 250, np.zeros((500, 1)))
    >>> [str(found) for found in check_signal(dead, mains_hz=50.0, max_mains=0.5)]
    ['cap: flat: Cz']
    """
    info = chunk.info
    if info.modality is None or info.is_text or info.sfreq == 0 or chunk.n < _LEAST_SAMPLES:
        return []
    if info.modality is Modality.FACE:
        return _check_face(chunk)
    if info.modality is Modality.RPPG:
        return _check_light(chunk)
    usable = np.isfinite(chunk.data.astype(np.float64)).sum(axis=0) >= _LEAST_SAMPLES
    if not usable.any():
        return [Finding(info.name, Severity.FAIL, "it sends no numbers")]
    signal = _Signal.of(chunk)
    found = [*_flat(signal), *_clipped(signal), *_out_of_range(signal)]
    found += _hum(signal, mains_hz, max_mains)
    problem = unit_problem(info)
    if problem:
        found.append(Finding(info.name, Severity.FAIL, problem))
    return found


@dataclass(frozen=True, eq=False)
class _Signal:
    """A stream in SI units, `values` of shape (n, channels) with gaps filled by the median."""

    name: str
    modality: Modality
    channels: tuple[str, ...]
    sfreq: float
    unit: str
    values: Floats

    @classmethod
    def of(cls, chunk: Chunk) -> _Signal:
        stage = ToSI()
        info = stage.start(chunk.info)
        values = stage.push(chunk)[0].data
        known = np.isfinite(values)
        pairs = zip(values.T, known.T, strict=True)
        middle = [np.median(column[at]) if at.any() else 0.0 for column, at in pairs]
        filled = np.where(known, values, np.array(middle))
        assert info.modality is not None
        return cls(info.name, info.modality, info.channels, info.sfreq, info.unit, filled)

    @property
    def spans(self) -> Floats:
        """Greatest minus least value of each channel."""
        spans: Floats = np.ptp(self.values, axis=0)
        return spans

    def found(self, bad: Bools, text: str, *, all_fail: bool = True) -> list[Finding]:
        """Report bad channels: of the whole stream it is worse than of some."""
        if not bad.any():
            return []
        severity = Severity.FAIL if all_fail and bad.all() else Severity.WARN
        return [Finding(self.name, severity, text.format(_named(self.channels, bad)))]


def _flat(signal: _Signal) -> list[Finding]:
    if signal.modality is Modality.TEMP:
        return []  # skin may well keep its temperature to the last digit
    least = _FLAT_V.get(signal.modality, 0.0) if signal.unit == "V" else 0.0
    return signal.found(signal.spans <= least, "flat: {}")


def _clipped(signal: _Signal) -> list[Finding]:
    if signal.modality in (Modality.EDA, Modality.TEMP):
        return []  # they move so slowly that equal values are no sign
    shares = np.array([clipped_share(column) for column in signal.values.T])
    bad = shares >= _CLIPPED_WARN
    if not bad.any():
        return []
    severity = Severity.FAIL if shares.max() >= _CLIPPED_FAIL else Severity.WARN
    text = f"clipped: {_named(signal.channels, bad)}, up to {shares.max():.0%} of samples"
    return [Finding(signal.name, severity, text)]


def _out_of_range(signal: _Signal) -> list[Finding]:
    unit, least, most = _LEVELS.get(signal.modality, ("", 0.0, 0.0))
    if unit and signal.unit == unit:
        level = np.median(signal.values, axis=0)
        low = signal.found(level < least, "level too low: {}; no skin under it?")
        return low + signal.found(level > most, "level too high: {}; is the unit right?")
    if signal.unit != "V":
        return []
    low, high = np.percentile(signal.values - np.median(signal.values, axis=0), [2, 98], axis=0)
    large = np.maximum(-low, high) > _LARGE_V.get(signal.modality, np.inf)
    small = signal.spans < _SMALL_V.get(signal.modality, 0.0)
    return [
        *signal.found(large, "too large: {}; loose electrode, or the wrong unit?"),
        *signal.found(small & ~_is_flat(signal), "too small: {}; is the unit right?"),
    ]


def _is_flat(signal: _Signal) -> Bools:
    flat: Bools = signal.spans <= _FLAT_V.get(signal.modality, 0.0)
    return flat


def _hum(signal: _Signal, mains_hz: float, most: float) -> list[Finding]:
    if signal.modality not in (Modality.EEG, Modality.ECG, Modality.EMG):
        return []
    n = len(signal.values)
    if n < signal.sfreq:  # a second resolves 1 Hz
        return []
    window = np.hanning(n)[:, None]
    power = np.abs(np.fft.rfft((signal.values - signal.values.mean(axis=0)) * window, axis=0)) ** 2
    frequency = np.fft.rfftfreq(n, 1 / signal.sfreq)
    whole = power[frequency >= 1.0].sum(axis=0)
    found = []
    for line in sorted({*MAINS_HZ, mains_hz}):
        if line + 1 > signal.sfreq / 2:
            continue
        share = power[np.abs(frequency - line) <= 1.0].sum(axis=0)
        bad = share > most * np.maximum(whole, np.finfo(float).tiny)
        text = f"noisy: {{}}, mostly hum of {line:g} Hz"
        if line != mains_hz:
            text += f", but the run is set to mains of {mains_hz:g} Hz"
        found += signal.found(bad, text, all_fail=False)
    return found


def _check_face(chunk: Chunk) -> list[Finding]:
    seen = chunk.data[:, FACE_CHANNELS.index("confidence")] > 0
    missing = 1.0 - float(seen.mean())
    if missing < _FACES_WARN:
        return []
    severity = Severity.FAIL if missing >= _FACES_FAIL else Severity.WARN
    return [Finding(chunk.info.name, severity, f"no face in {missing:.0%} of the frames")]


def _check_light(chunk: Chunk) -> list[Finding]:
    green = chunk.data[:, RPPG_CHANNELS.index("forehead_g")].astype(np.float64)
    green = green[np.isfinite(green)]
    if len(green) == 0:
        return []  # no face: the other stream of the camera says so
    level = float(np.median(green))
    if level < _DARK:
        return [Finding(chunk.info.name, Severity.WARN, "the face is too dark: more light")]
    if level > _BRIGHT:
        return [Finding(chunk.info.name, Severity.WARN, "the face is overexposed: less light")]
    return []


def _named(channels: Sequence[str], bad: Bools) -> str:
    names = [name for name, is_bad in zip(channels, bad, strict=True) if is_bad]
    if len(names) == len(channels) > 1:
        return "every channel"
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
