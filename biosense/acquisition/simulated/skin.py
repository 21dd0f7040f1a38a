"""What two electrodes on the hand see of a simulated person: skin conductance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from biosense.acquisition.simulated.noise import (
    ColouredNoise,
    Episodes,
    Events,
    Wander,
    generator,
)
from biosense.acquisition.simulated.state import AffectPath
from biosense.acquisition.simulated.stream import sample_times, stream_info
from biosense.core.types import Chunk, Floats, Modality

_DECAY_S, _RISE_S = 2.0, 0.7  # the canonical response of Benedek & Kaernbach, cvxEDA's defaults
_MEMORY_S = 20.0  # what is left of a response after that: 5e-5
_CEILING = 0.6  # responses a second that nobody exceeds
_PEAK = 0.3693  # of the canonical response, at 1.13 s


@dataclass(frozen=True)
class SkinTraits:
    """What differs between two skins.

    Parameters
    ----------
    level
        Tonic conductance at neutral, microsiemens.
    tonic
        Change of the logarithm of the level for a unit of arousal.
    drift
        Standard deviation of the drift of the logarithm of the level (temperature, hydration).
    rate
        Responses a second at neutral.
    urge
        Change of the logarithm of the rate for a unit of arousal.
    amplitude
        Median amplitude of a response, microsiemens.
    responds
        False for the one in ten who hardly respond (Boucsein et al. 2012).
    """

    level: float
    tonic: float
    drift: float
    rate: float
    urge: float
    amplitude: float
    responds: bool

    @classmethod
    def draw(cls, rng: np.random.Generator) -> SkinTraits:
        """Draw a skin."""
        responds = bool(rng.random() > 0.1)
        scale = 1.0 if responds else 0.1
        return cls(
            level=float(np.exp(rng.uniform(np.log(1.0), np.log(15.0)))),
            tonic=scale * 0.25 * rng.uniform(0.6, 1.4),
            drift=rng.uniform(0.05, 0.15),
            rate=rng.uniform(3.0, 7.0) / 60.0,
            urge=1.4 * rng.uniform(0.6, 1.4),
            amplitude=scale * float(np.exp(rng.uniform(np.log(0.12), np.log(0.6)))),
            responds=responds,
        )


class SimulatedEda:
    """Draw skin conductance: a level that follows arousal, responses on top, and a slow drift.

    Parameters
    ----------
    seed
        The person.
    path
        The hidden state.
    fidgets
        When they move about: the electrodes move with them.

    Examples
    --------
    >>> from biosense.acquisition.simulated.noise import Episodes
    >>> eda = SimulatedEda(1, AffectPath(1), Episodes(1, "fidget", 60.0, 0.3, 0.5, 1.5))
    >>> eda.block(0).data.shape
    (512, 1)
    """

    def __init__(self, seed: int, path: AffectPath, fidgets: Episodes) -> None:
        self.info = stream_info(Modality.EDA, ("eda",), 128.0, "uS", seed)
        rng = generator(seed, "eda")
        self.traits = SkinTraits.draw(rng)
        self._path = path
        self._fidgets = fidgets
        self._slow = Wander.draw(rng, 120.0, 900.0)
        self._moods = Wander.draw(rng, 20.0, 90.0)
        self._events = Events(seed, "scr", _CEILING, self._rate)
        self._noise = ColouredNoise(seed, "eda noise", 128.0, lambda hz: 1.0 / (hz + 2.0))
        self._noise_us = float(rng.uniform(0.001, 0.006))

    def responses(self, start: float, stop: float) -> tuple[Floats, Floats]:
        """Return the true onsets in [start, stop), seconds, and the amplitudes, microsiemens."""
        onsets, marks = self._events.between(start, stop)
        if len(onsets) == 0:
            return onsets, onsets
        arousal = self._path.lagged(onsets, 1.5, 0.5)[:, 1]
        # A log-normal spread from two uniform marks (Box & Muller).
        spread = np.sqrt(-2 * np.log(1 - marks[:, 0])) * np.cos(2 * np.pi * marks[:, 1])
        return onsets, self.traits.amplitude * np.exp(0.4 * arousal + 0.45 * spread)

    def block(self, index: int) -> Chunk:
        """Return block `index`, times since the start of the person."""
        times = sample_times(self.info.sfreq, index)
        onsets, amplitudes = self.responses(times[0] - _MEMORY_S, times[-1])
        since = np.maximum(times[:, None] - onsets, 0.0)
        phasic = (np.exp(-since / _DECAY_S) - np.exp(-since / _RISE_S)) @ amplitudes / _PEAK
        noise = self._noise.block(index)[:, 0] * (1.0 + 15.0 * self._fidgets.at(times, 0.3))
        return Chunk.of(self.info, times, self._level(times) + phasic + self._noise_us * noise)

    def _level(self, times: Floats) -> Floats:
        coarse = np.linspace(times[0], times[-1], 33)  # the level is smooth over seconds
        arousal = self._path.lagged(coarse, 1.5, 4.0)[:, 1]
        drift = self._slow.at(coarse)[:, 0] + 0.3 * self._moods.at(coarse)[:, 0]
        level = self.traits.level * np.exp(self.traits.tonic * arousal + self.traits.drift * drift)
        return np.interp(times, coarse, level)

    def _rate(self, times: Floats) -> Floats:
        """Return responses a second: more when aroused, and one for each rise of arousal."""
        arousal = self._path.lagged(times, 1.6, 0.4)[:, 1]
        rise = arousal - self._path.lagged(times - 1.0, 1.6, 0.4)[:, 1]
        rate: Floats = self.traits.rate * np.exp(self.traits.urge * arousal)
        return rate + 0.8 * np.maximum(rise, 0.0)
