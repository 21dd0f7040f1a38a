"""The pipeline from raw EEG to features, and what can be chosen in it."""

from __future__ import annotations

import math
from typing import Any

from biosense.core.errors import BadInput
from biosense.core.stage import Pipeline, Stage
from biosense.core.types import StreamInfo
from biosense.processing.eeg.artefacts import EegArtefacts
from biosense.processing.eeg.asr import Asr
from biosense.processing.eeg.bad_channels import BadChannels
from biosense.processing.eeg.band_powers import NO_AVERAGE, BandPowers, analysis_rate
from biosense.processing.eeg.reference import Reference, ReferenceKind
from biosense.processing.signal.decimate import Decimate
from biosense.processing.signal.filters import BandPass, Cascade, Notch
from biosense.processing.signal.regularise import Regularise
from biosense.processing.signal.units import ToSI
from biosense.processing.signal.window import Window

EEG_BAND_HZ = (1.0, 45.0)
EEG_WINDOW_S = 2.0


def eeg_pipeline(
    info: StreamInfo,
    mains_hz: float,
    *,
    reference: ReferenceKind = "average",
    asr_cutoff: float = math.inf,
) -> Pipeline:
    """Make the pipeline that turns raw EEG into features.

    Parameters
    ----------
    info
        The stream.
    mains_hz
        Mains frequency, Hz.
    reference
        "average" of the good channels of each window (from 8 channels on), "linked" mastoids or
        ears, "none" as recorded.
    asr_cutoff
        Standard deviations from which on `Asr` suppresses artefacts; inf leaves it out.

    Returns
    -------
    Pipeline
        From raw chunks to epochs of `EEG_FEATURES`; not yet started.

    Examples
    --------
    >>> info = StreamInfo("cap", None, ("F3", "F4", "P3", "P4"), 256.0, "uV")
    >>> eeg_pipeline(info, 50.0, asr_cutoff=20.0).start(info).channels[0]
    'all_delta'
    """
    if not asr_cutoff > 0:
        raise BadInput(f"asr_cutoff={asr_cutoff} must be above 0; inf leaves ASR out")
    clean: list[Stage[Any, Any]] = [Cascade((Notch(mains_hz), BandPass(*EEG_BAND_HZ)))]
    if reference == "linked":
        clean.append(Reference(reference))
    if asr_cutoff < math.inf:
        clean.append(Asr(cutoff=asr_cutoff))
    powers = BandPowers() if reference == "average" else BandPowers(reference_from=NO_AVERAGE)
    return Pipeline(
        ToSI(),
        Regularise(),
        Decimate(analysis_rate(info.sfreq)),
        *clean,
        Window(EEG_WINDOW_S),
        BadChannels(),
        EegArtefacts(),
        powers,
    )
