"""Whether estimates follow what came later: they then could not be made live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from biosense.core.types import Floats
from biosense.models.sequences import LabelledSequence
from biosense.studies.base import Predictor
from biosense.studies.candidates.fit_folds import blind
from biosense.studies.leak_checks.outcome import LeakCheck

SAME = 1e-5  # what rounding may change
_LOUD = 1e3  # standard deviation of what is put in the place of later features


def lookahead(predictor: Predictor, sequence: LabelledSequence) -> float:
    """Return by how much altered later features change earlier estimates, at most.

    Parameters
    ----------
    predictor
        Something fitted.
    sequence
        It is asked about this, with all features behind a quarter, a half and nearly all of it
        replaced by loud noise.

    Returns
    -------
    float
        0 for what looks at the past only, but for rounding; infinite where values come or go.
    """
    rng = np.random.default_rng(0)
    before = predictor.predict(blind(sequence))
    worst = 0.0
    for step in sorted({sequence.n // 4, sequence.n // 2, sequence.n - 2} - {-1}):
        after = predictor.predict(blind(_edited(sequence, step, rng)))
        gaps = (_gap(a[: step + 1], b[: step + 1]) for a, b in zip(before, after, strict=True))
        worst = max(worst, *gaps)
    return worst


def later_edits(found: Mapping[str, float]) -> LeakCheck:
    """Demand that no entry of a study looks ahead.

    Parameters
    ----------
    found
        By the name of each entry, the largest `lookahead` of its fits.
    """
    name, worst = max(found.items(), key=lambda each: each[1])
    passed = worst <= SAME
    text = "later features must change no estimate before them" + (
        "" if passed else f"; they do in {name}"
    )
    return LeakCheck("later edits", passed, worst if np.isfinite(worst) else None, SAME, text)


def _edited(sequence: LabelledSequence, step: int, rng: np.random.Generator) -> LabelledSequence:
    """Return the sequence with other features and qualities after a step."""
    after = np.arange(sequence.n) > step
    return replace(
        sequence,
        data={
            m: np.where(after[:, None], _LOUD * rng.standard_normal(x.shape), x)
            for m, x in sequence.data.items()
        },
        quality={
            m: np.where(after, rng.random(sequence.n), q) for m, q in sequence.quality.items()
        },
    )


def _gap(a: Floats, b: Floats) -> float:
    """Return the largest difference; infinite where only one of two is known."""
    if (np.isfinite(a) != np.isfinite(b)).any():
        return float("inf")
    known = np.isfinite(a)
    return float(np.abs(a[known] - b[known]).max(initial=0.0))
