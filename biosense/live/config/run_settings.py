"""What a run is asked to do: by a preset, and by options that go before it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from biosense.acquisition.xdf.recording_folder import Sidecar, installed_software
from biosense.core.device_state import DeviceState
from biosense.estimation.processor import ProcessorSettings
from biosense.live.config.preflight_settings import PreflightSettings
from biosense.live.config.preset import Preset
from biosense.processing.pipelines import fingerprints

if TYPE_CHECKING:
    from biosense.models.deployment.checkpoint import Loaded

_SOFTWARE = ("numpy", "scipy", "pylsl", "bleak", "torch", "mediapipe", "opencv-python-headless")


@dataclass(frozen=True)
class RunSettings:
    """Hold what a run is asked to do.

    Parameters
    ----------
    seconds
        Length of the run; None runs until stopped or until every source has ended.
    record
        Folder in which the recording's own folder is made; None records nothing.
    participant
        Pseudonym, part of the recording's name.
    features
        Publish, and record, the plain features of each modality.
    model_name
        What the checkpoint was called on the command line, for the recording's header.
    processor
        What changes the numbers.
    preflight
        How the signals are looked at before the run begins; by default not at all.
    preset
        Text of the preset, for the file beside the recording.
    """

    seconds: float | None = None
    record: Path | None = None
    participant: str = ""
    features: bool = False
    model_name: str = ""
    processor: ProcessorSettings = field(default_factory=ProcessorSettings)
    preflight: PreflightSettings = field(default_factory=lambda: PreflightSettings(seconds=0.0))
    preset: str = ""


@dataclass(frozen=True)
class RunOptions:
    """Hold what is asked for beside a preset; None leaves it to the preset.

    Parameters
    ----------
    model
        Checkpoint; "" for none.
    record
        Folder in which the recording's own folder is made.
    participant
        Pseudonym.
    features
        Publish, and record, the plain features.
    mains_hz
        Mains frequency, Hz.
    preflight
        Seconds of the pre-flight; 0 for none.
    seconds
        Length of the run.
    """

    model: str | None = None
    record: Path | None = None
    participant: str = ""
    features: bool | None = None
    mains_hz: float | None = None
    preflight: float | None = None
    seconds: float | None = None


def run_settings(preset: Preset, options: RunOptions) -> RunSettings:
    """Put a preset and options together; options go before.

    A run that records has a pre-flight unless something else is asked for.

    Parameters
    ----------
    preset, options
        What is asked for.

    Returns
    -------
    RunSettings
        What a run is to do.

    Raises
    ------
    BadInput
        A stage of the preset cannot be made.

    Examples
    --------
    >>> settings = run_settings(Preset(), RunOptions(mains_hz=60.0, record=Path("lab")))
    >>> settings.processor.mains_hz, settings.preflight.seconds, settings.model_name
    (60.0, 5.0, 'default')
    """
    run, record = preset.run, options.record or preset.run.record
    preflight = preset.preflight
    if preflight is None:
        preflight = PreflightSettings() if record else PreflightSettings(seconds=0.0)
    if options.preflight is not None:
        preflight = replace(preflight, seconds=options.preflight)
    mains_hz = run.mains_hz if options.mains_hz is None else options.mains_hz
    for stage in preset.stages:
        stage.make()  # now, and not after a pre-flight
    return RunSettings(
        seconds=options.seconds or run.seconds,
        record=record,
        participant=options.participant,
        features=run.features if options.features is None else options.features,
        model_name=run.model if options.model is None else options.model,
        processor=ProcessorSettings(mains_hz, run.patience, preset.stages),
        preflight=preflight,
        preset=preset.text,
    )


def sidecar(
    settings: RunSettings, loaded: Loaded | None, devices: Iterable[DeviceState] = ()
) -> Sidecar:
    """Describe a run for the file beside its recording: who, with what devices and settings.

    `config` is a fingerprint of everything that the estimates depend on beside the samples: equal
    fingerprints and equal samples give equal estimates.

    Parameters
    ----------
    settings
        Of the run.
    loaded
        Its checkpoint, or None.
    devices
        What devices said of themselves.

    Returns
    -------
    Sidecar
        For `recording.json`.
    """
    parts = (settings.processor, loaded.digest if loaded else "", sorted(fingerprints().items()))
    return Sidecar(
        settings.participant,
        consent={"video": False},
        devices={each.stream: f"{each.model} {each.firmware}".strip() for each in devices},
        software=installed_software(*_SOFTWARE),
        config=hashlib.sha256(repr(parts).encode()).hexdigest()[:16],
        preset=settings.preset,
    )
