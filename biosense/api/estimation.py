"""Valence and arousal over a recording in one call, with the numbers of the live run."""

from __future__ import annotations

import warnings
from pathlib import Path

from biosense.api.content import ContentOnDisk
from biosense.api.estimates import Estimates
from biosense.api.reading import opened
from biosense.api.recording import Recording
from biosense.core.recording import Recording as WholeRecording
from biosense.estimation.estimate_table import estimates_table
from biosense.estimation.load_model import load_model
from biosense.estimation.offline import (
    USUAL_MODEL,
    Estimated,
    estimate_as_live,
    estimate_whole,
)
from biosense.estimation.rated_spans import caution
from biosense.estimation.recorded_run import recorded_settings
from biosense.models.deployment.checkpoint import Loaded


def estimate(
    recording: Recording | WholeRecording | str | Path,
    model: str | Path | Loaded | None = None,
    *,
    mains_hz: float | None = None,
    contributions: bool = False,
) -> Estimates:
    """Estimate valence and arousal over a recording, with the numbers of the live run.

    Parameters
    ----------
    recording
        As `read` or the `load` of a data set gives it, or where it lies.
    model
        A checkpoint: "default" (heart and skin conductance of people), "demo" (simulated people),
        where one lies, or as `load_model` gives it. None: that of the live run, and "default" where
        there was none.
    mains_hz
        Mains frequency, Hz; that of the live run by default, else 50.
    contributions
        Also what each modality adds to each estimate, as `contribution_<target>_<modality>`; takes
        several times as long, and needs a recording on disk.

    Returns
    -------
    Estimates
        A row every quarter of a second. Where the model knows none of the streams there is no row,
        and a warning says so.

    Raises
    ------
    BadInput
        If there is no such model.
    CheckpointMismatch
        If the model was trained on other features than this version computes.

    Examples
    --------
    >>> import biosense as bs
    >>> table = bs.estimate(bs.simulate(seconds=15, modalities=["ecg", "eda"]), "demo")
    >>> bool(table["valence"].between(-1, 1).all())
    True
    """
    known = model if model is None or isinstance(model, Loaded) else str(model)
    source = opened(recording)
    if isinstance(source.content, ContentOnDisk) or contributions:
        found = estimate_as_live(
            source.reader, known, mains_hz=mains_hz, contributions=contributions
        )
    else:
        found = _in_memory(source.content.whole, known, mains_hz)
    warning = found.loaded.info.card.warning
    for text in found.cautions:
        if text != warning:  # that of the card is on the table
            warnings.warn(text, UserWarning, stacklevel=2)
    if not found.estimates:
        knows, has = ", ".join(found.loaded.model.modalities), ", ".join(source) or "none"
        text = f"no estimate: the model knows {knows}; streams of the recording: {has}"
        warnings.warn(text, UserWarning, stacklevel=2)
    modalities = found.loaded.model.modalities
    table = Estimates(estimates_table(found.estimates, modalities, found.contributions))
    table.attrs |= {"model": found.model, "warning": " ".join(found.cautions)}
    return table


def _in_memory(
    recording: WholeRecording, model: str | Loaded | None, mains_hz: float | None
) -> Estimated:
    loaded = model if isinstance(model, Loaded) else load_model(model or USUAL_MODEL)
    name = model if isinstance(model, str) else loaded.info.model if model else USUAL_MODEL
    found = estimate_whole(recording, loaded, recorded_settings(None, mains_hz))
    said = caution(loaded.info.card, recording.subject)
    return Estimated(name, loaded, tuple(found), cautions=(said,) if said else ())
