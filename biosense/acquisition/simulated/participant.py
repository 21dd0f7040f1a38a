"""A simulated person: one hidden path over the valence-arousal plane, and every stream it moves."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from biosense.acquisition.simulated.behaviour import Behaviour
from biosense.acquisition.simulated.brain import SimulatedEeg
from biosense.acquisition.simulated.camera import SimulatedFace, SimulatedRppg
from biosense.acquisition.simulated.cardiac import SimulatedEcg, SimulatedPpg
from biosense.acquisition.simulated.heart import Heart
from biosense.acquisition.simulated.skin import SimulatedEda
from biosense.acquisition.simulated.state import AffectPath
from biosense.acquisition.simulated.stream import BlockStream
from biosense.core.errors import BadInput
from biosense.core.types import Chunk, Floats, Modality, StreamInfo

DEFAULT_MODALITIES = (Modality.EEG, Modality.ECG, Modality.EDA, Modality.RPPG, Modality.FACE)
"""What a full lab montage records."""
ALL_MODALITIES = (*DEFAULT_MODALITIES, Modality.PPG)
"""Everything that can be simulated."""


class Participant:
    """Make the streams of one simulated person, block by block, for as long as wanted.

    Every sample is a function of the seed and its time: blocks may be asked for in any order, by
    any number of readers, with the same result.

    Parameters
    ----------
    seed
        Who it is: body, temper, sensors and path. 0 or more.
    modalities
        Which streams are made; leaving one out does not change the others.

    Raises
    ------
    BadInput
        For a negative seed, or a modality that is not simulated.
    MissingExtra
        If a heart is wanted and NeuroKit2 is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> person = Participant(7, [Modality.EDA])
    >>> person.block(0)[Modality.EDA].data.shape
    (512, 1)
    >>> person.path.at(np.array([2.0])).shape
    (1, 2)
    """

    def __init__(self, seed: int, modalities: Collection[Modality] = DEFAULT_MODALITIES) -> None:
        _check(seed, modalities)
        self.seed = seed
        self.path = AffectPath(seed)
        self.heart = Heart(seed, self.path)
        self.behaviour = Behaviour(seed, self.path)
        self.streams: Mapping[Modality, BlockStream] = {
            modality: self._stream(modality)
            for modality in ALL_MODALITIES
            if modality in modalities
        }

    @property
    def infos(self) -> tuple[StreamInfo, ...]:
        """The streams."""
        return tuple(stream.info for stream in self.streams.values())

    def block(self, index: int) -> dict[Modality, Chunk]:
        """Return block `index` (BLOCK_S seconds) of every stream, times since the start."""
        if index < 0:
            raise BadInput(f"block {index} lies before the participant's start; ask for 0 or more")
        return {modality: stream.block(index) for modality, stream in self.streams.items()}

    def beats(self, start: float, stop: float) -> Floats:
        """Return the true times of the R peaks in [start, stop), seconds since the start."""
        return self.heart.beats(start, stop)

    def _stream(self, modality: Modality) -> BlockStream:
        fidgets = self.behaviour.fidgets
        if modality is Modality.EEG:
            return SimulatedEeg(self.seed, self.path, self.behaviour)
        if modality is Modality.ECG:
            return SimulatedEcg(self.seed, self.heart, fidgets)
        if modality is Modality.EDA:
            return SimulatedEda(self.seed, self.path, fidgets)
        if modality is Modality.PPG:
            return SimulatedPpg(self.seed, self.heart, fidgets)
        if modality is Modality.RPPG:
            return SimulatedRppg(self.seed, self.heart, self.behaviour)
        return SimulatedFace(self.seed, self.behaviour)


def _check(seed: int, modalities: Collection[Modality]) -> None:
    if seed < 0:
        raise BadInput(f"seed={seed} of a simulated participant must be 0 or more")
    unknown = [str(modality) for modality in modalities if modality not in ALL_MODALITIES]
    if unknown or not modalities:
        raise BadInput(
            f"modalities {unknown} cannot be simulated; at least one is needed out of: "
            f"{', '.join(ALL_MODALITIES)}"
        )
