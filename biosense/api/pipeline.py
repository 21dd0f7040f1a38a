"""The pipeline of a modality for arrays: the stages of a live run, without a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from biosense.api.features import Features, features_of
from biosense.api.naming import modality_named
from biosense.core.errors import BadInput
from biosense.core.mains import DEFAULT_MAINS_HZ
from biosense.core.stage import Pipeline, Stage
from biosense.core.types import Chunk, Epoch, Floats, Modality, StreamInfo
from biosense.processing.pipelines import feature_pipeline
from biosense.processing.registry import make_stage

AnyStage = str | Stage[Any, Any]
"""A stage, or the name under which one is registered."""

_UNITS = {Modality.EDA: "S", Modality.TEMP: "degC", Modality.PPG: "", Modality.RESP: ""}


class FeaturePipeline:
    """A started pipeline that takes samples as arrays and gives features as tables.

    However the samples are cut, the features are the same. A gap is told by times.

    Parameters
    ----------
    info
        What the samples are.
    mains_hz
        Mains frequency, Hz.
    on_signal, on_features
        Stages beside the usual ones.

    Attributes
    ----------
    info : StreamInfo
        What goes in.
    features : tuple of str
        What comes out.
    """

    def __init__(
        self,
        info: StreamInfo,
        mains_hz: float = DEFAULT_MAINS_HZ,
        *,
        on_signal: Sequence[AnyStage] = (),
        on_features: Sequence[AnyStage] = (),
    ) -> None:
        self.info = info
        self._mains_hz = mains_hz
        self._on_signal = [_made(each) for each in on_signal]
        self._on_features = [_made(each) for each in on_features]
        self._start()

    def _start(self) -> None:
        self.stages: Pipeline = feature_pipeline(
            self.info,
            mains_hz=self._mains_hz,
            on_signal=self._on_signal,
            on_features=self._on_features,
        )
        self.features = self.stages.start(self.info).channels
        self._taken = 0

    def push(self, samples: ArrayLike, times: ArrayLike | None = None) -> Features:
        """Take the next samples, and return the features that they completed.

        Parameters
        ----------
        samples
            Shape (n,) or (n, channels), in the unit of `info`; NaN is a missing value.
        times
            Session seconds, shape (n,); counted on from the sample before by default.

        Returns
        -------
        Features
            None to many rows.
        """
        return features_of(self._epochs(self.stages.push(self._chunk(samples, times))))

    def flush(self) -> Features:
        """Return what is left at the end, and begin anew."""
        rest = features_of(self._epochs(self.stages.flush()))
        self._start()
        return rest

    def run(self, samples: ArrayLike, times: ArrayLike | None = None) -> Features:
        """Return the features of a whole signal, from a fresh start.

        Parameters
        ----------
        samples, times
            As for `push`.
        """
        self._start()
        epochs = [*self.stages.push(self._chunk(samples, times)), *self.stages.flush()]
        self._start()
        return features_of(self._epochs(epochs))

    def _chunk(self, samples: ArrayLike, times: ArrayLike | None) -> Chunk:
        data: Floats = np.asarray(samples, np.float64)
        data = data[:, None] if data.ndim == 1 else data
        if data.ndim != 2 or data.shape[1] != self.info.n_channels:
            raise BadInput(
                f"samples of shape {np.shape(samples)}; wanted (n, {self.info.n_channels})"
                + (" or (n,)" if self.info.n_channels == 1 else "")
            )
        first = self._taken
        self._taken += len(data)
        if times is None:
            if not self.info.sfreq:
                raise BadInput("samples of no steady rate need their times")
            times = np.arange(first, self._taken) / self.info.sfreq
        return Chunk.of(self.info, np.asarray(times, np.float64), data)

    def _epochs(self, found: Iterable[object]) -> list[Epoch]:
        return [epoch for epoch in found if isinstance(epoch, Epoch)]

    def __repr__(self) -> str:
        rate = f"{self.info.sfreq:g} Hz" if self.info.sfreq else "irregular"
        return f"<FeaturePipeline {self.info.modality}, {rate}: {', '.join(self.features)}>"


def pipeline(
    modality: Modality | str,
    sfreq: float,
    *,
    channels: Sequence[str] | None = None,
    unit: str | None = None,
    mains_hz: float = DEFAULT_MAINS_HZ,
    on_signal: Sequence[AnyStage] = (),
    on_features: Sequence[AnyStage] = (),
) -> FeaturePipeline:
    """Make the pipeline of a modality, as a live run makes it.

    Parameters
    ----------
    modality
        "eeg", "ecg", "ppg", "eda", "resp", "emg", "temp", "rppg" or "face".
    sfreq
        Samples a second, Hz.
    channels
        Names; one of the modality's own name by default. EEG needs those of its electrodes.
    unit
        Of the samples ("uV", "mV", "uS"); V, S and degC by default.
    mains_hz
        Mains frequency, Hz.
    on_signal
        Stages beside the usual ones, registered names or stages: for samples in SI units on their
        grid, before anything else is done to them.
    on_features
        The same for the features, at the end.

    Returns
    -------
    FeaturePipeline
        Started: `push`, `flush`, `run`.

    Raises
    ------
    BadInput
        If there is no such modality, or it cannot be computed from such a stream.

    Examples
    --------
    >>> import biosense as bs
    >>> ecg = bs.simulate(seconds=15, modalities=["ecg"])["sim-ecg"]
    >>> heart = bs.pipeline("ecg", sfreq=512, unit=ecg.info.unit)
    >>> float(heart.run(ecg.data).query("feature == 'heart_rate'")["value"].iloc[-1]) > 0
    True
    """
    kind = modality_named(modality)
    names = tuple(channels) if channels is not None else (str(kind),)
    if kind is Modality.EEG and channels is None:
        raise BadInput("EEG needs the names of its electrodes: channels=('Fp1', 'Fp2', ..)")
    usual = _UNITS.get(kind, "V")
    return FeaturePipeline(
        StreamInfo(str(kind), kind, names, float(sfreq), usual if unit is None else unit),
        mains_hz,
        on_signal=on_signal,
        on_features=on_features,
    )


def _made(stage: AnyStage) -> Stage[Any, Any]:
    return make_stage(stage) if isinstance(stage, str) else stage
