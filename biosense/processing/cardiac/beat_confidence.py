"""Say how much a beat looks like its neighbours, and notice when a lead was turned or moved."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from statistics import median

import numpy as np

from biosense.core.types import Floats
from biosense.processing.cardiac.beat_decision import Beat

UNLIKE, ALIKE, SAME = 0.5, 0.8, 0.9  # correlations with the shape of earlier beats


@dataclass
class BeatConfidence:
    """Say how much a beat looks like one: signal to noise, shape and height of its neighbours.

    Each part is 1 for a clean signal and 0 for band-limited noise; the confidence is their product.
    Likeness is the correlation with the running mean of normalised shapes, times the norm of that
    mean (1 where all beats are alike). Medians on white noise, brown noise, wearable PPG and ECG:
    0.2, 0.3, 0.98, 0.96. Three beats that are alike, but unlike those before, are how beats look
    from now on: electrodes were moved.

    Parameters
    ----------
    snr
        Height of beats over that of noise peaks, where the confidence begins and where it is full.
    likeness
        The same for the likeness.
    contrast
        The same for the contrast: 1 for mains hum, median 2 for noise, 5 and more for a heart.
    """

    snr: tuple[float, float] = (1.8, 3.5)
    likeness: tuple[float, float] = (0.55, 0.85)
    contrast: tuple[float, float] = (1.5, 3.0)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the shape and the amplitude of earlier beats."""
        self._template: Floats | None = None
        self._amplitudes: deque[float] = deque(maxlen=8)
        self._strangers: list[Floats] = []
        self.moved = False

    @property
    def fresh(self) -> bool:
        """True before the first beat."""
        return self._template is None

    def is_turned(self, shapes: tuple[Floats, ...], inverted: bool) -> bool:
        """Return whether a beat looks as others did, but upside down."""
        if self._template is None or any(len(shape) == 0 for shape in shapes):
            return False
        template = _unit(self._template)
        as_it_was, turned = _unit(shapes[inverted]), _unit(shapes[not inverted])
        likeness = float(np.sum(as_it_was * template)), -float(np.sum(turned * template))
        return likeness[0] < UNLIKE and likeness[1] > ALIKE

    def turn(self) -> None:
        """Expect beats upside down from now on."""
        if self._template is not None:
            self._template = -self._template
        self._strangers = []

    def rate(self, beat: Beat, shape: Floats, amplitude: float) -> float:
        """Return the confidence in [0, 1] and learn from the beat; 0 without a shape."""
        self.moved = False
        if len(shape) == 0:
            return 0.0
        shape = _unit(shape)
        self._watch(shape)
        contrast = ramp(beat.candidate.contrast, *self.contrast)
        parts = [ramp(beat.snr, *self.snr), contrast, beat.candidate.ok]
        if self._template is not None:
            # correlation times norm of the template is their inner product
            parts.append(ramp(float(np.add.reduce(shape * self._template)), *self.likeness))
            usual = median(self._amplitudes or [amplitude])
            ratio = amplitude / usual if min(amplitude, usual) > 0 else 0.0
            parts.append(ramp(min(ratio, 1 / ratio) if ratio > 0 else 0.0, 0.2, 0.6))
        self._amplitudes.append(amplitude)
        old = shape if self._template is None else self._template
        self._template = old + 0.2 * (shape - old)
        return math.prod(parts)

    def _watch(self, shape: Floats) -> None:
        """Take three strangers that look alike for the new shape of beats."""
        if self._template is None or float(np.add.reduce(shape * self._template)) >= UNLIKE:
            self._strangers = []
            return
        self._strangers = [one for one in self._strangers if float(np.sum(one * shape)) > SAME]
        self._strangers.append(shape)
        if len(self._strangers) == 3:
            self._template = np.asarray(np.mean(self._strangers, axis=0))
            self._strangers = []
            self._amplitudes.clear()
            self.moved = True


def _unit(shape: Floats) -> Floats:
    centred = shape - np.add.reduce(shape) / len(shape)
    return np.asarray(centred / max(math.sqrt(np.add.reduce(centred * centred)), 1e-300))


def ramp(value: float, low: float, high: float) -> float:
    """Return 0 up to `low`, 1 from `high` on, and a straight line between.

    Parameters
    ----------
    value
        Any number.
    low, high
        Where the result is 0, and where it is 1.

    Returns
    -------
    float
        0 to 1.
    """
    return min(1.0, max(0.0, (value - low) / (high - low)))
