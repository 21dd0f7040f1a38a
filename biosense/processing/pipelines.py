"""The pipeline of each modality, from raw chunks to features: one table, used live and offline."""

from __future__ import annotations

from collections.abc import Callable

from biosense.core.camera_streams import FACE_CHANNELS, RPPG_CHANNELS
from biosense.core.errors import BadInput
from biosense.core.registry import Registry
from biosense.core.stage import Pipeline
from biosense.core.types import Modality, StreamInfo
from biosense.processing.decimate import Decimate
from biosense.processing.eda import EdaFeatures
from biosense.processing.eeg import BandPowers, analysis_rate
from biosense.processing.face import FaceGeometry
from biosense.processing.face_features import FaceFeatures
from biosense.processing.filters import BandPass, Cascade, Notch
from biosense.processing.heart import HeartFeatures
from biosense.processing.pulse_peaks import PulsePeaks
from biosense.processing.regularise import Regularise
from biosense.processing.rpeaks import RPeaks
from biosense.processing.rppg_features import RppgFeatures
from biosense.processing.units import ToSI
from biosense.processing.window import Window

EEG_BAND_HZ = (1.0, 45.0)
EEG_WINDOW_S = 2.0
CAMERA_HZ = 30.0  # features of the face and its pulse are the same for every frame rate


def _eeg(info: StreamInfo, mains_hz: float) -> Pipeline:
    thin = Decimate(analysis_rate(info.sfreq))
    clean = Cascade((Notch(mains_hz), BandPass(*EEG_BAND_HZ)))
    return Pipeline(ToSI(), Regularise(), thin, clean, Window(EEG_WINDOW_S), BandPowers())


def _ecg(info: StreamInfo, mains_hz: float) -> Pipeline:
    return Pipeline(ToSI(), Regularise(), HeartFeatures(RPeaks()))


def _ppg(info: StreamInfo, mains_hz: float) -> Pipeline:
    return Pipeline(ToSI(), Regularise(), HeartFeatures(PulsePeaks()))


def _eda(info: StreamInfo, mains_hz: float) -> Pipeline:
    # Straight lines know a sample of a 4 Hz sensor half a second earlier than a cubic does.
    return Pipeline(ToSI(), Regularise(order=1), EdaFeatures())


def _rppg(info: StreamInfo, mains_hz: float) -> Pipeline:
    return Pipeline(_frames(), RppgFeatures())


def _face(info: StreamInfo, mains_hz: float) -> Pipeline:
    return Pipeline(_frames(), FaceGeometry(), FaceFeatures())


def _frames() -> Regularise:
    # A frame's stamp is the time at which it was taken: there is no jitter to take out.
    return Regularise(sfreq=CAMERA_HZ, order=1, dejitter=False, fill=False)


PIPELINES: Registry[Callable[[StreamInfo, float], Pipeline]] = Registry(
    "pipeline",
    {
        Modality.EEG: _eeg,
        Modality.ECG: _ecg,
        Modality.EDA: _eda,
        Modality.PPG: _ppg,
        Modality.RPPG: _rppg,
        Modality.FACE: _face,
    },
)

# A stream of each modality as a lab would have it: what schema and fingerprints are made from.
_TYPICAL = (
    StreamInfo("eeg", Modality.EEG, ("F3", "F4"), 512.0, "V"),
    StreamInfo("ecg", Modality.ECG, ("ecg",), 512.0, "V"),
    StreamInfo("eda", Modality.EDA, ("eda",), 128.0, "S"),
    StreamInfo("ppg", Modality.PPG, ("ppg",), 64.0),
    StreamInfo("rppg", Modality.RPPG, RPPG_CHANNELS, 30.0),
    StreamInfo("face", Modality.FACE, FACE_CHANNELS, 30.0),
)


def feature_pipeline(info: StreamInfo, *, mains_hz: float = 50.0) -> Pipeline:
    """Make the pipeline that turns a raw stream into features.

    Parameters
    ----------
    info
        The stream.
    mains_hz
        Mains frequency, Hz.

    Raises
    ------
    BadInput
        For a stream of a modality without features, or an irregular one.

    Examples
    --------
    >>> info = StreamInfo("chest", Modality.ECG, ("ecg",), 130.0, "uV")
    >>> feature_pipeline(info).start(info).channels[0]
    'heart_rate'
    """
    if info.modality is None or info.modality not in PIPELINES:
        raise BadInput(f"no features are computed from {info.modality} ({info.name!r})")
    if info.sfreq == 0:
        raise BadInput(
            f"{info.name!r} is irregular (nominal rate 0), but {info.modality} needs a regular "
            "stream: let its sender declare its rate"
        )
    return PIPELINES[info.modality](info, mains_hz)


def schema() -> dict[Modality, tuple[str, ...]]:
    """Return the names of the features of each modality, in order."""
    return {
        info.modality: feature_pipeline(info).start(info).channels
        for info in _TYPICAL
        if info.modality is not None
    }


def fingerprints() -> dict[Modality, str]:
    """Return the fingerprint of each modality's pipeline, on a typical stream at 50 Hz mains."""
    return {
        info.modality: feature_pipeline(info).fingerprint
        for info in _TYPICAL
        if info.modality is not None
    }
