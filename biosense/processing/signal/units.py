"""From the sender's unit and type of number to volts, siemens and seconds in float64."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.skin import conductance_of
from biosense.core.types import Chunk, Floats, Modality, StreamInfo
from biosense.core.units import TO_CELSIUS, unit_of, unit_problem

_log = logging.getLogger(__name__)


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
        unit, self._factor = unit_of(info)
        if problem := unit_problem(info):
            _log.warning("%s", problem)
        self._inverse = unit == "ohm" and info.modality is Modality.EDA
        self._offset = 0.0
        if unit in TO_CELSIUS:
            self._factor, self._offset = TO_CELSIUS[unit]
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
                values = conductance_of(values * self._factor)
            elif self._factor != 1.0:
                values = values * self._factor
        if self._offset:
            values = values + self._offset
        return [replace(item, info=self._info, data=values)]

    def flush(self) -> Sequence[Chunk]:
        """Return nothing: no sample is held back."""
        return []
