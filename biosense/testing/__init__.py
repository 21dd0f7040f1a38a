"""Checks with which anybody can try a stage, model, source or data set, and example streams.

They are the very checks that biosense's own parts pass. Nothing is loaded before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from biosense.testing.body import (
        beat_intervals,
        breath_waves,
        ecg_waves,
        muscle_waves,
        ppg_waves,
        scr_waves,
        skin_waves,
    )
    from biosense.testing.contract import ContractBroken
    from biosense.testing.dataset_checks import check_dataset
    from biosense.testing.decoder_checks import check_decoder
    from biosense.testing.model_checks import check_model
    from biosense.testing.model_inputs import toy_sequences
    from biosense.testing.source_checks import check_source
    from biosense.testing.stage_checks import check_stage
    from biosense.testing.streams import feature_epochs, grid_stream, raw_stream, window_epochs

_HOMES = {
    "body": (
        *("beat_intervals", "breath_waves", "ecg_waves", "muscle_waves", "ppg_waves"),
        *("scr_waves", "skin_waves"),
    ),
    "contract": ("ContractBroken",),
    "dataset_checks": ("check_dataset",),
    "decoder_checks": ("check_decoder",),
    "model_checks": ("check_model",),
    "model_inputs": ("toy_sequences",),
    "source_checks": ("check_source",),
    "stage_checks": ("check_stage",),
    "streams": ("feature_epochs", "grid_stream", "raw_stream", "window_epochs"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ContractBroken",
    "beat_intervals",
    "breath_waves",
    "check_dataset",
    "check_decoder",
    "check_model",
    "check_source",
    "check_stage",
    "ecg_waves",
    "feature_epochs",
    "grid_stream",
    "muscle_waves",
    "ppg_waves",
    "raw_stream",
    "scr_waves",
    "skin_waves",
    "toy_sequences",
    "window_epochs",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'biosense.testing' has no attribute {name!r}")
    return getattr(import_module(f"biosense.testing.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
