"""Name the steps of a pipeline for a reader: what each does, with which numbers, how late it is."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from biosense.core.stage import Stage
from biosense.core.types import StreamInfo
from biosense.recordings.report.views import Same, inside_of

_SHORT = {"Eda": "EDA", "Eeg": "EEG", "Pos": "POS", "Rppg": "rPPG", "Rr": "RR", "Asr": "ASR"}
_UNITS = {
    **dict.fromkeys(("low", "high", "cutoff", "frequency", "low_pass", "sfreq", "to_sfreq"), "Hz"),
    **dict.fromkeys(("hold", "hop", "length", "window", "tonic_window", "enter", "leave"), "s"),
    "min_amplitude": "µS",
}
_VOLTS = ("flat", "large", "off_scale", "noise", "bridge", "blink", "jump", "muscle")


@dataclass(frozen=True)
class Step:
    """Describe one step: its name, what it does, its parameters, its delay in seconds if any.

    `confirms_s` is how long it waits before it says what it found.
    """

    name: str
    does: str
    parameters: str
    delay_s: float | None = None
    confirms_s: float | None = None


def steps_of(
    info: StreamInfo, stages: Sequence[Stage[Any, Any]], typical_hz: float
) -> tuple[Step, ...]:
    """Describe stages in their order, and what they do inside themselves before they do the rest.

    Examples
    --------
    >>> from biosense.processing.signal.filters import Notch
    >>> [step] = steps_of(StreamInfo("cap", None, ("Cz",), 256.0, "V"), [Notch(50.0)], 10.0)
    >>> step.name, step.parameters
    ('Notch', 'frequency 50 Hz, q 30, harmonics 1')
    """
    steps = []
    for stage in map(deepcopy, stages):
        shown = inside_of(stage)
        out = stage.start(info)
        if shown is not None and not isinstance(shown, Same):
            steps.append(_step(shown, info, typical_hz))
        steps.append(_step(stage, info, typical_hz))
        info = out
    return tuple(steps)


def _step(stage: Stage[Any, Any], info: StreamInfo, typical_hz: float) -> Step:
    delay = getattr(stage, "delay", None)
    waits = getattr(getattr(stage, "detector", stage), "latency", None)
    return Step(
        _words(type(stage).__name__),
        (inspect.getdoc(type(stage)) or "").partition("\n")[0].replace("`", ""),
        ", ".join(_parameters(stage)),
        float(delay(typical_hz, info)) if callable(delay) else None,
        waits if isinstance(waits, float) else None,
    )


def _words(name: str) -> str:
    """Write the name of a class as words.

    >>> _words("BandPass"), _words("ToSI"), _words("RPeaks")
    ('Band pass', 'To SI', 'R peaks')
    """
    spaced = "".join(
        f" {letter}" if at and letter.isupper() and not name[at - 1 : at + 2].isupper() else letter
        for at, letter in enumerate(name)
    )
    first, *rest = spaced.split()
    rest = [word if word.isupper() else word.lower() for word in rest]
    return " ".join([_SHORT.get(first, first), *rest])


def _parameters(stage: object) -> Iterator[str]:
    for each in fields(stage) if is_dataclass(stage) else ():
        if not each.init or not each.repr:
            continue
        value = getattr(stage, each.name)
        if isinstance(value, tuple) and value and is_dataclass(value[0]):
            yield from (_part(part) for part in value)
        elif is_dataclass(value) or hasattr(value, "push"):
            yield _part(getattr(value, "stage", value))
        elif value is not None:
            yield f"{each.name.replace('_', ' ')} {_with_unit(each.name, value)}"


def _part(stage: object) -> str:
    inside = ", ".join(_parameters(stage))
    return _words(type(stage).__name__) + (f" ({inside})" if inside else "")


def _with_unit(name: str, value: object) -> str:
    """Write a value with its unit, where the name says which.

    >>> _with_unit("high", 45.0), _with_unit("blink", 5e-5), _with_unit("fill", True)
    ('45 Hz', '50 µV', 'yes')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return str(value)
    if name in _VOLTS:
        return f"{1e6 * value:g} µV"
    return f"{value:g} {_UNITS.get(name, '')}".strip()
