"""Libraries that only some jobs need: which optional extra brings each, told in one line."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from biosense.core.errors import MissingExtra

EXTRAS: Mapping[str, str] = {
    "torch": "ml",
    "safetensors": "ml",
    "joblib": "ml",
    "sklearn": "ml",
    "dask": "cluster",
    "distributed": "cluster",
    "bleak": "ble",
    "cv2": "camera",
    "jinja2": "report",
    "matplotlib": "report",
    "pandas": "tables",
    "pyarrow": "tables",
    "neurokit2": "simulate",
    "mne": "analysis",
    "mne_bids": "analysis",
    "mne_icalabel": "analysis",
    "edfio": "analysis",
    "autoreject": "analysis",
    "xarray": "analysis",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "PySide6": "gui",
    "pyqtgraph": "gui",
}
"""The extra of biosense that brings a library, by the name under which it is imported."""


def missing_extra(library: str, purpose: str = "") -> MissingExtra:
    """Return the error that says how a library is installed.

    Parameters
    ----------
    library
        As it is imported.
    purpose
        What needs it, as the beginning of a sentence.

    Returns
    -------
    MissingExtra

    Examples
    --------
    >>> print(missing_extra("pandas", "a table"))
    a table needs pandas, which is not installed: pip install 'biosense[tables]'
    """
    extra = EXTRAS.get(library)
    command = f"pip install 'biosense[{extra}]'" if extra else f"pip install {library}"
    said = f"{purpose} needs {library}, which" if purpose else library
    return MissingExtra(f"{said} is not installed: {command}", name=library)


def need(library: str, purpose: str = "") -> None:
    """Raise `MissingExtra` where a library is not installed; it is not imported.

    Parameters
    ----------
    library
        Name of the module.
    purpose
        What it is needed for.

    Examples
    --------
    >>> need("numpy")
    """
    if find_spec(library) is None:
        raise missing_extra(library, purpose)
