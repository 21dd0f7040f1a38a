"""Split skin conductance into tonic and phasic parts by looking at the whole recording."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, get_args

import numpy as np
from scipy import signal

from biosense.core.errors import BadInput, MissingExtra
from biosense.core.extras import need
from biosense.core.types import Floats

Method = Literal["cvxeda", "highpass", "smoothmedian"]
WORK_HZ = 8.0
LEAST_S = 20.0  # two knots of cvxEDA's tonic spline


@dataclass(frozen=True, eq=False)
class EdaSplit:
    """Hold tonic and phasic skin conductance.

    Parameters
    ----------
    tonic, phasic
        In the unit of the input, shape (n,).
    sfreq
        Rate, Hz.
    """

    tonic: Floats
    phasic: Floats
    sfreq: float


def split_eda(eda: Floats, sfreq: float, *, method: Method = "cvxeda") -> EdaSplit:
    """Split a whole recording into tonic level and responses, with NeuroKit2.

    The signal is thinned out to about 8 Hz first, without delay: cvxEDA takes 40 times as long at
    512 Hz and finds the same.

    Parameters
    ----------
    eda
        Skin conductance, shape (n,), without gaps: 20 s or more.
    sfreq
        Hz.
    method
        "cvxeda" [1]_ needs cvxopt, which is under the GPL and is
        not installed with biosense; "highpass" (0.05 Hz) and "smoothmedian" (4 s) do not.

    Returns
    -------
    EdaSplit
        At about 8 Hz.

    Raises
    ------
    BadInput
        The recording is too short, flat or has missing values.
    MissingExtra
        NeuroKit2 or cvxopt is not installed.

    References
    ----------
    .. [1] A. Greco, G. Valenza, A. Lanata, E. P. Scilingo and L. Citi, "cvxEDA: a convex
       optimization approach to electrodermal activity processing," IEEE Transactions on Biomedical
       Engineering 63(4), 797-804, 2016.

    Examples
    --------
    >>> split_eda(np.full(8, 3.0), 4.0)
    Traceback (most recent call last):
    biosense.core.errors.BadInput: EDA of shape (8,) at 4.0 Hz: one channel of 20 s is needed
    """
    if method not in get_args(Method):
        raise BadInput(f"method={method!r} must be one of {get_args(Method)}")
    if eda.ndim != 1 or len(eda) < LEAST_S * sfreq:
        raise BadInput(
            f"EDA of shape {eda.shape} at {sfreq} Hz: one channel of {LEAST_S:g} s is needed"
        )
    if not np.isfinite(eda).all():
        raise BadInput(f"{(~np.isfinite(eda)).sum()} samples of EDA are missing: cut there first")
    if np.ptp(eda) == 0:
        raise BadInput("EDA is flat: there is nothing to split")
    if method == "cvxeda" and find_spec("cvxopt") is None:
        raise MissingExtra(
            "cvxEDA needs cvxopt: run `pip install cvxopt` (GPL-3), or choose method='highpass'"
        )
    need("neurokit2")
    import neurokit2

    step = max(1, int(sfreq / WORK_HZ))
    # With zeros behind both ends the level would dive there, and cvxEDA follow it for 20 s.
    thin = signal.resample_poly(eda, 1, step, padtype="line") if step > 1 else eda
    table = neurokit2.eda_phasic(thin, sampling_rate=sfreq / step, method=method)
    tonic = np.asarray(table["EDA_Tonic"], np.float64)
    return EdaSplit(tonic, np.asarray(table["EDA_Phasic"], np.float64), sfreq / step)
