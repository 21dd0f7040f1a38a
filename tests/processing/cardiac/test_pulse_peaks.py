"""Pulse waves: found at their upstroke in either polarity, saturated or not, and not in noise."""

from __future__ import annotations

import numpy as np
import pytest

from biosense.core import Chunk, Modality, StreamInfo
from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.processing.cardiac.pulse_peaks import PulsePeaks
from biosense.testing.body import ppg_waves
from tests.support.signals.beats_found import beats_of, score
from tests.support.stand_ins import PublicFile


def ppg_info(sfreq: float) -> StreamInfo:
    return StreamInfo("finger", Modality.PPG, ("ppg",), sfreq, "mV")


def detect(ppg: Floats, sfreq: float, keep: Floats | None = None) -> Floats:
    """Return the rows time, amplitude, confidence, known_at, late."""
    n = np.arange(len(ppg)) if keep is None else np.flatnonzero(keep)
    return beats_of(PulsePeaks(), Chunk.of(ppg_info(sfreq), n / sfreq, ppg[n, None]), 16)


def simulated(sfreq: int, seconds: int = 40) -> tuple[Floats, Floats]:
    """Return a PPG with noise and drift, and where its systolic upstrokes are steepest."""
    fine = np.arange(seconds * 2000) / 2000
    beat = (fine + 0.05 * np.sin(2 * np.pi * fine / 5.0)) / 0.8
    # 0.15 s from the foot to the peak of a Gaussian of 0.06 s, foot 0.25 s after the beat
    place = 0.25 + 0.15 - 0.06
    steepest = fine[np.flatnonzero(np.diff(np.floor(beat - place / 0.8)) > 0) + 1]
    return ppg_waves(np.arange(seconds * sfreq) / sfreq)[:, 0], steepest


@pytest.mark.parametrize("sfreq", [25, 64, 130, 500])
def test_upstrokes_are_found_and_timed(sfreq: int) -> None:
    ppg, upstrokes = simulated(sfreq)
    found = detect(ppg, sfreq)
    result = score(found[:, 0], upstrokes[:-1], 0.05)
    assert result.f1 >= 0.98
    assert abs(result.lag) < 0.012
    assert result.jitter < 0.008


def test_both_polarities_give_the_same_pulses() -> None:
    ppg, _ = simulated(64)
    upright, inverted = detect(ppg, 64), detect(5000 - ppg, 64)
    assert len(upright) > 45
    np.testing.assert_allclose(upright[:, 0], inverted[:, 0], atol=1e-9)


def test_a_polarity_that_changes_is_followed_and_no_pulse_given_twice() -> None:
    ppg, upstrokes = simulated(64, seconds=60)
    ppg[20 * 64 :] = ppg[20 * 64] - (ppg[20 * 64 :] - ppg[20 * 64])
    found = detect(ppg, 64)
    assert (np.diff(found[:, 0]) >= 0.3).all()
    late = upstrokes[(upstrokes > 40.0) & (upstrokes < 59.0)]
    assert score(found[found[:, 0] > 40.0, 0], late, 0.05).sensitivity == 1.0


def test_saturation_at_the_top_leaves_the_upstrokes() -> None:
    ppg, upstrokes = simulated(64)
    clipped = np.minimum(ppg, np.quantile(ppg, 0.88))
    assert score(detect(clipped, 64)[:, 0], upstrokes[:-1], 0.05).f1 >= 0.97


def test_confirmation_keeps_the_declared_latency() -> None:
    ppg, _ = simulated(130)
    detector = PulsePeaks()
    detector.start(ppg_info(130.0))
    found = detect(ppg, 130)
    in_time = found[found[:, 4] == 0]
    assert detector.latency < 0.5
    assert (in_time[:, 3] - in_time[:, 0]).max() <= detector.latency + 0.02
    assert len(in_time) >= len(found) - 4


