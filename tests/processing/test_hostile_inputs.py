"""What no sensor should send, for every modality: flagged or refused, no nonsense is trusted."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from biosense.core.types import Chunk, Epoch, Event, EventKind, Floats
from biosense.estimation.interleave import interleave
from biosense.estimation.processor import Outcome, Processor, ProcessorSettings, feature_values
from biosense.estimation.run_processor import process
from tests.support.signals.sound_signals import CASES, Case

PROBLEMS = {EventKind.GAP, EventKind.LOW_QUALITY, EventKind.ERROR}


def _some(values: Floats, what: float, share: float) -> Floats:
    hit = np.random.default_rng(1).random(values.shape) < share
    return np.where(hit, what, values)


def _noise(values: Floats, size: float) -> Floats:
    return size * np.random.default_rng(2).choice([-1.0, 1.0], values.shape)


HOSTILE: dict[str, Callable[[Floats], Floats]] = {
    "flat": lambda v: np.tile(np.nanmean(v, axis=0), (len(v), 1)),
    "zero": np.zeros_like,
    "at the rail": lambda v: np.tile(np.nanmax(v, axis=0), (len(v), 1)),
    "clipped": lambda v: np.clip(v, *np.nanquantile(v, (0.2, 0.8), axis=0)),
    "negative": np.negative,
    "all NaN": lambda v: np.full_like(v, np.nan),
    "some NaN": lambda v: _some(v, np.nan, 0.02),
    "many NaN": lambda v: _some(v, np.nan, 0.6),
    "all infinite": lambda v: np.full_like(v, np.inf),
    "some infinite": lambda v: _some(v, -np.inf, 0.01),
    "1e30": lambda v: np.full_like(v, 1e30),
    "spikes of 1e30": lambda v: _some(v, 1e30, 0.01),
    "noise of 1e30": lambda v: _noise(v, 1e30),
    "noise of 1e11": lambda v: _noise(v, 1e11),
    "largest floats": lambda v: _noise(v, np.finfo(float).max),
    "smallest floats": lambda v: _noise(v, 5e-324),
    "a thousand times too large": lambda v: 1e3 * v,
    "a million times too large": lambda v: 1e6 * v,
    "a thousand times too small": lambda v: 1e-3 * v,
    "a million times too small": lambda v: 1e-6 * v,
}


def run(stream: Chunk) -> list[Outcome]:
    processor = Processor(ProcessorSettings())
    refused = processor.add_stream(stream.info)
    return [*refused, *process(interleave([stream], 2.0), [], processor)]


def epochs_of(outcomes: list[Outcome]) -> list[Epoch]:
    return [outcome for outcome in outcomes if isinstance(outcome, Epoch)]


def is_flagged(outcomes: list[Outcome]) -> bool:
    """Tell whether somebody is told: by an event, or by low quality with a reason."""
    if any(isinstance(one, Event) and one.kind in PROBLEMS for one in outcomes):
        return True
    last = epochs_of(outcomes)[-4:]
    return bool(last) and all(one.quality < 0.85 and one.reason for one in last)


def is_right(case: Case, outcomes: list[Outcome]) -> bool:
    """Tell whether the features are those of the undisturbed signal, by one that shows it."""
    last, truth = (feature_values(epochs_of(each)[-1]) for each in (outcomes, fine(case)))
    return abs(last[case.feature] - truth[case.feature]) <= case.within


_FINE: dict[str, list[Outcome]] = {}


def fine(case: Case) -> list[Outcome]:
    if case.info.name not in _FINE:
        _FINE[case.info.name] = run(case.stream())
    return _FINE[case.info.name]


@pytest.mark.parametrize("kind", CASES)
def test_the_undisturbed_signal_is_trusted(kind: str) -> None:
    last = epochs_of(fine(CASES[kind]))[-1]
    assert last.quality > 0.85
    assert not last.reason
    assert not [one for one in fine(CASES[kind]) if isinstance(one, Event)]


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("kind", CASES)
def test_it_is_flagged_or_does_no_harm(kind: str, hostile: str) -> None:
    case = CASES[kind]
    stream = case.stream()
    outcomes = run(replace(stream, data=HOSTILE[hostile](stream.data)))
    for epoch in epochs_of(outcomes):
        assert 0.0 <= epoch.quality <= 1.0, "a quality is never NaN"
        assert not np.isinf(epoch.data).any()
    assert is_flagged(outcomes) or is_right(case, outcomes)


WRONG_UNITS = {
    "eeg": ("mV", "kV", "nV", "ohm"),
    "emg": ("kV", "uV", "nV"),
    "eda": ("uS", "mS", "ohm", "kS"),
    "temp": ("K", "degF"),
}


@pytest.mark.parametrize(
    ("kind", "unit"), [(kind, unit) for kind, units in WRONG_UNITS.items() for unit in units]
)
def test_a_wrong_unit_is_seen(kind: str, unit: str) -> None:
    case = CASES[kind]
    assert is_flagged(run(case.stream(replace(case.info, unit=unit))))


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "float32"])
@pytest.mark.parametrize("kind", CASES)
def test_the_limits_of_a_type_are_no_signal(kind: str, dtype: str) -> None:
    case = CASES[kind]
    limits = np.finfo(dtype) if dtype == "float32" else np.iinfo(dtype)
    stream = case.stream()
    ends = np.random.default_rng(4).choice(np.array([limits.min, limits.max]), stream.data.shape)
    info = replace(case.info, dtype=dtype)
    assert is_flagged(run(replace(stream, info=info, data=ends.astype(dtype))))


@pytest.mark.parametrize("kind", CASES)
def test_a_stream_without_samples_gives_nothing(kind: str) -> None:
    processor = Processor(ProcessorSettings())
    stream = CASES[kind].stream().slice(0, 0)
    assert list(process([stream, stream], [stream.info], processor)) == []


def test_a_dead_channel_does_not_cost_the_cap() -> None:
    stream = CASES["eeg"].stream()
    data = stream.data.copy()
    data[:, 2] = np.nan
    last = epochs_of(run(replace(stream, data=data)))[-1]
    assert last.quality == pytest.approx(7 / 8)
    assert last.reason == "C3 flat"
    assert is_right(CASES["eeg"], run(replace(stream, data=data)))


@pytest.mark.parametrize("kind", ["ecg", "ppg", "eda", "resp", "temp", "rppg", "face"])
def test_a_number_of_channels_that_makes_no_sense_is_refused(kind: str) -> None:
    info = replace(CASES[kind].info, channels=tuple(f"x{number}" for number in range(256)))
    [event] = Processor(ProcessorSettings()).add_stream(info)
    assert event.kind is EventKind.ERROR
    assert "not processed" in event.text
    assert "channel" in event.text


@pytest.mark.parametrize(
    ("kind", "channels", "sfreq", "seconds"),
    [
        ("eeg", 1, 128.0, 8),
        ("eeg", 256, 128.0, 6),
        ("eeg", 8, 20_000.0, 4),
        ("emg", 1, 1000.0, 8),
        ("emg", 256, 256.0, 8),
        ("emg", 2, 20_000.0, 8),
        ("ecg", 1, 20_000.0, 12),
        ("ppg", 1, 20_000.0, 12),
        ("eda", 1, 20_000.0, 12),
        ("resp", 1, 20_000.0, 12),
        ("temp", 1, 20_000.0, 6),
    ],
)
def test_many_channels_and_high_rates_keep_up(
    kind: str, channels: int, sfreq: float, seconds: float
) -> None:
    case = replace(CASES[kind], seconds=seconds)
    names = tuple(f"x{number}" for number in range(channels)) if channels > 1 else ("Cz",)
    stream = case.stream(replace(case.info, channels=names, sfreq=sfreq))
    began = time.process_time()
    outcomes = run(stream)
    assert time.process_time() - began < seconds, "slower than the sensor"
    assert epochs_of(outcomes)[-1].quality > 0.3
