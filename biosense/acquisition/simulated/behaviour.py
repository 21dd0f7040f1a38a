"""What a simulated person does with face and head: smile, frown, blink, talk, look, move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from biosense.acquisition.simulated.noise import Episodes, Events, Wander, generator
from biosense.acquisition.simulated.state import AffectPath
from biosense.core.types import Floats

_CLOSE_S, _OPEN_S = 0.09, 0.18  # a blink closes faster than it opens
_FIXATION_S = 0.9  # mean time between two looks
_LATENCY_S, _SPREAD_S = 0.2, 0.3  # of the muscles of the face
_BLINK_CEILING = 1.0  # blinks a second that nobody exceeds


@dataclass(frozen=True)
class FaceTraits:
    """What differs between two faces in motion; the gains are per unit of valence or arousal.

    Parameters
    ----------
    smile, frown, raise_, widen
        Gains of the corners of the mouth (valence), the brows drawn together (negative valence),
        the brows raised and the eyes opened (arousal).
    resting_smile
        Smile at neutral, in [0, 1].
    whim
        Standard deviation of expression that nothing explains.
    blinks
        Blinks a second at neutral.
    blink_urge
        Change of the logarithm of that for a unit of arousal.
    restless
        Change of the logarithm of the size of head movements for a unit of arousal.
    sway
        Size of head movements at neutral, radians.
    """

    smile: float
    frown: float
    raise_: float
    widen: float
    resting_smile: float
    whim: float
    blinks: float
    blink_urge: float
    restless: float
    sway: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> FaceTraits:
        """Draw a way of moving."""
        gain = rng.uniform(0.6, 1.4, 6)
        return cls(
            smile=0.42 * gain[0],
            frown=0.30 * gain[1],
            raise_=0.22 * gain[2],
            widen=0.28 * gain[3],
            resting_smile=rng.uniform(0.15, 0.4),
            whim=rng.uniform(0.10, 0.18),
            blinks=rng.uniform(9.0, 20.0) / 60.0,
            blink_urge=0.5 * gain[4],
            restless=0.7 * gain[5],
            sway=rng.uniform(0.008, 0.016),
        )


@dataclass(frozen=True, eq=False)
class Expression:
    """How strongly each movement of the face is made at times (n,): 0 none, 1 full; shape (n,)."""

    smile: Floats
    frown: Floats
    brow_raise: Floats
    widen: Floats
    mouth_open: Floats
    closure: Floats


class Behaviour:
    """Move a face and a head along an affect path; camera and EEG electrodes both see it.

    Parameters
    ----------
    seed
        The person.
    path
        The hidden state.

    Examples
    --------
    >>> behaviour = Behaviour(2, AffectPath(2))
    >>> behaviour.pose(np.array([0.0, 0.1])).shape
    (2, 3)
    """

    def __init__(self, seed: int, path: AffectPath) -> None:
        self._seed = seed
        self._path = path
        rng = generator(seed, "behaviour")
        self.traits = FaceTraits.draw(rng)
        self.fidgets = Episodes(seed, "fidget", 60.0, 0.35, 0.6, 1.8)
        self.talking = Episodes(seed, "talk", 20.0, 0.35, 2.0, 7.0)
        self._away = Episodes(seed, "away", 50.0, 0.4, 0.3, 2.5)
        self._whims = Wander.draw(rng, 4.0, 45.0, columns=5)
        self._syllables = Wander.draw(rng, 0.18, 0.5)
        self._posture = Wander.draw(rng, 15.0, 120.0, columns=3)
        self._movement = Wander.draw(rng, 0.9, 6.0, columns=3)
        self._blinks = Events(seed, "blink", _BLINK_CEILING, self._blink_rate)

    def expression(self, times: Floats) -> Expression:
        """Return what the face does at times (n,), seconds, rising."""
        traits = self.traits
        valence, arousal = self._path.lagged(times, _LATENCY_S, _SPREAD_S).T
        whims = traits.whim * self._whims.at(times).T
        talk = self.talking.at(times, 0.3)
        syllables = np.maximum(self._syllables.at(times)[:, 0], 0.0)
        return Expression(
            smile=_soft(traits.resting_smile + traits.smile * valence + whims[0] - 0.08 * talk),
            frown=_soft(0.2 - traits.frown * valence + 0.08 * arousal + whims[1]),
            brow_raise=_soft(0.25 + traits.raise_ * arousal + whims[2] + 0.1 * talk),
            widen=traits.widen * arousal + whims[3],
            mouth_open=np.clip(0.02 + 0.45 * talk * syllables, 0.0, 1.0),
            closure=self.closure(times),
        )

    def closure(self, times: Floats) -> Floats:
        """Return how far the eyes are closed, 0 open to 1 shut, shape (n,)."""
        blinks = self.blinks(float(times[0]) - _OPEN_S, float(times[-1]) + _CLOSE_S)
        if len(blinks) == 0:
            return np.zeros(len(times))
        since = times[:, None] - blinks
        way = np.where(since < 0, -since / _CLOSE_S, since / _OPEN_S)
        shut: Floats = (0.5 + 0.5 * np.cos(np.pi * np.clip(way, 0.0, 1.0))).max(axis=1)
        return shut

    def blinks(self, start: float, stop: float) -> Floats:
        """Return the true times at which the eyes are shut in [start, stop), seconds."""
        return self._blinks.between(start, stop)[0]

    def gaze(self, times: Floats) -> Floats:
        """Return where the eyes look, right and down, each about in [-1, 1], shape (n, 2)."""
        looks = np.floor(times / _FIXATION_S).astype(np.int64)
        which = np.arange(looks[0] - 1, looks[-1] + 1)
        rows = np.array([self._look(int(look)) for look in which])  # (m, [moment, x, y])
        at = np.searchsorted(rows[:, 0], times, side="right") - 1
        return rows[np.maximum(at, 0), 1:]

    def pose(self, times: Floats) -> Floats:
        """Return the head's rotation vector, radians, shape (n, 3)."""
        arousal = self._path.lagged(times, _LATENCY_S, 0.6)[:, 1]
        size = self.traits.sway * np.exp(
            self.traits.restless * arousal + 0.25 * self._whims.at(times)[:, 4]
        )
        size = size * (1.0 + 2.5 * self.fidgets.at(times, 0.4) + 0.6 * self.talking.at(times, 0.4))
        moved: Floats = size[:, None] * self._movement.at(times)
        return moved + 0.05 * self._posture.at(times)

    def in_view(self, times: Floats) -> Floats:
        """Return 1 where the camera can see the face and 0 where it cannot, shape (n,)."""
        return (self._away.at(times, 1e-9) < 0.5).astype(np.float64)

    def _look(self, index: int) -> tuple[float, float, float]:
        rng = generator(self._seed, "look", index)
        x, y = 0.4 * rng.standard_normal(2)
        return (index + rng.uniform(0.0, 0.9)) * _FIXATION_S, x, 0.6 * y

    def _blink_rate(self, times: Floats) -> Floats:
        arousal = self._path.lagged(times, 0.5, 1.0)[:, 1]
        rate: Floats = self.traits.blinks * np.exp(self.traits.blink_urge * arousal)
        return np.minimum(rate, _BLINK_CEILING)


def _soft(effort: Floats) -> Floats:
    """Keep an effort within (0, 1) without corners, near identity in the middle."""
    limited: Floats = 0.5 + 0.5 * np.tanh(2.0 * (effort - 0.5))
    return limited
