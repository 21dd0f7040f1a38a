"""The clock fit finds offset and drift, forgives single bad measurements, and sees resets."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from biosense.core.clock import ClockFit, SystemClock
from biosense.core.errors import BadInput
from biosense.core.slew import MAX_SLOPE, SLEW, SLEW_WARM


def fitted(
    *, ppm: float = 0.0, noise: float = 0.0, seconds: float = 300.0, outliers: float = 0.0
) -> ClockFit:
    """Return a fit after a measurement every 5 s of a device whose offset is 12.5 s at 0."""
    rng = np.random.default_rng(0)
    fit = ClockFit()
    for number, time in enumerate(np.arange(0.0, seconds, 5.0).tolist()):
        error = rng.standard_normal() * noise + (outliers if number % 5 == 2 else 0.0)
        fit.add(time, 12.5 + ppm * 1e-6 * time + error)
    return fit


@pytest.mark.parametrize("ppm", [-80.0, 0.0, 25.0, 300.0])
def test_drift_is_found(ppm: float) -> None:
    fit = fitted(ppm=ppm, noise=2e-4)
    assert fit.slope_ppm == pytest.approx(ppm, abs=3.0)
    stamps = np.array([300.0, 310.0])
    assert_allclose(fit.to_session(stamps), stamps * (1 + ppm * 1e-6) + 12.5, atol=3e-4)
    assert fit.resets == 0


def test_single_bad_measurements_do_not_move_it() -> None:
    fit = fitted(ppm=20.0, noise=1e-4, outliers=0.06)  # every fifth one is 60 ms off
    session = fit.to_session(np.array([300.0]))[0]
    assert session == pytest.approx(300.0 * (1 + 20e-6) + 12.5, abs=1e-3)
    assert fit.resets == 0


def test_the_slope_is_bounded() -> None:
    fit = fitted(ppm=3000.0)
    assert abs(fit.slope) <= MAX_SLOPE


def test_the_slope_waits_for_enough_measurements() -> None:
    fit = ClockFit()
    for time in (0.0, 5.0, 10.0):
        fit.add(time, 1.0 + 1e-3 * time)
    assert fit.slope == 0.0
    assert fit.offset == pytest.approx(1.005)


def test_old_measurements_are_forgotten() -> None:
    fit = ClockFit(window=60.0)
    for time in np.arange(0.0, 600.0, 5.0).tolist():
        fit.add(time, 50e-6 * min(time, 300.0))  # drifts for 300 s, then runs true
    assert fit.slope_ppm == pytest.approx(0.0, abs=1e-6)
    assert fit.updated == 595.0


def test_a_jump_of_the_offset_is_a_reset() -> None:
    fit = fitted(seconds=100.0)
    assert fit.add(100.0, 12.5 + 30.0)
    assert fit.resets == 1
    assert_allclose(fit.to_session(np.array([101.0])), [101.0 + 42.5])


def test_a_clock_that_was_set_back_is_a_reset() -> None:
    fit = fitted(seconds=100.0)
    assert fit.add(3.0, 12.5 + 95.0)
    assert fit.resets == 1
    assert fit.offset == pytest.approx(107.5)


def test_session_times_never_run_backwards() -> None:
    fit = ClockFit()
    fit.add(0.0, 10.0)
    first = fit.to_session(np.array([1.0, 1.5, 1.2, 2.0]))
    assert first.tolist() == [11.0, 11.5, 11.5, 12.0]
    assert fit.add(2.0, 9.5)
    assert fit.to_session(np.array([2.1, 2.6])).tolist() == [12.0, 12.1]


def test_replaying_measurements_and_stamps_gives_equal_times() -> None:
    rng = np.random.default_rng(1)
    script: list[tuple[str, np.ndarray]] = []
    for time in np.arange(0.0, 200.0, 1.0).tolist():
        if time % 5 == 0:
            script.append(("add", np.array([time, 3.0 + 1e-5 * time + rng.normal() * 1e-3])))
        script.append(("map", time + np.arange(10) / 10))
    runs = []
    for _ in range(2):
        fit, out = ClockFit(), []
        for what, values in script:
            if what == "add":
                fit.add(float(values[0]), float(values[1]))
            else:
                out.append(fit.to_session(values))
        runs.append(np.concatenate(out))
    assert (runs[0] == runs[1]).all()
    assert (np.diff(runs[0]) >= 0).all()


def test_a_change_of_the_line_is_slewed() -> None:
    fit = fitted(seconds=300.0, noise=0.0)
    before = fit.to_session(np.array([299.0]))[0] - 299.0
    for time in (300.0, 305.0, 310.0):
        fit.add(time, 12.5 + 0.1)  # a hundred of these would be believed
    offsets = fit.to_session(np.linspace(310.0, 320.0, 101)) - np.linspace(310.0, 320.0, 101)
    assert offsets[0] == pytest.approx(before, abs=1e-6)
    assert np.abs(np.diff(offsets)).max() <= (SLEW + MAX_SLOPE) * 0.1 + 1e-12


@pytest.mark.parametrize("ppm", [-500.0, 500.0])
def test_no_time_steps_however_the_clock_drifts_and_the_measurements_err(ppm: float) -> None:
    rng = np.random.default_rng(2)
    fit, errors = ClockFit(), []
    for second in range(300):
        if second % 5 == 0:
            noise = rng.normal() * 5e-4 + (0.05 if rng.random() < 0.1 else 0.0)
            fit.add(float(second), 3.0 + ppm * 1e-6 * second + noise)
        stamps = second + np.arange(100) / 100
        errors.append(fit.to_session(stamps) - stamps - (3.0 + ppm * 1e-6 * stamps))
    error = np.concatenate(errors)
    rate = np.abs(np.diff(error)) * 100
    assert rate.max() < SLEW_WARM + 2 * MAX_SLOPE
    assert rate[3500:].max() < SLEW + 2 * MAX_SLOPE
    assert np.abs(error[6000:]).max() < 1.5e-3


def test_state_tells_offset_drift_scatter_and_age() -> None:
    state = fitted(ppm=100.0, noise=1e-4).state
    assert state.slope_ppm == pytest.approx(100.0, abs=2.0)
    assert state.offset == pytest.approx(12.5 + 100e-6 * 295.0, abs=5e-4)
    assert state.residual == pytest.approx(1e-4, rel=0.6)
    assert state.updated == pytest.approx(295.0 + state.offset)
    assert np.isnan(ClockFit().state.updated)


def test_residual_tells_the_scatter() -> None:
    assert fitted(noise=1e-3).residual == pytest.approx(1e-3, rel=0.6)


def test_before_any_measurement_times_are_stamps() -> None:
    fit = ClockFit()
    assert fit.to_session(np.array([5.0, 6.0])).tolist() == [5.0, 6.0]
    assert fit.offset == 0.0
    assert np.isnan(fit.updated)
    assert len(fit.to_session(np.zeros(0))) == 0


def test_measurements_that_are_not_finite_are_refused() -> None:
    with pytest.raises(BadInput, match="offset=nan"):
        ClockFit().add(1.0, float("nan"))


def test_the_system_clock_rises() -> None:
    clock = SystemClock()
    assert clock.now() <= clock.now()
