"""What a chest electrode and a finger clip see of a simulated heart: ECG and PPG."""

from __future__ import annotations

import numpy as np

from biosense.acquisition.simulated.heart import Heart
from biosense.acquisition.simulated.noise import ColouredNoise, Episodes, Wander, generator
from biosense.acquisition.simulated.stream import sample_times, stream_info
from biosense.acquisition.simulated.templates import ECG_SPAN_S, ecg_shape
from biosense.core.mains import DEFAULT_MAINS_HZ
from biosense.core.types import Chunk, Floats, Modality

_QRS_S = 0.05  # half a QRS complex


class SimulatedEcg:
    """Draw the ECG of a heart: waves at its beats, breath, baseline, muscle and mains hum.

    Parameters
    ----------
    seed
        The person.
    heart
        Their heart.
    fidgets
        When they move about.
    """

    def __init__(self, seed: int, heart: Heart, fidgets: Episodes) -> None:
        self.info = stream_info(Modality.ECG, ("ecg",), 512.0, "mV", seed)
        rng = generator(seed, "ecg")
        self._heart = heart
        self._fidgets = fidgets
        self._offsets, self._wave = ecg_shape(seed)
        self._height = float(rng.uniform(0.6, 1.7))
        self._baseline = Wander.draw(rng, 4.0, 60.0)
        self._baseline_mv = float(rng.uniform(0.03, 0.15))
        self._muscle = ColouredNoise(seed, "ecg muscle", 512.0, lambda hz: hz / (hz + 20.0))
        self._muscle_mv = float(rng.uniform(0.006, 0.02))
        self._mains_mv = float(rng.uniform(0.003, 0.03))

    def block(self, index: int) -> Chunk:
        """Return block `index`, times since the start of the person."""
        times = sample_times(self.info.sfreq, index)
        breath = self._heart.breath(times)
        loud = 1.0 + 5.0 * self._fidgets.at(times, 0.2)
        values = (
            self._beats(times) * self._height * (1.0 + 0.05 * breath)
            + self._baseline_mv * (self._baseline.at(times)[:, 0] + 0.4 * breath) * np.sqrt(loud)
            + self._muscle_mv * loud * self._muscle.block(index)[:, 0]
            + self._mains_mv * np.sin(2 * np.pi * DEFAULT_MAINS_HZ * times)
        )
        return Chunk.of(self.info, times, values)

    def _beats(self, times: Floats) -> Floats:
        """Add up the beats; P and T move in and out with the square root of the interval."""
        values = np.zeros(len(times))
        before, after = ECG_SPAN_S
        beats = self._heart.beats(times[0] - 3.0, times[-1] + 3.0)
        intervals = np.diff(beats, prepend=beats[:1] - 0.85)
        for beat, interval in zip(beats, intervals, strict=True):
            stretch = np.sqrt(min(interval, 1.2))
            first, last = np.searchsorted(times, [beat + before, beat + 1.1 * after]).tolist()
            since = times[first:last] - beat
            outside = np.maximum(np.abs(since) - _QRS_S, 0.0)
            # The QRS keeps its length: only what lies outside it is stretched.
            since += np.sign(since) * outside * (1.0 / stretch - 1.0)
            values[first:last] += np.interp(since, self._offsets, self._wave)
        return values


class SimulatedPpg:
    """Draw the PPG of a finger: the pulse, smaller when the vessels narrow, on a wandering level.

    Parameters
    ----------
    seed
        The person.
    heart
        Their heart.
    fidgets
        When they move about.
    """

    def __init__(self, seed: int, heart: Heart, fidgets: Episodes) -> None:
        self.info = stream_info(Modality.PPG, ("ppg",), 64.0, "1", seed)
        rng = generator(seed, "ppg")
        self._heart = heart
        self._fidgets = fidgets
        self._height = float(rng.uniform(0.5, 1.8))
        self._baseline = Wander.draw(rng, 6.0, 90.0)
        self._noise = ColouredNoise(seed, "ppg noise", 64.0, lambda hz: 1.0 / (hz + 1.0))
        self._noise_height = float(rng.uniform(0.01, 0.05))

    def block(self, index: int) -> Chunk:
        """Return block `index`, times since the start of the person."""
        times = sample_times(self.info.sfreq, index)
        heart = self._heart
        loud = 1.0 + 12.0 * self._fidgets.at(times, 0.2)
        level = 0.15 * self._baseline.at(times)[:, 0] + 0.08 * heart.breath(times)
        values = heart.constriction(times) * heart.pulse(times) + level
        values += self._noise_height * loud * self._noise.block(index)[:, 0]
        return Chunk.of(self.info, times, self._height * values)
