"""What 32 electrodes see of a simulated person: EEG, and the eyes and muscles in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biosense.acquisition.simulated.behaviour import Behaviour
from biosense.acquisition.simulated.noise import BLOCK_S, ColouredNoise, Wander, generator
from biosense.acquisition.simulated.scalp import CHANNELS, spread_from
from biosense.acquisition.simulated.state import AffectPath
from biosense.acquisition.simulated.stream import sample_times, stream_info
from biosense.core.mains import DEFAULT_MAINS_HZ
from biosense.core.types import Chunk, Floats, Modality

_SFREQ = 512.0
_LATENCY_S, _SPREAD_S = 0.3, 0.4
# Where rhythms come from: left and right of each pair, so that asymmetry is a matter of gain.
_ALPHA = ("O1", "O2", "Pz", "F3", "F4", "C3", "C4")
_BETA = ("F3", "F4", "Cz")
_MUSCLE = ("T7", "T8", "Fp1", "Fp2")


@dataclass(frozen=True)
class BrainTraits:
    """What differs between two brains; amplitudes are standard deviations in microvolts.

    Parameters
    ----------
    background, slope
        Amplitude of the background and the exponent of its power over frequency.
    alpha_hz
        Peak frequency of the alpha rhythm.
    alpha, frontal_alpha, beta, muscle
        Amplitudes at neutral, at the back, at the front, everywhere, at the temples.
    desynchronisation
        Change of the logarithm of the alpha amplitude for a unit of arousal.
    asymmetry
        Change of the logarithm of the right over the left frontal amplitude for a unit of valence.
    bias
        The same at neutral.
    excitation
        Change of the logarithm of the beta amplitude for a unit of arousal.
    blink
        Height of a blink at the forehead.
    mains
        Amplitude of the mains hum.
    """

    background: float
    slope: float
    alpha_hz: float
    alpha: float
    frontal_alpha: float
    beta: float
    muscle: float
    desynchronisation: float
    asymmetry: float
    bias: float
    excitation: float
    blink: float
    mains: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> BrainTraits:
        """Draw a brain."""
        gain = rng.uniform(0.6, 1.4, 3)
        return cls(
            background=rng.uniform(7.0, 12.0),
            slope=rng.uniform(0.9, 1.4),
            alpha_hz=rng.uniform(8.8, 11.2),
            alpha=rng.uniform(5.0, 12.0),
            frontal_alpha=rng.uniform(3.0, 6.0),
            beta=rng.uniform(1.0, 2.2),
            muscle=rng.uniform(0.6, 2.0),
            desynchronisation=0.45 * gain[0],
            asymmetry=0.75 * gain[1],
            bias=rng.normal(0.0, 0.15),
            excitation=0.3 * gain[2],
            blink=rng.uniform(70.0, 160.0),
            mains=rng.uniform(0.5, 6.0),
        )


class SimulatedEeg:
    """Draw 32 channels of EEG: 1/f background, rhythms whose gains follow the state, artefacts.

    Arousal weakens alpha and strengthens beta; valence weakens alpha over the left forehead and
    strengthens it over the right (ln F4 - ln F3 rises). Blinks, looks, muscle, mains hum and
    drifting electrodes lie on top.

    Parameters
    ----------
    seed
        The person.
    path
        The hidden state.
    behaviour
        The eyes and the face.

    Examples
    --------
    >>> path = AffectPath(1)
    >>> SimulatedEeg(1, path, Behaviour(1, path)).block(0).data.shape
    (2048, 32)
    """

    def __init__(self, seed: int, path: AffectPath, behaviour: Behaviour) -> None:
        self.info = stream_info(Modality.EEG, CHANNELS, _SFREQ, "uV", seed)
        rng = generator(seed, "eeg")
        self.traits = BrainTraits.draw(rng)
        self._path = path
        self._behaviour = behaviour
        self._wander = Wander.draw(rng, 8.0, 90.0, columns=4)
        self._drifts = Wander.draw(rng, 12.0, 200.0, columns=6)
        n = len(CHANNELS)
        self._drift_mix = rng.normal(0.0, 12.0, (6, n))
        self._offsets = rng.normal(0.0, 150.0, n)
        self._hum = self.traits.mains * rng.uniform(0.2, 1.8, n)
        self._noises(seed)
        self._maps()

    def block(self, index: int) -> Chunk:
        """Return block `index`, times since the start of the person."""
        times = sample_times(self.info.sfreq, index)
        values = self._background.block(index) @ self._mix
        values += self._rhythms(index, times)
        values += self._eyes(times)
        coarse = np.linspace(index * BLOCK_S, (index + 1) * BLOCK_S, 81)
        drift = self._drifts.at(coarse) @ self._drift_mix + self._offsets
        values += _stretch(drift, len(times))
        hum = np.sin(2 * np.pi * DEFAULT_MAINS_HZ * times).astype(np.float32)
        values += hum[:, None] * self._hum.astype(np.float32)
        return Chunk.of(self.info, times, values)

    def _noises(self, seed: int) -> None:
        traits = self.traits
        n = len(CHANNELS)

        def background(hz: Floats) -> Floats:
            floor = 2e-3  # of the amplifier, in units of the power at 1 Hz
            return np.sqrt(np.maximum(hz, 0.25) ** -traits.slope + floor) * (hz > 0)

        def alpha(hz: Floats) -> Floats:
            return np.exp(-0.5 * ((hz - traits.alpha_hz) / 0.8) ** 2)

        def beta(hz: Floats) -> Floats:
            return np.exp(-0.5 * ((hz - 20.0) / 4.0) ** 2)

        def muscle(hz: Floats) -> Floats:
            return hz**2 / (hz**2 + 30.0**2) * np.exp(-hz / 120.0)

        self._background = ColouredNoise(seed, "eeg background", _SFREQ, background, n)
        self._alpha = ColouredNoise(seed, "eeg alpha", _SFREQ, alpha, len(_ALPHA))
        self._beta = ColouredNoise(seed, "eeg beta", _SFREQ, beta, len(_BETA))
        self._muscle = ColouredNoise(seed, "eeg muscle", _SFREQ, muscle, len(_MUSCLE))

    def _maps(self) -> None:
        near = np.array([spread_from(name, 0.7) for name in CHANNELS]) + 0.5 * np.eye(len(CHANNELS))
        mix = self.traits.background * near / np.sqrt((near**2).sum(axis=0))
        self._mix = mix.astype(np.float32)
        rhythms = [spread_from(name, 0.5) for name in (*_ALPHA, *_BETA)]
        muscles = [spread_from(name, 0.3) for name in _MUSCLE]
        self._topography = np.array([*rhythms, *muscles]).astype(np.float32)
        self._blink_map = 0.5 * (spread_from("Fp1", 0.55) + spread_from("Fp2", 0.55))
        self._look_map = spread_from("F8", 0.5) - spread_from("F7", 0.5)

    def _rhythms(self, index: int, times: Floats) -> NDArray[np.float32]:
        coarse = np.linspace(index * BLOCK_S, (index + 1) * BLOCK_S, 41)
        gains = _stretch(np.exp(self._log_gains(coarse)), len(times))
        noises = (self._alpha, self._beta, self._muscle)
        sources = np.concatenate([noise.block(index) for noise in noises], axis=1)
        mixed: NDArray[np.float32] = (gains * sources) @ self._topography
        return mixed

    def _log_gains(self, times: Floats) -> Floats:
        """Return the logarithm of the amplitude of each source, shape (n, sources)."""
        traits = self.traits
        valence, arousal = self._path.lagged(times, _LATENCY_S, _SPREAD_S).T
        wander = self._wander.at(times).T
        alpha = -traits.desynchronisation * arousal + 0.15 * wander[0]
        tilt = 0.5 * (traits.asymmetry * valence + traits.bias + 0.15 * wander[1])
        beta = np.log(traits.beta) + traits.excitation * arousal + 0.15 * wander[2]
        muscle = np.log(traits.muscle) + 0.25 * arousal + 0.2 * wander[3]
        effort = self._behaviour.expression(times)
        # The cheeks reach the temples and the brows the forehead.
        cheeks, brows = muscle + 0.6 * effort.smile, muscle + 0.6 * effort.frown
        back, front = np.log(traits.alpha) + alpha, np.log(traits.frontal_alpha) + alpha
        columns = [back, back, back - 0.5, front - tilt, front + tilt, front, front]
        columns += [beta - 0.2 * tilt, beta + 0.2 * tilt, beta, cheeks, cheeks, brows, brows]
        logs: Floats = np.column_stack(columns)
        return logs

    def _eyes(self, times: Floats) -> NDArray[np.float32]:
        closure = self._behaviour.closure(times)[:, None]
        look = self._behaviour.gaze(times)[:, :1]
        values = self.traits.blink * closure * self._blink_map + 25.0 * look * self._look_map
        return values.astype(np.float32)


def _stretch(rows: Floats, n: int) -> NDArray[np.float32]:
    """Interpolate rows (m, columns) over n samples; row m - 1 belongs to sample n, not n - 1."""
    at = np.arange(n) * (len(rows) - 1) / n
    low = at.astype(np.int64)
    part = (at - low)[:, None]
    values = rows[low] * (1.0 - part) + rows[low + 1] * part
    return values.astype(np.float32)
