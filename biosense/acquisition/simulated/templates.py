"""The shapes of one heartbeat, as ECG and as pulse wave, taken from NeuroKit2's simulators."""

from __future__ import annotations

from typing import Any

import numpy as np

from biosense.acquisition.simulated.noise import generator
from biosense.core.errors import MissingExtra
from biosense.core.types import Floats

ECG_SPAN_S = (-0.30, 0.50)  # P wave to the end of T around the R peak, at 60 beats a minute
_TEMPLATE_HZ = 512


def ecg_shape(seed: int) -> tuple[Floats, Floats]:
    """Return one beat of a person's ECG at 60 beats a minute.

    The beat is one of NeuroKit2's `ecgsyn` (McSharry et al. 2003) with waves that differ between
    people.

    Returns
    -------
    offsets, values
        Seconds from the R peak, and millivolts with R = 1; shape (n,).

    Raises
    ------
    MissingExtra
        NeuroKit2 is not installed.
    """
    rng = generator(seed, "ecg shape")
    heights = np.array([1.2, -5.0, 30.0, -7.5, 0.75]) * rng.uniform(0.7, 1.3, 5)  # P Q R S T
    wave = _neurokit().ecg_simulate(
        duration=8,
        sampling_rate=_TEMPLATE_HZ,
        heart_rate=60,
        heart_rate_std=0.0,
        noise=0.0,
        method="ecgsyn",
        random_state=1,
        random_state_distort=1,
        ti=(-70, -15, 0, 15, 100 * rng.uniform(0.92, 1.06)),
        ai=tuple(heights),
    )
    # The middle of the record: the oscillator has forgotten its start by then.
    peak = 4 * _TEMPLATE_HZ + int(np.argmax(wave[4 * _TEMPLATE_HZ : 5 * _TEMPLATE_HZ]))
    first, last = (round(edge * _TEMPLATE_HZ) for edge in ECG_SPAN_S)
    beat = np.asarray(wave[peak + first : peak + last + 1], dtype=np.float64)
    offsets = np.arange(first, last + 1) / _TEMPLATE_HZ
    # Both ends at zero: beats are added up without steps.
    beat -= np.interp(offsets, offsets[[0, -1]], beat[[0, -1]])
    return offsets, beat / beat.max()


def pulse_shape(seed: int) -> Floats:
    """Return one pulse wave of a person from foot to foot, 0 to 1, shape (n,).

    The wave is one of NeuroKit2's `ppg_simulate`, with a dicrotic notch that differs between
    people.

    Raises
    ------
    MissingExtra
        NeuroKit2 is not installed.
    """
    wave = _neurokit().ppg_simulate(
        duration=10,
        sampling_rate=_TEMPLATE_HZ,
        heart_rate=60,
        frequency_modulation=0.0,
        ibi_randomness=0.0,
        motion_amplitude=0.0,
        powerline_amplitude=0.0,
        random_state=1,
        random_state_distort=1,
    )
    foot = 4 * _TEMPLATE_HZ + int(np.argmin(wave[4 * _TEMPLATE_HZ : 5 * _TEMPLATE_HZ]))
    beat = np.asarray(wave[foot : foot + _TEMPLATE_HZ + 1], dtype=np.float64)
    turn = np.linspace(0.0, 1.0, len(beat))
    beat -= np.interp(turn, [0.0, 1.0], beat[[0, -1]])
    sharpness = generator(seed, "pulse shape").uniform(0.85, 1.4)
    shape: Floats = np.clip(beat / beat.max(), 0.0, 1.0) ** sharpness
    return shape


def _neurokit() -> Any:
    try:
        import neurokit2
    except ImportError as error:
        raise MissingExtra(
            "the simulated heart takes its shapes from NeuroKit2, which is not installed: "
            "pip install 'biosense[simulate]'"
        ) from error
    return neurokit2
