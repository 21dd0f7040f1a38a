"""Pulse transit time: right where two sensors agree, without a value where they cannot."""

from __future__ import annotations

from itertools import repeat

import numpy as np
import pytest

from biosense.core import Chunk, Modality, StreamInfo
from biosense.core.types import Epoch, Floats
from biosense.estimation.processor import Processor, ProcessorSettings
from biosense.processing.cardiac.features import PULSE_CHANNELS
from biosense.processing.cardiac.pulse_transit import PulseTransit
from biosense.testing.body import beat_phase, ecg_waves, ppg_waves
from biosense.testing.cuttings import split

ECG = StreamInfo("chest", Modality.ECG, ("ecg",), 256.0, "V")
PPG = StreamInfo("finger", Modality.PPG, ("ppg",), 64.0)


def fed(lag: Floats, seconds: float = 60.0) -> PulseTransit:
    transit = PulseTransit()
    for number, beat in enumerate(np.arange(0, seconds, 0.8)):
        transit.add_heart(float(beat), 1.0)
        transit.add_pulse(float(beat + lag[number % len(lag)]), 1.0)
    return transit


def pulse_epochs(late: float = 0.0, *, with_ecg: bool = True, step: int = 16) -> list[Epoch]:
    """Run both streams through the processor; chunks of ECG arrive `late` seconds behind PPG."""
    processor = Processor(ProcessorSettings())
    times = {ECG: np.arange(256 * 40) / 256, PPG: np.arange(64 * 40) / 64}
    waves = {ECG: ecg_waves(times[ECG]), PPG: ppg_waves(times[PPG])}
    infos = [ECG, PPG] if with_ecg else [PPG]
    items = []
    for info in infos:
        processor.add_stream(info)
        size = step * (4 if info is ECG else 1)
        whole = Chunk.of(info, times[info], waves[info])
        items += [chunk for chunk in split(whole, repeat(size)) if chunk.n]
    items.sort(key=lambda item: float(item.times[-1]) + (late if item.info is ECG else 0.0))
    outcomes = [outcome for item in items for outcome in processor.push(item)]
    return [one for one in outcomes if isinstance(one, Epoch) and one.info.name == PPG.name]


def transit(epochs: list[Epoch], name: str = "transit_10") -> Floats:
    return np.array([epoch.data[PULSE_CHANNELS.index(name)] for epoch in epochs])


def true_transit() -> float:
    """Return the time from the drawn R peak to the steepest point of the drawn pulse wave."""
    fine = np.arange(8000) / 1000
    slope = np.gradient(ppg_waves(fine)[:, 0])
    smooth = np.convolve(slope, np.hanning(25) / 12, "same")[2000:6000]
    return float(beat_phase(fine[2000:6000])[np.argmax(smooth)])


@pytest.mark.parametrize("late", [0.0, 0.9])
def test_time_from_r_peak_to_upstroke_is_found_whoever_arrives_first(late: float) -> None:
    found = transit(pulse_epochs(late))
    assert np.isfinite(found[60:]).all()
    assert np.median(found[60:]) == pytest.approx(true_transit() % 0.8, abs=0.02)
    assert found[60:].std() < 0.005


def test_cutting_of_the_streams_does_not_matter_where_their_order_does_not() -> None:
    one, other = pulse_epochs(step=4), pulse_epochs(step=8)
    by_index = {epoch.index: epoch for epoch in other}
    same = [k for k in (epoch.index for epoch in one) if k in by_index]
    assert len(same) > 100
    steady = transit([epoch for epoch in one if epoch.index in by_index])[60:]
    np.testing.assert_allclose(steady, transit([by_index[k] for k in same])[60:], atol=0.003)


def test_without_an_ecg_there_is_no_value() -> None:
    assert np.isnan(transit(pulse_epochs(with_ecg=False))).all()


def test_a_change_shows_in_the_difference() -> None:
    pulses = PulseTransit()
    for beat in np.arange(0, 60, 0.8):
        pulses.add_heart(float(beat), 1.0)
        pulses.add_pulse(float(beat) + (0.25 if beat < 50 else 0.22), 1.0)
    middle, change = pulses.features(60.0)
    assert middle == pytest.approx(0.22)
    assert change == pytest.approx(-0.03)


def test_pulses_of_another_heart_have_no_value() -> None:
    rng = np.random.default_rng(1)
    assert np.isnan(fed(rng.uniform(0.1, 0.6, 75)).features(60.0)).all()


def test_pulses_outside_the_gates_are_nobodys() -> None:
    assert np.isnan(fed(np.array([0.02])).features(60.0)).all()
    assert np.isnan(fed(np.array([0.7])).features(60.0)).all()


def test_what_is_old_is_forgotten() -> None:
    pulses = fed(np.array([0.25]))
    assert np.isfinite(pulses.features(60.0)).all()
    assert np.isnan(pulses.features(75.0)).all()
