"""A stage of your own: takes chunks of one stream, gives chunks, the same however they are cut.

Once the package is installed (pyproject.toml names the class), a preset puts it into a pipeline,

    [[stage]]
    name = "despike"
    modality = "ecg"
    options = { limit = 0.002 }

and so does `bs.pipeline("ecg", 130, on_signal=["despike"])`: it gets samples in SI units on their
grid, before anything else is done to them. Try it before: `biosense.testing.check_stage(Despike)`.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.types import Chunk, Floats, StreamInfo
from biosense.processing.registry import register_stage


@register_stage("despike")
@dataclass
class Despike:
    """Hold the sample before where a signal jumps, and say that it is not to be trusted."""

    limit: float = 1e-3  # parameters are fields: they make the fingerprint of a pipeline
    _time: float = field(default=-np.inf, init=False, repr=False)  # state is not shown
    _value: Floats = field(default_factory=lambda: np.empty((1, 0)), init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        self._time, self._value = -np.inf, np.zeros((1, info.n_channels))
        self._step = 1.5 / info.sfreq
        return info  # what comes out is described as what goes in

    def push(self, chunk: Chunk) -> list[Chunk]:
        if not chunk.n:
            return []
        times, data = chunk.times, chunk.data
        before = np.concatenate([self._value, data[:-1]])
        follows = np.diff(times, prepend=self._time) < self._step  # behind a gap nothing is known
        jumps = (np.abs(data - before) > self.limit) & follows[:, None]
        self._time, self._value = times[-1], data[-1:].copy()
        ok = chunk.ok & ~jumps.any(axis=1)
        return [replace(chunk, data=np.where(jumps, before, data), ok=ok)]

    def flush(self) -> list[Chunk]:
        return []  # nothing is held back
