"""What is drawn of each modality: units, channels, windows, and what a detector sees inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

import numpy as np
from scipy import signal

from biosense.core.stage import Stage
from biosense.core.types import Chunk, Floats, Modality, StreamInfo
from biosense.processing.cardiac.pulse_peaks import PulsePeaks
from biosense.processing.cardiac.qrs_filter import LIGHT_HZ
from biosense.processing.cardiac.rpeaks import RPeaks
from biosense.processing.eda.features import EdaFeatures
from biosense.processing.eda.scr import ScrDetector
from biosense.processing.eda.signal import EdaSignal
from biosense.processing.face.features import FaceFeatures
from biosense.processing.rppg.features import RppgFeatures
from biosense.processing.rppg.methods import Pos
from biosense.processing.signal.filters import BandPass, Cascade, HighPass
from biosense.processing.signal.sos import SosStage


@dataclass(frozen=True)
class View:
    """Say how a modality is drawn.

    Parameters
    ----------
    title
        What physiologists call it.
    unit, scale
        Unit on the axes, and what one SI unit is of it.
    window_s
        Length of the windows that are looked at closely.
    before, after
        Channels that are drawn; none means all.
    band_hz
        Frequencies of the spectrum that are drawn; None draws no spectrum.
    typical_hz
        Where the delay of filters is stated.
    feature, feature_unit
        What is drawn over time, below the signal.
    mark
        What marks on the signal are.
    caption
        What else a reader must know.
    """

    title: str
    unit: str = ""
    scale: float = 1.0
    window_s: float = 10.0
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    band_hz: tuple[float, float] | None = None
    typical_hz: float = 1.0
    feature: str = ""
    feature_unit: str = ""
    mark: str = ""
    caption: str = ""


VIEWS: Mapping[Modality, View] = {
    Modality.EEG: View("EEG", "µV", 1e6, band_hz=(0.25, 80.0), typical_hz=10.0),
    Modality.ECG: View(
        *("ECG", "mV", 1e3),
        band_hz=(0.25, 80.0),
        typical_hz=15.0,
        feature="heart_rate",
        feature_unit="beats/min",
        mark="R peak",
    ),
    Modality.PPG: View(
        "PPG",
        band_hz=(0.25, 15.0),
        typical_hz=1.5,
        feature="heart_rate",
        feature_unit="beats/min",
        mark="pulse wave",
    ),
    Modality.EDA: View(
        *("Skin conductance (EDA)", "µS", 1e6, 60.0),
        typical_hz=0.2,
        feature="scr_rate",
        feature_unit="SCR/min",
        mark="SCR",
    ),
    Modality.RPPG: View(
        *("Pulse from the camera (rPPG)", "", 1.0, 20.0),
        before=("forehead_g", "right_cheek_g", "left_cheek_g"),
        after=("pulse",),
        band_hz=(0.25, 8.0),
        typical_hz=1.5,
        feature="heart_rate",
        feature_unit="beats/min",
        caption="Before: mean green of the skin, linear, 0 to 1. After: blood volume pulse by POS, "
        "a fraction of the mean colour.",
    ),
    Modality.FACE: View(
        *("Face", "", 1.0, 20.0),
        before=("pose_x", "pose_y", "pose_z"),
        after=("ear", "mar", "smile_width", "head_speed"),
        feature="blink_rate",
        feature_unit="blinks/min",
        caption="Before: head pose as a rotation vector. After: ear, mar = height over width of "
        "the eyes (blinks are dips) and of the mouth; each lane is scaled to its own values.",
    ),
    Modality.RESP: View(
        "Respiration",
        window_s=60.0,
        typical_hz=0.25,
        feature="resp_rate",
        feature_unit="breaths/min",
    ),
    Modality.TEMP: View("Skin temperature", "°C", window_s=60.0),
    Modality.EMG: View(
        *("EMG", "µV", 1e6),
        band_hz=(0.25, 250.0),
        typical_hz=80.0,
        caption="After: the envelope that features are made of (see the steps).",
    ),
}


def view_of(info: StreamInfo) -> View:
    """Return how a stream is drawn: by its modality, or plainly.

    >>> view_of(StreamInfo("gaze", None, ("x",), 60.0, "px")).unit
    'px'
    """
    unit = info.unit if info.unit != "1" else ""
    if info.modality is not None and info.modality in VIEWS:
        view = VIEWS[info.modality]
        return view if view.unit else replace(view, unit=unit)
    return View(info.content_type or str(info.modality or info.name), unit=unit)


@dataclass
class BesselLowPass(SosStage):
    """Smooth as `PulsePeaks` does inside."""

    cutoff: float
    order: int = 2

    def sos(self, info: StreamInfo) -> Floats:
        """Return the second-order sections for a stream, shape (sections, 6)."""
        low: Floats = signal.bessel(
            self.order, self.cutoff, fs=info.sfreq, output="sos", norm="mag"
        )
        return low


@dataclass
class EdaSmooth:
    """Give out the skin conductance that `EdaFeatures` works on, in siemens."""

    cutoff: float
    seconds_late: float = field(default=0.0, init=False, repr=False)
    _signal: EdaSignal = field(init=False, repr=False)
    _info: StreamInfo = field(init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        """Design the smoothing."""
        self._signal = EdaSignal(info, self.cutoff)
        self.seconds_late = self._signal.delay
        self._info = replace(info, sfreq=self._signal.rate)
        return self._info

    def push(self, item: Chunk) -> Sequence[Chunk]:
        """Return the smoothed samples, not ok where they cannot be believed."""
        return [
            Chunk(
                self._info,
                piece.indices / self._signal.rate,
                1e-6 * piece.smooth[:, None],
                np.asarray(piece.faults == 0, np.bool_),
            )
            for piece in self._signal.push(item)
        ]

    def flush(self) -> Sequence[Chunk]:
        """Return nothing: nothing is held back."""
        return []

    def delay(self, frequency: float, info: StreamInfo) -> float:
        """Return how late the smoothed signal is, seconds: at low frequencies, all alike."""
        return EdaSignal(info, self.cutoff).delay


@dataclass
class Same:
    """Give out what comes in: a stage whose input is what is worth drawing."""

    def start(self, info: StreamInfo) -> StreamInfo:
        """Change nothing."""
        return info

    def push(self, item: Chunk) -> Sequence[Chunk]:
        """Change nothing."""
        return [item]

    def flush(self) -> Sequence[Chunk]:
        """Return nothing: nothing is held back."""
        return []


def inside_of(stage: Stage[Any, Any]) -> Stage[Chunk, Chunk] | None:
    """Return a stage that shows the cleaned signal which a feature stage makes for itself."""
    match stage:
        case RPeaks():
            return BandPass(*LIGHT_HZ)
        case PulsePeaks():
            return Cascade((BesselLowPass(stage.low_pass), HighPass(0.5, order=1)))
        case EdaFeatures():
            return EdaSmooth(stage.cutoff)
        case RppgFeatures():
            return Pos()
        case FaceFeatures():
            return Same()
    detector = detector_of(stage)
    return None if detector is None else inside_of(detector[1])


def marks_of(stage: Stage[Any, Any]) -> Stage[Chunk, Chunk] | None:
    """Return a stage that gives the moments which a feature stage finds, but keeps to itself."""
    if isinstance(stage, EdaFeatures):
        return ScrDetector(stage.min_amplitude, stage.cutoff)
    return None


def detector_of(stage: Stage[Any, Any]) -> tuple[str, Stage[Chunk, Chunk]] | None:
    """Return the stage that works inside another, with the name of its field; None without one."""
    for name in getattr(stage, "__dataclass_fields__", {}):
        inner = getattr(stage, name, None)
        if not name.startswith("_") and _is_stage(inner):
            return name, inner
    return None


def _is_stage(value: Any) -> TypeGuard[Stage[Chunk, Chunk]]:
    return all(hasattr(value, name) for name in ("start", "push", "flush"))
