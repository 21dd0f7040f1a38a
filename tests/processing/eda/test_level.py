"""Tonic level and what lies above it: against truth, cvxEDA, and behind gaps."""

from __future__ import annotations

import numpy as np
import pytest

from biosense.processing.offline.eda import split_eda
from tests.support.signals.eda_traces import responses, run, value
from tests.support.stand_ins import PublicFile


def test_level_slope_and_phasic_part() -> None:
    times = np.arange(60 * 8) / 8
    last = run(3 + 0.01 * times)[-1]
    late = 0.85 * 8.0 - 3.0  # a 15 % quantile of 8 s, decay of 3 s undone
    smoothed = late + 1 / (2 * np.pi * 0.05)
    assert np.exp(value(last, "scl_log")) == pytest.approx(3.6 - 0.01 * smoothed, abs=0.01)
    assert value(last, "scl_slope") == pytest.approx(0.01, rel=0.02)
    assert value(last, "rise") == pytest.approx(0.01, rel=0.02)
    assert value(last, "phasic") == pytest.approx(0.01 * late, abs=0.005)
    falling = run(4 - 0.01 * times)[-1]
    assert value(falling, "phasic") == pytest.approx(0.01 * (3.0 - 0.15 * 8.0), abs=0.005)
    assert np.exp(value(falling, "scl_log")) == pytest.approx(3.4, abs=0.005), "never above"
    assert value(falling, "rise") == 0.0


@pytest.mark.parametrize(
    ("gap", "above"),
    [(0.75, 0.0), (5.0, 0.05 * (3.2 + 0.85 * 3.0))],
    ids=["goes on", "begins anew: the smoothing and 3 of 8 s lag no more"],
)
def test_level_behind_a_gap(gap: float, above: float) -> None:
    times = np.arange(60 * 8) / 8
    whole = {epoch.stop: value(epoch, "scl_log") for epoch in run(3 + 0.05 * times)}
    keep = (times < 31) | (times >= 31 + gap)
    later = [epoch for epoch in run(3 + 0.05 * times, keep=keep) if epoch.stop >= 31 + gap]
    first = next(epoch for epoch in later if np.isfinite(value(epoch, "scl_log")))
    change = np.exp(value(first, "scl_log")) - np.exp(whole[first.stop])
    assert change == pytest.approx(above, abs=0.05)


def test_tonic_level_is_known_soon_after_a_response() -> None:
    rng = np.random.default_rng(4)
    times = np.arange(180 * 8) / 8
    onsets = 5 + np.cumsum(rng.uniform(3, 10, 40))
    level = 4 + 0.3 * np.sin(2 * np.pi * times / 200)
    epochs = run(level + responses(times, onsets, rng.uniform(0.1, 1.0, 40)))
    stops = np.array([epoch.stop for epoch in epochs if epoch.stop > 25])
    tonic = np.exp([value(epoch, "scl_log") for epoch in epochs if epoch.stop > 25])
    true = np.interp(stops - 3.0, times, level)
    assert np.corrcoef(tonic, true)[0, 1] > 0.97


def test_tonic_level_of_a_recording_follows_cvxeda(public_file: PublicFile) -> None:
    pytest.importorskip("cvxopt")
    path = public_file("ecg/neurokit_bio_eventrelated_100hz.csv")
    eda = np.genfromtxt(path, delimiter=",", names=True)["EDA"]
    epochs = [epoch for epoch in run(eda, 100.0) if 25 < epoch.stop < 140]
    tonic = [np.exp(value(epoch, "scl_log")) for epoch in epochs]
    whole = split_eda(eda, 100.0)
    late = np.array([epoch.stop for epoch in epochs]) - 3.0
    reference = np.interp(late, np.arange(len(whole.tonic)) / whole.sfreq, whole.tonic)
    assert np.corrcoef(tonic, reference)[0, 1] > 0.95
