"""Intervals between beats: judged for what they are, and their spectrum against truth."""

from __future__ import annotations

import numpy as np
import pytest

from biosense.core.types import Floats
from biosense.processing.cardiac.hrv_frequency import BeatSpectrum
from biosense.processing.cardiac.interval_filter import IntervalFilter, IntervalKind
from biosense.processing.cardiac.rhythm import HEART_CHANNELS, Rhythm

USUAL = [0.8, 0.81, 0.79, 0.8, 0.8]


def judged(*intervals: float) -> list[str]:
    """Return what the filter says of intervals that follow some usual ones."""
    judge = IntervalFilter()
    for seconds in USUAL:
        assert judge.judge(seconds).kind is IntervalKind.NORMAL
    return [str(judge.judge(seconds).kind) for seconds in intervals]


@pytest.mark.parametrize(
    ("intervals", "kinds"),
    [
        ((0.5, 1.1, 0.8), ["early", "ectopic", "normal"]),
        ((1.6, 0.8), ["missed", "normal"]),
        ((0.35, 0.45, 0.8), ["early", "extra", "normal"]),
        ((0.5, 0.5, 0.5, 0.5), ["early", "early", "normal", "normal"]),
        ((0.4, 0.4, 0.4, 0.4), ["early", "extra", "normal", "normal"]),
        ((1.2, 0.8), ["implausible", "normal"]),
    ],
)
def test_an_interval_is_called_what_it_is(intervals: tuple[float, ...], kinds: list[str]) -> None:
    assert judged(*intervals) == kinds


def test_what_is_doubtful_sets_no_rhythm_and_is_not_put_together() -> None:
    judge = IntervalFilter()
    for seconds in USUAL:
        judge.judge(seconds)
    verdicts = [judge.judge(0.4, doubtful=True) for _ in range(6)]
    assert all(verdict.seconds is None for verdict in verdicts)


def test_a_beat_that_is_none_costs_nothing() -> None:
    beats = np.arange(0, 60, 0.8)
    spoilt = np.sort(np.append(beats, beats[40] + 0.3))
    rates = []
    for times in (beats, spoilt):
        rhythm = Rhythm()
        for time in times:
            rhythm.add_beat(float(time), 1.0, 1.0)
        rates.append(dict(zip(HEART_CHANNELS, rhythm.features(60.0), strict=True)))
        assert rhythm.quality(60.0) == 1.0
    assert rates[1]["heart_rate_delta"] == pytest.approx(rates[0]["heart_rate_delta"], abs=1e-9)
    assert rates[1]["rmssd_30"] == pytest.approx(0.0, abs=1e-9)


def test_quality_names_what_spoils_the_rhythm() -> None:
    rhythm = Rhythm()
    times = np.arange(0, 60, 0.8)
    for number, time in enumerate(times):
        if time < 40 or number % 2:  # every other beat is missed
            rhythm.add_beat(float(time), 1.0, 1.0)
    assert rhythm.trouble(38.0) == ""
    rhythm.features(46.0)
    assert rhythm.trouble(80.0) == "no beats"
    noisy = Rhythm()
    for time in times:
        noisy.add_beat(float(time), 1.0, 0.3)
    assert noisy.trouble(59.0) == "noise"
    bigeminy = Rhythm()
    for time in times:
        bigeminy.add_beat(float(time), 1.0, 1.0)
    for time in 60.0 + np.cumsum([0.5, 1.1, 0.5, 1.1, 0.5, 1.1, 0.5, 1.1]):
        bigeminy.add_beat(float(time), 1.0, 1.0)
    assert bigeminy.trouble(67.0) in ("early beats", "ectopic beats")


def swinging(frequency: float, seconds: float, height: float = 0.03) -> tuple[Floats, Floats]:
    """Return beat times and intervals of a heart that swings at one frequency."""
    beats = [0.0]
    while beats[-1] < seconds:
        beats.append(beats[-1] + 0.8 + height * np.sin(2 * np.pi * frequency * beats[-1]))
    return np.array(beats[1:]), np.diff(beats)


def powers(ends: Floats, intervals: Floats) -> Floats:
    """Return HF power of the last minute and LF power of the last five, s^2."""
    spectrum = BeatSpectrum()
    for end, interval in zip(ends.tolist(), intervals.tolist(), strict=True):
        spectrum.add(end, interval)
    return np.exp(spectrum.powers(float(ends[-1])))


@pytest.mark.parametrize("frequency", [0.18, 0.25, 0.33])
def test_power_of_breathing_is_its_variance(frequency: float) -> None:
    ends, intervals = swinging(frequency, 60.0)
    assert powers(ends, intervals)[0] == pytest.approx(0.03**2 / 2, rel=0.1)


def test_slow_swings_are_in_the_low_band_only() -> None:
    ends, intervals = swinging(0.1, 300.0)
    high, low = powers(ends, intervals)
    assert low == pytest.approx(0.03**2 / 2, rel=0.1)
    assert high < 0.02 * low


def test_lost_beats_do_not_make_power() -> None:
    ends, intervals = swinging(0.25, 60.0)
    keep = np.ones(len(ends), bool)
    keep[[20, 21, 50]] = False
    kept = powers(ends[keep], intervals[keep])
    assert kept[0] == pytest.approx(0.03**2 / 2, rel=0.15)


def test_too_little_has_no_power() -> None:
    ends, intervals = swinging(0.25, 40.0)
    assert np.isnan(powers(ends, intervals)).all()
    slow = np.arange(1, 40) * 1.6  # 37 bpm: breaths faster than 0.31 Hz cannot be seen
    assert np.isnan(powers(slow, np.full(39, 1.6))[0])


def test_neurokit_finds_the_same_power() -> None:
    nk = pytest.importorskip("neurokit2")
    ends, intervals = swinging(0.25, 300.0)
    peaks = np.rint(1000 * np.append(ends[0] - intervals[0], ends)).astype(int)
    theirs = nk.hrv_frequency(peaks, sampling_rate=1000, normalize=False)["HRV_HF"].iloc[0]
    ours = 1e6 * powers(ends, intervals)[0]
    assert ours == pytest.approx(450, rel=0.1)
    assert ours == pytest.approx(theirs, rel=0.2)
