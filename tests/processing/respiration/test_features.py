"""Breathing: rate, depth and pauses against truth; bad signals are named."""

from __future__ import annotations

from itertools import repeat

import numpy as np
import pytest

from biosense.core import Chunk, Epoch, Modality, StreamInfo
from biosense.core.errors import BadInput
from biosense.core.types import Bools, Floats
from biosense.processing.pipelines import feature_pipeline
from biosense.processing.respiration.features import RESP_CHANNELS, RespFeatures
from biosense.testing.cuttings import split
from tests.support.stand_ins import PublicFile


def run(belt: Floats, sfreq: float = 25.0, keep: Bools | None = None) -> list[Epoch]:
    info = StreamInfo("belt", Modality.RESP, ("chest",), sfreq)
    n = np.arange(len(belt)) if keep is None else np.flatnonzero(keep)
    stream = Chunk.of(info, 20 + n / sfreq, belt[n, None])
    return feature_pipeline(info).run(split(stream, repeat(7)), info)


def value(epoch: Epoch, name: str) -> float:
    return float(epoch.data[RESP_CHANNELS.index(name)])


def breathing(per_minute: float, sfreq: float = 25.0, seconds: float = 70.0) -> Floats:
    times = np.arange(int(seconds * sfreq)) / sfreq
    return np.asarray(np.sin(2 * np.pi * per_minute / 60 * times))


@pytest.mark.parametrize("sfreq", [4.0, 25.0, 500.0])
@pytest.mark.parametrize("per_minute", [6.0, 15.0, 36.0])
def test_rate_depth_and_inspiration_of_a_sine(per_minute: float, sfreq: float) -> None:
    last = run(breathing(per_minute, sfreq), sfreq)[-1]
    assert value(last, "resp_rate") == pytest.approx(per_minute, rel=0.03)
    assert value(last, "resp_depth") == pytest.approx(np.log(2.0), abs=0.4)
    assert value(last, "resp_inspiration") == pytest.approx(0.5, abs=0.08)
    assert last.quality == 1.0


def test_noise_drift_and_changing_depth_do_not_change_the_rate() -> None:
    rng = np.random.default_rng(1)
    times = np.arange(90 * 25) / 25
    belt = (1 + 0.4 * np.sin(times / 5)) * np.sin(2 * np.pi * 0.25 * times) + 0.03 * times
    last = run(belt + 0.15 * rng.standard_normal(len(times)))[-1]
    assert value(last, "resp_rate") == pytest.approx(15.0, abs=0.5)


def test_scale_and_offset_change_nothing_but_the_depth() -> None:
    belt = breathing(12.0)
    plain, scaled = run(belt)[-1], run(1000 * belt + 30000)[-1]
    np.testing.assert_allclose(np.delete(scaled.data, 2), np.delete(plain.data, 2), rtol=1e-6)
    assert value(scaled, "resp_depth") - value(plain, "resp_depth") == pytest.approx(np.log(1000))


def test_a_pause_has_no_breaths_and_says_so() -> None:
    rng = np.random.default_rng(2)
    belt = breathing(15.0, seconds=100.0) * (np.arange(2500) < 1500)
    epochs = run(belt + 0.01 * rng.standard_normal(2500))
    last = epochs[-1]
    assert value(last, "resp_since") == pytest.approx(np.log1p(40.0), abs=0.1)
    assert (last.reason, last.quality) == ("no breaths", 0.5)


def test_shallow_breaths_are_found_after_a_deep_one() -> None:
    belt = breathing(15.0, seconds=100.0)
    belt[1250:] *= 0.2
    assert value(run(belt)[-1], "resp_rate") == pytest.approx(15.0, abs=0.5)


def test_a_gap_has_no_epochs_and_no_breath_across_it() -> None:
    belt = breathing(15.0)
    times = np.arange(len(belt)) / 25
    epochs = run(belt, keep=(times < 40) | (times > 51))
    assert not [epoch for epoch in epochs if 60.5 < epoch.stop < 70.9]
    rates = [value(epoch, "resp_rate") for epoch in epochs if epoch.stop > 45]
    np.testing.assert_allclose(rates, 15.0, atol=0.5)


@pytest.mark.parametrize("kind", ["flat", "clipped", "noise"])
def test_a_bad_signal_is_named(kind: str) -> None:
    belts = {
        "flat": np.zeros(1750),
        "clipped": np.clip(breathing(15.0), -0.5, 0.5),
        "noise": 3.0 * np.random.default_rng(3).standard_normal(1750),
    }
    last = run(belts[kind])[-1]
    assert last.reason == kind
    assert last.quality < 0.6


def test_nothing_comes_of_missing_values() -> None:
    assert run(np.full(500, np.nan)) == []


def test_an_epoch_uses_only_the_past() -> None:
    belt = breathing(15.0)
    changed = belt.copy()
    changed[30 * 25 + 1 :] = 7.0
    for one, other in zip(run(belt), run(changed), strict=True):
        if one.stop <= 50.0:
            np.testing.assert_array_equal(one.data, other.data)


@pytest.mark.parametrize(("channels", "sfreq"), [(("a", "b"), 25.0), (("a",), 2.0)])
def test_a_stream_that_cannot_be_used_is_refused(channels: tuple[str, ...], sfreq: float) -> None:
    with pytest.raises(BadInput, match="pick one channel"):
        RespFeatures().start(StreamInfo("belt", Modality.RESP, channels, sfreq))


def test_breathing_at_rest_is_as_slow_as_it_looks(public_file: PublicFile) -> None:
    path = public_file("ecg/neurokit_bio_eventrelated_100hz.csv")
    belt = np.genfromtxt(path, delimiter=",", names=True)["RSP"]
    rates = [value(epoch, "resp_rate") for epoch in run(belt, 100.0) if epoch.stop > 60]
    assert np.median(rates) == pytest.approx(17.8, abs=0.8), "rsp_process of NeuroKit2 says 17.8"
