"""Jitter, drift and hiccups of senders, against signals whose truth is known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from biosense.core import Chunk
from biosense.processing.signal.dejitter import Dejitter
from biosense.processing.signal.regularise import Regularise
from tests.support.signals.wave_streams import (
    START_S,
    ecg_info,
    jittered,
    positions,
    regularised,
    wave,
)


def test_jitter_and_a_wrong_rate_are_smoothed() -> None:
    chunk = jittered(true_hz=130.05, jitter=0.005, info=ecg_info())
    out = regularised(Regularise(), chunk)
    error = out.data[:, 0] - wave(out.times)
    late = out.times > START_S + 10
    # 5 ms of jitter SD become 0.7 ms: 0.022 of a 5 Hz wave's slope; raw stamps give 0.12
    assert np.sqrt(np.mean(error[late] ** 2)) < 0.022
    assert np.abs(error).max() < 0.15
    assert np.unique(np.diff(positions(out))).tolist() == [1]
    raw = regularised(Regularise(dejitter=False), chunk)
    assert np.sqrt(np.mean((raw.data[:, 0] - wave(raw.times)) ** 2)) > 0.08


def test_jitter_of_whole_packets_is_smoothed() -> None:
    chunk = jittered(true_hz=512.03, jitter=0.003, info=ecg_info(512.0), packet=16)
    out = regularised(Regularise(), chunk)
    late = out.times > START_S + 10
    assert np.sqrt(np.mean((out.data[:, 0] - wave(out.times))[late] ** 2)) < 0.015
    assert np.unique(np.diff(positions(out))).tolist() == [1]


def test_every_sample_of_a_jittered_stream_counts() -> None:
    chunk = jittered(true_hz=130.0, jitter=0.005, info=ecg_info())
    assert regularised(Regularise(), chunk).n == pytest.approx(chunk.n, abs=3)


def test_a_hiccup_of_a_sender_without_loss_moves_nothing() -> None:
    times = START_S + np.arange(2600) / 130.0
    stamps = times.copy()
    stamps[1300:1308] = times[1308]  # 60 ms late, then all at once
    out = regularised(Regularise(), Chunk.of(ecg_info(), stamps, wave(times)[:, None]))
    assert np.unique(np.diff(positions(out))).tolist() == [1]
    assert np.abs(out.data[:, 0] - wave(out.times))[2:-2].max() < 0.05


def test_a_rate_that_is_declared_wrong_by_two_per_cent_still_keeps_time() -> None:
    chunk = jittered(true_hz=128.0, jitter=0.0005, seconds=40.0, info=ecg_info(130.6))
    out = regularised(Regularise(), chunk)
    late = out.times > START_S + 25
    assert np.abs(out.data[:, 0] - wave(out.times))[late].max() < 0.1


def test_dejitter_never_strays_further_than_the_gap() -> None:
    rng = np.random.default_rng(4)
    stamps = np.cumsum(rng.uniform(0.0, 0.04, 5000))  # nothing like the 100 Hz that it claims
    smoothed, _ = Dejitter(100.0, gap=0.05, lossy=False).push(stamps)
    assert np.abs(smoothed - stamps).max() <= 0.05 + 1e-9


@pytest.mark.parametrize("sfreq", [1.0, 4.0, 130.0, 20000.0])
def test_dejitter_is_stable_at_every_rate(sfreq: float) -> None:
    n = round(60 * sfreq) if sfreq < 1000 else 200_000
    stamps = START_S + np.arange(n) / (sfreq * 1.0001)
    clock = Dejitter(sfreq, gap=1.0, lossy=False)
    smoothed = np.concatenate(
        [clock.push(stamps[a:b])[0] for a, b in pairwise([*range(0, n, 997), n])]
    )
    assert np.abs(smoothed - stamps).max() < 1e-3
