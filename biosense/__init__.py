"""Continuous valence and arousal from EEG, ECG, EDA, PPG and a webcam.

>>> import biosense as bs

`bs.read` opens a recording, `bs.features` and `bs.estimate` give its features and estimates as
tables, `bs.pipeline` is the same processing for arrays, `bs.Fusion` a scikit-learn estimator,
`bs.study` judges models on a data set that `bs.datasets.open` reads. Nothing heavy is loaded before
it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from biosense import datasets, models, testing
    from biosense.acquisition.registry import register_source
    from biosense.api.epochs import Epochs
    from biosense.api.estimates import Estimates
    from biosense.api.estimation import estimate
    from biosense.api.export import export
    from biosense.api.features import Features, features
    from biosense.api.fusion import Fusion
    from biosense.api.model import load_model
    from biosense.api.pipeline import FeaturePipeline, pipeline
    from biosense.api.reading import read
    from biosense.api.recording import Recording
    from biosense.api.simulation import simulate
    from biosense.api.study import Study, study
    from biosense.core.errors import BiosenseError
    from biosense.core.recording import Marker
    from biosense.core.stage import Pipeline, Stage
    from biosense.core.types import Chunk, Epoch, Modality, StreamInfo
    from biosense.datasets.registry import register_dataset
    from biosense.models.registry import register_model
    from biosense.processing.registry import register_stage

__version__ = "0.2.0"

_HOMES = {
    "acquisition.registry": ("register_source",),
    "api.epochs": ("Epochs",),
    "api.estimates": ("Estimates",),
    "api.estimation": ("estimate",),
    "api.export": ("export",),
    "api.features": ("Features", "features"),
    "api.fusion": ("Fusion",),
    "api.model": ("load_model",),
    "api.pipeline": ("FeaturePipeline", "pipeline"),
    "api.reading": ("read",),
    "api.recording": ("Recording",),
    "api.simulation": ("simulate",),
    "api.study": ("Study", "study"),
    "core.errors": ("BiosenseError",),
    "core.recording": ("Marker",),
    "core.stage": ("Pipeline", "Stage"),
    "core.types": ("Chunk", "Epoch", "Modality", "StreamInfo"),
    "datasets.registry": ("register_dataset",),
    "models.registry": ("register_model",),
    "processing.registry": ("register_stage",),
}
_ROOMS = ("datasets", "models", "testing")
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "BiosenseError",
    "Chunk",
    "Epoch",
    "Epochs",
    "Estimates",
    "FeaturePipeline",
    "Features",
    "Fusion",
    "Marker",
    "Modality",
    "Pipeline",
    "Recording",
    "Stage",
    "StreamInfo",
    "Study",
    "__version__",
    "datasets",
    "estimate",
    "export",
    "features",
    "load_model",
    "models",
    "pipeline",
    "read",
    "register_dataset",
    "register_model",
    "register_source",
    "register_stage",
    "simulate",
    "study",
    "testing",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"biosense.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'biosense' has no attribute {name!r}")
    try:
        return getattr(import_module(f"biosense.{_HOME[name]}"), name)
    except ModuleNotFoundError as error:
        from biosense.core.extras import EXTRAS, missing_extra

        library = (error.name or "").partition(".")[0]
        if library not in EXTRAS:
            raise
        raise missing_extra(library, f"biosense.{name}") from error


def __dir__() -> list[str]:
    return sorted(__all__)
