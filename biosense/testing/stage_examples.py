"""Every stage with an example of its use: the contract tests cross this table with all cuttings.

To add a stage: one entry in `STAGE_EXAMPLES`, with a fresh stage and a stream of a few seconds for
it (`testing/streams.py` makes them). A test fails for a stage that is missing here.
"""

from __future__ import annotations

from dataclasses import replace

from biosense.core.camera_streams import FACE_CHANNELS, RPPG_CHANNELS
from biosense.core.registry import Registry
from biosense.core.types import Modality, StreamInfo
from biosense.processing.cardiac.features import HeartFeatures
from biosense.processing.cardiac.pulse_peaks import PulsePeaks
from biosense.processing.cardiac.rpeaks import RPeaks
from biosense.processing.cardiac.rr_features import RrFeatures
from biosense.processing.context import PersonContext
from biosense.processing.eda.features import EdaFeatures
from biosense.processing.eda.scr import ScrDetector
from biosense.processing.eeg.artefacts import EegArtefacts
from biosense.processing.eeg.asr import Asr
from biosense.processing.eeg.bad_channels import BadChannels
from biosense.processing.eeg.band_powers import BandPowers
from biosense.processing.eeg.connectivity import Connectivity
from biosense.processing.eeg.entropy import ChannelEntropies
from biosense.processing.eeg.reference import Reference
from biosense.processing.emg.envelope import EmgEnvelope
from biosense.processing.emg.features import EmgFeatures
from biosense.processing.face.features import FaceFeatures
from biosense.processing.face.geometry import GEOMETRY_CHANNELS, FaceGeometry
from biosense.processing.normalise import RunningNormalise
from biosense.processing.respiration.features import RespFeatures
from biosense.processing.rppg.features import RppgFeatures
from biosense.processing.rppg.methods import Chrom, Green, Pos
from biosense.processing.signal.decimate import Decimate
from biosense.processing.signal.filters import BandPass, Cascade, HighPass, LowPass, Notch
from biosense.processing.signal.regularise import Regularise
from biosense.processing.signal.units import ToSI
from biosense.processing.signal.window import Window
from biosense.processing.temperature import TempFeatures
from biosense.testing.body import (
    beat_intervals,
    breath_waves,
    ecg_waves,
    muscle_waves,
    ppg_waves,
    scr_waves,
    skin_waves,
)
from biosense.testing.camera import colour_frames, face_frames, geometry_frames
from biosense.testing.eeg import burst_waves, eeg_windows
from biosense.testing.stage_checks import StageExample
from biosense.testing.streams import feature_epochs, grid_stream, raw_stream

_CAP = StreamInfo("cap", Modality.EEG, ("Fz", "Cz", "Pz"), 128.0, "V")
_HEAD = StreamInfo("head", Modality.EEG, ("F3", "F4", "C3", "C4", "P3", "P4"), 128.0, "V")
_WRIST = StreamInfo("wrist", Modality.EDA, ("eda",), 8.0, "S")
_MUSCLE = StreamInfo("muscle", Modality.EMG, ("left", "right"), 200.0, "mV", dtype="int16")
_BELT = StreamInfo("belt", Modality.RESP, ("chest",), 25.0)
_SKIN = StreamInfo("skin", Modality.TEMP, ("finger",), 8.0, "degC")
_CHEST = StreamInfo("chest", Modality.ECG, ("ecg",), 130.0, "V")
_FINGER = StreamInfo("finger", Modality.PPG, ("ppg",), 64.0, "")

