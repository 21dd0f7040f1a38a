"""Units as senders spell them: one reading of them, for streams, files and devices."""

from __future__ import annotations

from biosense.core.types import Modality, StreamInfo

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
TO_CELSIUS = {"K": (1.0, -273.15), "degF": (5 / 9, -160 / 9)}
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


def read_unit(text: str, modality: Modality | None = None) -> tuple[str, float] | None:
    """Split a unit into its SI base and the factor; None where it is not known.

    Parameters
    ----------
    text
        As the sender spells it: "uV", "Microvolts", "kOhm", ..
    modality
        What is measured: some spellings are clear of one modality only.

    Returns
    -------
    tuple of str and float, or None
        One of "V", "S", "s", "ohm", "degC", "bpm", "%", "px", "K", "degF", "", and by what values
        are multiplied to be in it.

    Examples
    --------
    >>> read_unit("µV"), read_unit("kilovolts"), read_unit("furlong")
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


def unit_of(info: StreamInfo) -> tuple[str, float]:
    """Return the SI base and the factor of a stream's unit; by modality where it has no known one.

    Parameters
    ----------
    info
        A raw stream.

    Returns
    -------
    tuple of str and float
        As `read_unit` does; the unit as it is, and 1, where nobody knows better.
    """
    known = read_unit(info.unit.strip(), info.modality)
    if known is not None:
        return known
    default = DEFAULT_UNITS.get(info.modality) if info.modality else None
    if default is None:
        return info.unit.strip(), 1.0
    return read_unit(default, info.modality) or (default, 1.0)


def unit_problem(info: StreamInfo) -> str:
    """Say how a unit that is not known is read; empty where it is known, or does not matter.

    Parameters
    ----------
    info
        A raw stream.

    Returns
    -------
    str
        For people.

    Examples
    --------
    >>> unit_problem(StreamInfo("cap", Modality.EEG, ("Cz",), 250.0, "furlong"))
    "unit 'furlong' of 'cap' is not known, taken as uV"
    """
    default = DEFAULT_UNITS.get(info.modality) if info.modality else None
    unit = info.unit.strip()
    if default is None or not unit or read_unit(unit, info.modality) is not None:
        return ""
    return f"unit {info.unit!r} of {info.name!r} is not known, taken as {default}"


def _shorten(word: str) -> str:
    for long, short in _LONG_PREFIXES.items():
        if word.startswith(long):
            return short + word.removeprefix(long)
    return word
