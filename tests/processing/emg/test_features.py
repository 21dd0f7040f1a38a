"""Muscles: band, envelope, bursts, and bad signals by name."""

from __future__ import annotations

import time
from itertools import repeat

import numpy as np
import pytest

from biosense.core import Chunk, Epoch, Modality, StreamInfo
from biosense.core.errors import BadInput
from biosense.core.types import Bools, Floats
from biosense.processing.emg.envelope import EmgEnvelope, emg_band
from biosense.processing.emg.features import EMG_CHANNELS, EmgFeatures
from biosense.processing.pipelines import feature_pipeline
from biosense.testing.cuttings import split

NAMES = ("Zygomaticus major", "corrugator")


def run(
    volts: Floats, sfreq: float = 500.0, names: tuple[str, ...] = NAMES, keep: Bools | None = None
) -> list[Epoch]:
    info = StreamInfo("face", Modality.EMG, names, sfreq, "uV")
    n = np.arange(len(volts)) if keep is None else np.flatnonzero(keep)
    stream = Chunk.of(info, 10 + n / sfreq, 1e6 * volts[n])
    return feature_pipeline(info).run(split(stream, repeat(101)), info)


def value(epoch: Epoch, name: str) -> float:
    return float(epoch.data[EMG_CHANNELS.index(name)])


def muscles(seconds: float, sfreq: float = 500.0, channels: int = 2) -> Floats:
    rng = np.random.default_rng(1)
    return 5e-6 * rng.standard_normal((int(seconds * sfreq), channels))


@pytest.mark.parametrize(
    ("frequency", "low", "high"), [(2.0, 0.0, 0.02), (50.0, 0.0, 0.05), (100.0, 0.95, 1.02)]
)
def test_movement_and_mains_are_taken_out(frequency: float, low: float, high: float) -> None:
    times = np.arange(10 * 1000) / 1000
    wave = 1e-4 * np.sqrt(2) * np.sin(2 * np.pi * frequency * times)[:, None]
    last = run(wave, 1000.0, ("muscle",))[-1]
    assert low <= np.exp(value(last, "emg_level")) / 100.0 <= high


@pytest.mark.parametrize("sfreq", [128.0, 1000.0, 20000.0])
def test_envelope_rises_within_its_window(sfreq: float) -> None:
    info = StreamInfo("arm", Modality.EMG, ("biceps",), sfreq, "V")
    times = np.arange(int(2 * sfreq)) / sfreq
    wave = np.where(times >= 1.0, 1e-4 * np.cos(2 * np.pi * 32 * times), 0.0)
    stage = EmgEnvelope()
    out = stage.start(info)
    [chunk] = stage.push(Chunk.of(info, times, wave[:, None]))
    assert 32.0 <= out.sfreq < 36.0
    assert chunk.data[chunk.times <= 1.0].max() < 1e-5, "causal"
    settled = chunk.data[chunk.times >= 1.17]
    np.testing.assert_allclose(settled, 1e-4 / np.sqrt(2), rtol=0.1)


def test_bursts_are_counted_and_shared() -> None:
    volts = muscles(40.0)
    times = np.arange(len(volts)) / 500
    volts[:, 0] *= 1 + 19 * (times % 5.0 < 1.0)
    last = run(volts)[-1]
    assert value(last, "emg_burst_rate") == pytest.approx(6.0, abs=0.2), "12 of one muscle of two"
    assert value(last, "emg_burst_share") == pytest.approx(0.11, abs=0.03)
    assert value(last, "emg_burst") == 0.0
    assert value(run(volts[: round(35.6 * 500)])[-1], "emg_burst") == 0.5


def test_noise_alone_has_no_burst() -> None:
    assert max(value(epoch, "emg_burst_share") for epoch in run(muscles(40.0))[40:]) == 0.0


def test_muscles_of_the_face_are_told_by_their_names() -> None:
    volts = muscles(10.0)
    volts[:, 1] *= 4
    last = run(volts)[-1]
    assert value(last, "corrugator") - value(last, "zygomaticus") == pytest.approx(
        np.log(4), abs=0.15
    )
    assert np.isnan(value(last, "trapezius"))
    assert value(last, "emg_level") == pytest.approx(
        (value(last, "corrugator") + value(last, "zygomaticus")) / 2
    )


@pytest.mark.parametrize(("factor", "reason"), [(0.0, "flat"), (1e4, "too large")])
def test_a_bad_signal_is_named(factor: float, reason: str) -> None:
    volts = muscles(20.0)
    volts[:, 1] *= factor
    last = run(volts)[-1]
    assert last.reason == reason
    assert last.quality == pytest.approx(0.5, abs=0.02), "one muscle of two"


def test_a_gap_costs_quality_until_it_is_past() -> None:
    volts = muscles(40.0)
    times = np.arange(len(volts)) / 500
    epochs = {e.stop: e for e in run(volts, keep=(times < 20) | (times > 24))}
    assert 30.5 not in epochs
    assert epochs[36.0].reason == "gaps"
    assert epochs[36.0].quality < 0.7
    assert epochs[46.0].quality == 1.0


def test_nothing_comes_of_missing_values() -> None:
    assert run(np.full((2000, 2), np.nan)) == []


def test_many_muscles_at_a_high_rate_stay_cheap() -> None:
    names = tuple(f"m{n}" for n in range(256))
    began = time.process_time()
    epochs = run(muscles(2.0, 500.0, 256), names=names)
    assert time.process_time() - began < 2.0
    assert epochs[-1].data.shape == (len(EMG_CHANNELS),)


def test_a_stream_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(BadInput, match="at least 100 Hz"):
        emg_band(50.0)
    info = StreamInfo("arm", Modality.EMG, ("a",), 50.0, "V")
    with pytest.raises(BadInput, match="at least 100 Hz"):
        feature_pipeline(info)
    with pytest.raises(BadInput, match="put ToSI"):
        EmgEnvelope().start(StreamInfo("arm", Modality.EMG, ("a",), 500.0, "uV"))
    with pytest.raises(BadInput, match="put EmgEnvelope"):
        EmgFeatures().start(StreamInfo("arm", Modality.EMG, ("a",), 32.0, "uV"))