STAGE_EXAMPLES: Registry[StageExample] = Registry(
    "stage",
    {
        "to_si": StageExample(ToSI, lambda: raw_stream(_MUSCLE)),
        "regularise": StageExample(Regularise, lambda: raw_stream(_CAP)),
        "regularise_lossy": StageExample(
            Regularise, lambda: raw_stream(replace(_CAP, lossy=True), jitter=0.02)
        ),
        "regularise_lines": StageExample(
            lambda: Regularise(sfreq=4.0, order=1), lambda: raw_stream(_WRIST, seconds=12.0)
        ),
        "regularise_frames": StageExample(
            lambda: Regularise(dejitter=False, fill=False),
            lambda: raw_stream(_CAP, jitter=0.4),
        ),
        "band_pass": StageExample(lambda: BandPass(1.0, 40.0), lambda: grid_stream(_CAP)),
        "low_pass": StageExample(lambda: LowPass(5.0), lambda: grid_stream(_CAP)),
        "high_pass": StageExample(lambda: HighPass(2.0, order=3), lambda: grid_stream(_CAP)),
        "notch": StageExample(lambda: Notch(50.0), lambda: grid_stream(_CAP)),
        "cascade": StageExample(
            lambda: Cascade((Notch(50.0), BandPass(1.0, 40.0))), lambda: grid_stream(_CAP)
        ),
        "decimate": StageExample(lambda: Decimate(32.0), lambda: grid_stream(_CAP)),
        "window": StageExample(lambda: Window(1.0), lambda: grid_stream(_CAP)),
        "normalise": StageExample(
            lambda: RunningNormalise(half_life=30.0),
            lambda: feature_epochs(Modality.ECG, ("rate", "rmssd", "sdnn")),
        ),
        "context": StageExample(
            lambda: PersonContext(("rate", "sdnn"), ((70.0, 10.0), (0.05, 0.02))),
            lambda: feature_epochs(Modality.ECG, ("rate", "rmssd", "sdnn")),
        ),
        "band_powers": StageExample(BandPowers, eeg_windows),
        "channel_entropies": StageExample(ChannelEntropies, eeg_windows),
        "bad_channels": StageExample(lambda: BadChannels(enter=0.5, leave=1.0), eeg_windows),
        "eeg_artefacts": StageExample(EegArtefacts, eeg_windows),
        "connectivity": StageExample(lambda: Connectivity(piece=0.5), eeg_windows),
        "reference": StageExample(Reference, lambda: grid_stream(_CAP)),
        "asr": StageExample(
            lambda: Asr(calibrate=5.0, cutoff=5.0),
            lambda: grid_stream(_HEAD, seconds=12.0, gap=(8.6, 9.9), signal=burst_waves),
        ),
        "asr_ahead": StageExample(
            lambda: Asr(calibrate=5.0, cutoff=5.0, ahead=0.25),
            lambda: grid_stream(_HEAD, seconds=12.0, gap=(8.6, 9.9), signal=burst_waves),
        ),
        **{
            name: StageExample(
                method,
                lambda: grid_stream(
                    StreamInfo("rppg", Modality.RPPG, RPPG_CHANNELS, 30.0),
                    seconds=8.0,
                    signal=colour_frames,
                ),
            )
            for name, method in (("pos", Pos), ("chrom", Chrom), ("green", Green))
        },
        "rppg_features": StageExample(
            RppgFeatures,
            lambda: grid_stream(
                StreamInfo("rppg", Modality.RPPG, RPPG_CHANNELS, 30.0),
                seconds=20.0,
                gap=(2.6, 3.1),
                signal=colour_frames,
            ),
        ),
        "face_geometry": StageExample(
            FaceGeometry,
            lambda: grid_stream(
                StreamInfo("face", Modality.FACE, FACE_CHANNELS, 30.0), signal=face_frames
            ),
        ),
        "face_features": StageExample(
            FaceFeatures,
            lambda: grid_stream(
                StreamInfo("face", Modality.FACE, GEOMETRY_CHANNELS, 30.0),
                seconds=26.0,
                signal=lambda times, _: geometry_frames(times),
            ),
        ),
        "r_peaks": StageExample(
            RPeaks, lambda: grid_stream(_CHEST, seconds=12.0, gap=(6.6, 7.9), signal=ecg_waves)
        ),
        "pulse_peaks": StageExample(
            PulsePeaks,
            lambda: grid_stream(_FINGER, seconds=15.0, gap=(8.6, 9.9), signal=ppg_waves),
        ),
        "ecg_features": StageExample(
            lambda: HeartFeatures(RPeaks()),
            lambda: grid_stream(_CHEST, seconds=15.0, gap=(9.6, 10.4), signal=ecg_waves),
        ),
        "ppg_features": StageExample(
            lambda: HeartFeatures(PulsePeaks(), transit=True),
            lambda: grid_stream(_FINGER, seconds=18.0, gap=(11.6, 12.9), signal=ppg_waves),
        ),
        "rr_features": StageExample(
            RrFeatures, lambda: beat_intervals(StreamInfo("strap rr", None, ("rr",), 0.0, "s"))
        ),
        "scr": StageExample(
            ScrDetector,
            lambda: grid_stream(_WRIST, seconds=40.0, gap=(20.6, 22.9), signal=scr_waves),
        ),
        "resp_features": StageExample(
            RespFeatures,
            lambda: grid_stream(_BELT, seconds=50.0, gap=(30.6, 32.9), signal=breath_waves),
        ),
        "temp_features": StageExample(
            TempFeatures,
            lambda: grid_stream(_SKIN, seconds=90.0, gap=(60.6, 62.9), signal=skin_waves),
        ),
        "emg_envelope": StageExample(
            EmgEnvelope, lambda: grid_stream(replace(_MUSCLE, unit="V"), signal=muscle_waves)
        ),
        "emg_features": StageExample(
            EmgFeatures,
            lambda: grid_stream(
                replace(_MUSCLE, sfreq=32.0, unit="V"),
                seconds=20.0,
                gap=(12.6, 13.9),
                signal=lambda times, channels: abs(muscle_waves(times, channels)),
            ),
        ),
        "eda_features": StageExample(
            EdaFeatures,
            lambda: grid_stream(_WRIST, seconds=40.0, gap=(20.6, 22.9), signal=scr_waves),
        ),
    },
)
