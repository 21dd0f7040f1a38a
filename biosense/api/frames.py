"""What calls that give tables share: recordings by path, and the settings of their run."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

from biosense.api.recording import Recording
from biosense.core.errors import MissingExtra
from biosense.estimation.estimate_stream import EstimateHeader
from biosense.estimation.offline import recorded_header
from biosense.estimation.processor import ProcessorSettings

if find_spec("pandas") is None:
    raise MissingExtra("tables need pandas: pip install 'biosense[tables]'")


def settings_of(
    recording: Recording, mains_hz: float | None
) -> tuple[ProcessorSettings, EstimateHeader | None]:
    """Return the settings and the header of the live run, where the recording has them."""
    header = recorded_header(recording.reader)
    settings = header.settings if header else ProcessorSettings()
    return (settings if mains_hz is None else replace(settings, mains_hz=mains_hz)), header
