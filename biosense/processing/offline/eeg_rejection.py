"""Reject and repair epochs of EEG by thresholds that are learnt from them: autoreject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.extras import need
from biosense.core.recording import Marker
from biosense.core.types import Bools
from biosense.processing.offline.epochs import MarkerEpochs
from biosense.processing.offline.rejection import EpochVerdict, RejectionReport
from biosense.processing.offline.to_mne import to_epochs_array

AUTOREJECT = "autoreject"
_INTERPOLATED, _BAD = 2, 1  # autoreject's codes


@dataclass(frozen=True, eq=False)
class AutorejectCleaning:
    """Hold epochs that autoreject kept or repaired.

    Parameters
    ----------
    epochs
        In order of time; the report has the verdicts from before, and "autoreject" for those that
        it rejected.
    repaired
        Channels that were interpolated from their neighbours, shape (epochs, channels).
    thresholds
        Peak-to-peak limit that was learnt for each EEG channel, in volts.
    """

    epochs: MarkerEpochs
    repaired: Bools
    thresholds: Mapping[str, float]


def clean_by_autoreject(
    epochs: MarkerEpochs,
    *,
    n_interpolate: Sequence[int] = (1, 2, 4),
    consensus: Sequence[float] = (0.25, 0.5, 0.75, 1.0),
    folds: int = 5,
    seed: int = 0,
    montage: str = "standard_1005",
) -> AutorejectCleaning:
    """Learn what is too large for each channel; interpolate bad channels, reject bad epochs.

    By autoreject [1]_. What it learns is fitted to these epochs:
    in a study, clean the training side and the test side each by itself.

    Parameters
    ----------
    epochs
        Of EEG whose channels have places on the head.
    n_interpolate
        Numbers of channels per epoch that may be interpolated; the best is learnt.
    consensus
        Shares of channels that must be bad for an epoch to be rejected; the best is learnt.
    folds
        Of the cross-validation: no more than epochs.
    seed
        Of the cross-validation's order.
    montage
        Whose places the channels get by their names.

    Returns
    -------
    AutorejectCleaning
        The epochs that are kept, repaired.

    Raises
    ------
    BadInput
        If there are fewer epochs than folds, or EEG channels without a place.
    MissingExtra
        If MNE or autoreject is not installed.

    References
    ----------
    .. [1] M. Jas, D. A. Engemann, Y. Bekhti, F. Raimondo and A. Gramfort, "Autoreject: automated
       artifact rejection for MEG and EEG data," NeuroImage 159, 417-429, 2017.
    """
    for library in ("mne", "autoreject"):
        need(library)
    if len(epochs) < folds:
        raise BadInput(f"{len(epochs)} epochs are fewer than folds={folds}")
    theirs = to_epochs_array(epochs, montage=montage)
    _check_places(theirs)
    import autoreject
    import mne

    most = len([kind for kind in theirs.get_channel_types() if kind == "eeg"]) - 1
    learner = autoreject.AutoReject(
        n_interpolate=np.array([n for n in n_interpolate if n <= most]),
        consensus=np.array(consensus),
        cv=folds,
        picks="eeg",
        thresh_method="bayesian_optimization",
        random_state=seed,
        n_jobs=1,
        verbose=False,
    )
    with mne.use_log_level("error"):
        cleaned, log = learner.fit_transform(theirs, return_log=True)
    return _result(epochs, cleaned, log, learner)


def _check_places(theirs: Any) -> None:
    nowhere = [
        channel["ch_name"]
        for channel, kind in zip(theirs.info["chs"], theirs.get_channel_types(), strict=True)
        if kind == "eeg" and not (np.isfinite(channel["loc"][:3]).all() and channel["loc"].any())
    ]
    if nowhere:
        raise BadInput(
            f"channels {', '.join(nowhere)} have no place on the head, which interpolation needs: "
            "leave them out, or name them by the 10-5 system"
        )


def _result(epochs: MarkerEpochs, cleaned: Any, log: Any, learner: Any) -> AutorejectCleaning:
    order = np.argsort(epochs.positions, kind="stable").tolist()
    bad = np.asarray(log.bad_epochs, bool)
    rejected = {
        _key(epochs.markers[row]): f"{int((log.labels[place] == _BAD).sum())} channels bad"
        for place, row in enumerate(order)
        if bad[place]
    }
    verdicts = tuple(_after(verdict, rejected) for verdict in epochs.report.verdicts)
    kept = [row for place, row in enumerate(order) if not bad[place]]
    result = replace(
        epochs,
        data=np.moveaxis(cleaned.get_data(picks="all"), 1, 2).copy(),
        markers=tuple(epochs.markers[row] for row in kept),
        positions=epochs.positions[kept],
        quality=epochs.quality[kept],
        report=RejectionReport(verdicts),
    )
    limits = {str(name): float(value) for name, value in learner.threshes_.items()}
    return AutorejectCleaning(result, np.asarray(log.labels[~bad] == _INTERPOLATED), limits)


def _key(about: Marker | EpochVerdict) -> tuple[float, str]:
    return about.time, about.text  # unique: two markers on one sample were refused


def _after(verdict: EpochVerdict, rejected: Mapping[tuple[float, str], str]) -> EpochVerdict:
    detail = rejected.get(_key(verdict)) if verdict.is_kept else None
    return verdict if detail is None else replace(verdict, reason=AUTOREJECT, detail=detail)
