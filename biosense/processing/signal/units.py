"""From the sender's unit and type of number to volts, siemens and seconds in float64."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Chunk, Floats, Modality, StreamInfo

_log = logging.getLogger(__name__)

_PREFIXES = {"": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "k": 1e3, "M": 1e6}
_LONG_PREFIXES = {"milli": "m", "micro": "u", "nano": "n", "kilo": "k", "mega": "M"}
_BASES = {
    "V": "V",
    "volt": "V",
    "volts": "V",
    "S": "S",
    "siemens": "S",
    "mho": "S",
    "s": "s",
    "sec": "s",
    "second": "s",
    "seconds": "s",
    "ohm": "ohm",
    "ohms": "ohm",
    "Ohm": "ohm",
    "Ohms": "ohm",
    "\u03a9": "ohm",  # Greek capital omega
    "\u2126": "ohm",  # the ohm sign, which looks the same
}
# Temperature goes to degrees Celsius (nobody reads skin in kelvin), rates in beats per minute.
_AS_IT_IS = {
    "\u00b0C": "degC",
    "\u2103": "degC",
    "C": "degC",
    "degC": "degC",
    "celsius": "degC",
    "bpm": "bpm",
    "BPM": "bpm",
    "1/min": "bpm",
    "%": "%",
    "px": "px",
    "pixels": "px",
    "1": "",
    "normalized": "",
}
# Other scales of temperature, of that modality alone: degC = factor * value + offset.
_TO_CELSIUS = {"K": (1.0, -273.15), "degF": (5 / 9, -160 / 9)}
_SCALES = {
    **dict.fromkeys(("K", "\u212a", "kelvin", "degK", "\u00b0K"), "K"),
    **dict.fromkeys(("F", "\u00b0F", "\u2109", "degF", "fahrenheit"), "degF"),
}
DEFAULT_UNITS = {
    Modality.EEG: "uV",
    Modality.EMG: "uV",
    Modality.EDA: "uS",
    Modality.TEMP: "degC",
}
"""What a stream is taken to be in when its sender does not say: the habit of amplifiers and LSL
programs. ECG, PPG, RPPG, FACE and RESP are left as they are: their features do not depend on scale.
"""


@dataclass
class ToSI:
    """Turn a raw stream into float64 volts, siemens or seconds.

    Skin resistance (ohm) becomes conductance 1/R, in which skin conductance responses add up and
    keep their size when the level drifts; R <= 0 becomes NaN. Temperature becomes degrees Celsius.
    An unknown or missing unit is read by modality (`DEFAULT_UNITS`), an unknown one with a warning.
    Missing values stay NaN.

    Raises
    ------
    BadInput
        In `start`, for a stream of text.

    Examples
    --------
    >>> stage = ToSI()
    >>> info = StreamInfo("wrist", Modality.EDA, ("eda",), 4.0, "uS")
    >>> stage.start(info).unit
    'S'
    >>> round(float(stage.push(Chunk.of(info, [0.0], [[5.0]]))[0].data[0, 0]), 9)
    5e-06
    """

    _info: StreamInfo = field(init=False, repr=False)
    _factor: float = field(init=False, repr=False)
    _inverse: bool = field(init=False, repr=False)
    _offset: float = field(init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        """Look up the unit of the stream."""
        if info.is_text:
            raise BadInput(
                f"{info.name!r} is a stream of text (markers): it can be recorded, not processed"
            )
        unit, self._factor = _unit_of(info)
        if problem := unit_problem(info):
            _log.warning("%s", problem)
        self._inverse = unit == "ohm" and info.modality is Modality.EDA
        self._offset = 0.0
        if unit in _TO_CELSIUS:
            self._factor, self._offset = _TO_CELSIUS[unit]
            unit = "degC"
        self._info = replace(info, unit="S" if self._inverse else unit, dtype="float64")
        return self._info

    def push(self, item: Chunk) -> Sequence[Chunk]:
        """Return the chunk in SI units."""
        if item.n == 0:
            return []
        values: Floats = np.asarray(item.data, dtype=np.float64)
        with np.errstate(over="ignore"):  # what overflows was no measurement: it becomes infinite
            if self._inverse:
                values = 1.0 / np.where(values > 0, values * self._factor, np.nan)
            elif self._factor != 1.0:
                values = values * self._factor
        if self._offset:
            values = values + self._offset
        return [replace(item, info=self._info, data=values)]

    def flush(self) -> Sequence[Chunk]:
        """Return nothing: no sample is held back."""
        return []


def unit_problem(info: StreamInfo) -> str:
    """Say how a unit that is not known is read; empty where it is known, or does not matter.

    >>> unit_problem(StreamInfo("cap", Modality.EEG, ("Cz",), 250.0, "furlong"))
    "unit 'furlong' of 'cap' is not known, taken as uV"
    """
    default = DEFAULT_UNITS.get(info.modality) if info.modality else None
    unit = info.unit.strip()
    if default is None or not unit or _read_unit(unit, info.modality) is not None:
        return ""
    return f"unit {info.unit!r} of {info.name!r} is not known, taken as {default}"


def _unit_of(info: StreamInfo) -> tuple[str, float]:
    known = _read_unit(info.unit.strip(), info.modality)
    if known is not None:
        return known
    default = DEFAULT_UNITS.get(info.modality) if info.modality else None
    if default is None:
        return info.unit.strip(), 1.0
    return _read_unit(default, info.modality) or (default, 1.0)


def _read_unit(text: str, modality: Modality | None) -> tuple[str, float] | None:
    """Split a unit into its SI base and the factor; None where it is not known.

    >>> _read_unit("µV", None), _read_unit("kilovolts", None), _read_unit("furlong", None)
    (('V', 1e-06), ('V', 1000.0), None)
    """
    if text in _AS_IT_IS:
        return _AS_IT_IS[text], 1.0
    if modality is Modality.TEMP:
        scale = _SCALES.get(text, _SCALES.get(text.lower()))
        if scale is not None:
            return scale, 1.0
    symbol = text.replace("\u00b5", "u").replace("\u03bc", "u")  # micro sign, Greek mu
    if modality is Modality.EDA and symbol in ("us", "ms", "s"):
        symbol = symbol[:-1] + "S"  # nobody sends skin conductance in seconds
    if symbol.upper() in ("UV", "MV"):  # spelled in capitals; no biosignal comes in megavolts
        symbol = symbol.lower()[0] + "V"
    for candidate in (symbol, symbol.lower(), _shorten(symbol.lower())):
        for prefix, factor in _PREFIXES.items():
            base = _BASES.get(candidate.removeprefix(prefix))
            if base is not None and candidate.startswith(prefix):
                return base, factor
    return None


def _shorten(word: str) -> str:
    for long, short in _LONG_PREFIXES.items():
        if word.startswith(long):
            return short + word.removeprefix(long)
    return word
