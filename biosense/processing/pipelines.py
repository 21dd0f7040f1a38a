"""The pipeline of each modality, from raw chunks to features: one table, used live and offline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from biosense.core.camera_streams import FACE_CHANNELS, RPPG_CHANNELS
from biosense.core.errors import BadInput
from biosense.core.mains import DEFAULT_MAINS_HZ
from biosense.core.preprocessed_streams import EMG_ENVELOPE, is_intervals
from biosense.core.registry import Registry
from biosense.core.stage import Pipeline, Stage
from biosense.core.types import Modality, StreamInfo
from biosense.processing.cardiac.features import HeartFeatures
from biosense.processing.cardiac.pulse_peaks import PulsePeaks
from biosense.processing.cardiac.rpeaks import RPeaks
from biosense.processing.cardiac.rr_features import RrFeatures
from biosense.processing.eda.features import EdaFeatures
from biosense.processing.eeg.pipeline import eeg_pipeline
from biosense.processing.emg.envelope import EmgEnvelope, emg_band
from biosense.processing.emg.features import EmgFeatures
from biosense.processing.face.features import FaceFeatures
from biosense.processing.face.geometry import FaceGeometry
from biosense.processing.respiration.features import RespFeatures
from biosense.processing.rppg.features import RppgFeatures
from biosense.processing.signal.decimate import Decimate
from biosense.processing.signal.filters import BandPass, Cascade, Notch
from biosense.processing.signal.regularise import Regularise
from biosense.processing.signal.units import ToSI
from biosense.processing.temperature import TempFeatures

ECG_HZ, PPG_HZ = (500.0, 1000.0), (250.0, 500.0)  # a faster stream is thinned to these
CAMERA_HZ = 30.0  # features of the face and its pulse are the same for every frame rate


def _eeg(info: StreamInfo, mains_hz: float) -> Pipeline:
    return eeg_pipeline(info, mains_hz)


def _ecg(info: StreamInfo, mains_hz: float) -> Pipeline:
    if is_intervals(info):
        return Pipeline(ToSI(), RrFeatures())
    thin = _thinned(info, ECG_HZ)
    return Pipeline(ToSI(), Regularise(), *thin, HeartFeatures(RPeaks()))


def _ppg(info: StreamInfo, mains_hz: float) -> Pipeline:
    if is_intervals(info):
        return Pipeline(ToSI(), RrFeatures(transit=True))
    thin = _thinned(info, PPG_HZ)
    return Pipeline(ToSI(), Regularise(), *thin, HeartFeatures(PulsePeaks(), transit=True))


def _thinned(info: StreamInfo, limits: tuple[float, float]) -> tuple[Decimate, ...]:
    """Return what brings a fast stream to a rate within limits, if a whole ratio does; or nothing.

    Its low-pass is late by some samples of the new rate, 10 ms and less: beats are, too.
    """
    least, most = limits
    if info.sfreq <= most:
        return ()
    factors = range(int(info.sfreq // least), 1, -1)
    return tuple(Decimate(info.sfreq / one) for one in factors if info.sfreq % one == 0)[:1]


def _eda(info: StreamInfo, mains_hz: float) -> Pipeline:
    # Straight lines know a sample of a 4 Hz sensor half a second earlier than a cubic does.
    return Pipeline(ToSI(), Regularise(order=1), EdaFeatures())


def _resp(info: StreamInfo, mains_hz: float) -> Pipeline:
    return Pipeline(ToSI(), Regularise(order=1), RespFeatures())


def _temp(info: StreamInfo, mains_hz: float) -> Pipeline:
    return Pipeline(ToSI(), Regularise(order=1), TempFeatures())


def _emg(info: StreamInfo, mains_hz: float) -> Pipeline:
    if info.content_type == EMG_ENVELOPE:
        return Pipeline(ToSI(), Regularise(order=1), EmgFeatures())
    clean = Cascade((Notch(mains_hz), BandPass(*emg_band(info.sfreq))))
    if mains_hz >= info.sfreq / 2:
        clean = Cascade((BandPass(*emg_band(info.sfreq)),))
    return Pipeline(ToSI(), Regularise(), clean, EmgEnvelope(), EmgFeatures())


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
        Modality.RESP: _resp,
        Modality.TEMP: _temp,
        Modality.EMG: _emg,
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
    StreamInfo("resp", Modality.RESP, ("belt",), 64.0),
    StreamInfo("temp", Modality.TEMP, ("skin",), 4.0, "degC"),
    StreamInfo("emg", Modality.EMG, ("zygomaticus", "corrugator"), 1000.0, "V"),
)


def feature_pipeline(
    info: StreamInfo,
    *,
    mains_hz: float = DEFAULT_MAINS_HZ,
    on_signal: Sequence[Stage[Any, Any]] = (),
    on_features: Sequence[Stage[Any, Any]] = (),
) -> Pipeline:
    """Make the pipeline that turns a raw stream into features.

    Parameters
    ----------
    info
        The stream.
    mains_hz
        Mains frequency, Hz.
    on_signal
        Stages beside the usual ones, for samples in SI units on their grid, before anything else is
        done to them.
    on_features
        Stages beside the usual ones, for the features, at the end.

    Returns
    -------
    Pipeline
        From raw chunks to epochs of features; not yet started.

    Raises
    ------
    BadInput
        For a stream of a modality without features, or an irregular one that holds no intervals
        between beats; for intervals, which are on no grid, where `on_signal` wants one.

    Examples
    --------
    >>> info = StreamInfo("chest", Modality.ECG, ("ecg",), 130.0, "uV")
    >>> feature_pipeline(info).start(info).channels[0]
    'heart_rate'
    """
    if info.modality is None or info.modality not in PIPELINES:
        raise BadInput(f"no features are computed from {info.modality} ({info.name!r})")
    if info.sfreq == 0 and not is_intervals(info):
        raise BadInput(
            f"{info.name!r} is irregular (nominal rate 0), but {info.modality} needs a regular "
            "stream: let its sender declare its rate"
        )
    usual = PIPELINES[info.modality](info, mains_hz).stages
    place = next((k + 1 for k, each in enumerate(usual) if isinstance(each, Regularise)), 0)
    if on_signal and not place:
        raise BadInput(f"{info.name!r} holds intervals, but {on_signal[0]} needs samples on a grid")
    return Pipeline(*usual[:place], *on_signal, *usual[place:], *on_features)


def schema() -> dict[Modality, tuple[str, ...]]:
    """Return the names of the features of each modality, in order.

    Returns
    -------
    dict of Modality to tuple of str
    """
    return {
        info.modality: feature_pipeline(info).start(info).channels
        for info in _TYPICAL
        if info.modality is not None
    }


def fingerprints() -> dict[Modality, str]:
    """Return the fingerprint of each modality's pipeline, on a typical stream at 50 Hz mains.

    Returns
    -------
    dict of Modality to str
    """
    return {
        info.modality: feature_pipeline(info).fingerprint
        for info in _TYPICAL
        if info.modality is not None
    }