def test_a_gap_holds_no_pulse_and_costs_little_after_it() -> None:
    ppg, upstrokes = simulated(64)
    times = np.arange(len(ppg)) / 64
    found = detect(ppg, 64, keep=(times < 15.0) | (times >= 20.0))
    assert not ((found[:, 0] > 15.0) & (found[:, 0] < 20.0)).any()
    after = upstrokes[(upstrokes > 21.0) & (upstrokes < 39.0)]
    assert score(found[:, 0], after, 0.05).sensitivity == 1.0


@pytest.mark.parametrize("kind", ["white", "brown", "hum", "flat"])
def test_what_is_no_pulse_is_not_believed(kind: str) -> None:
    rng = np.random.default_rng(4)
    white = rng.standard_normal(64 * 60)
    hum = np.sin(2 * np.pi * 14 * np.arange(len(white)) / 64) + 0.01 * white  # 50 Hz, aliased
    ppg = {"white": white, "brown": np.cumsum(white), "hum": hum, "flat": np.ones(len(white))}
    found = detect(ppg[kind], 64)
    assert len(found) == 0 or found[:, 2].mean() < 0.05


@pytest.mark.parametrize("shape", ["pure", "wandering", "noisy"])
@pytest.mark.parametrize("rate", [0.8, 1.0, 1.7])
def test_a_sine_is_not_believed_however_regular(rate: float, shape: str) -> None:
    times = np.arange(64 * 60) / 64
    phase = rate * times + (0.2 * np.sin(0.6 * times) if shape == "wandering" else 0.0)
    noise = 0.05 * np.random.default_rng(6).standard_normal(len(times))
    sine = np.sin(2 * np.pi * phase) + (noise if shape == "noisy" else 0.0)
    found = detect(100 + 10 * sine, 64)
    assert found[found[:, 0] > 12.0, 2].max(initial=0.0) < 0.1


def test_motion_spoils_the_confidence_while_it_lasts() -> None:
    ppg, _ = simulated(64, seconds=60)
    times = np.arange(len(ppg)) / 64
    rng = np.random.default_rng(7)
    shaken = np.cumsum(rng.standard_normal(len(ppg)))
    shaken -= np.convolve(shaken, np.ones(128) / 128, "same")
    ppg += np.where((times > 20) & (times < 40), 3 * ppg.std() * shaken / shaken.std(), 0.0)
    found = detect(ppg, 64)
    within = (found[:, 0] > 22) & (found[:, 0] < 40)
    assert found[within, 2].mean() < 0.3
    assert found[(found[:, 0] > 8) & (found[:, 0] < 19), 2].mean() > 0.9
    assert found[(found[:, 0] > 50), 2].mean() > 0.8


@pytest.mark.parametrize("participant", [1, 2, 3])
def test_wearable_pulse_stands_upright(public_file: PublicFile, participant: int) -> None:
    """Upstrokes and downstrokes of this sensor are equally steep: its peaks tell the polarity."""
    with np.load(public_file(f"wearable/rcqoea_P{participant}.npz")) as file:
        ppg = file["V05_ppg_mV"].astype(np.float64)
    upright, inverted = detect(ppg, 130.0), detect(-ppg, 130.0)
    np.testing.assert_allclose(upright[:, 0], inverted[:, 0], atol=1e-9)
    assert upright[:, 2].mean() > 0.9
    peaks = np.array([ppg[int(130 * time) : int(130 * time) + 26].max() for time in upright[:, 0]])
    assert np.median(peaks) > np.quantile(ppg, 0.9), "the wave rises behind its steepest point"


def test_neurokit_simulation_at_every_rate() -> None:
    nk = pytest.importorskip("neurokit2")
    for rate in (55, 80, 130):
        ppg = nk.ppg_simulate(
            duration=30, sampling_rate=128, heart_rate=rate, motion_amplitude=0.0, random_state=3
        )
        found = detect(np.asarray(ppg, np.float64), 128)
        assert 60 / np.diff(found[3:, 0]).mean() == pytest.approx(rate, rel=0.05)


def test_a_rate_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(BadInput, match="25 to 500 Hz"):
        PulsePeaks().start(ppg_info(1000.0))
