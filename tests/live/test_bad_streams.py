"""Bad streams in a run: each is said to be bad, recorded as it is, and costs the others nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biosense.core.types import TEXT, Chunk, EventKind, Item, Modality, StreamInfo
from biosense.models.deployment.checkpoint import Loaded
from biosense.recordings.inspect import inspect
from tests.support.recorded_runs import Outcome, carry_out, compare, recorded, sensor
from tests.support.scripted import Scripted, Tap, chunked, foreign_clock, info
from tests.support.virtual_clock import START, VirtualClock

SECONDS = 12.0


def run_beside_eda(
    bad_ones: StreamInfo | list[StreamInfo], items: Iterable[Item], loaded: Loaded, folder: Path
) -> Outcome:
    """Run streams beside a good EDA, and hold the recording against everything it must be."""
    clock = VirtualClock()
    described = bad_ones if isinstance(bad_ones, list) else [bad_ones]
    bad = Tap(Scripted(clock, described, items))
    eda = sensor(Modality.EDA, SECONDS)
    good = Scripted(clock, [eda.info], chunked(eda))
    outcome = carry_out([bad, good], clock, loaded=loaded, record=folder)
    assert outcome.summary.errors == ()
    assert outcome.summary.estimate_hz == pytest.approx(4.0)
    assert outcome.summary.estimates > 4 * (SECONDS - 3)
    found = compare(outcome.folder, loaded)
    assert found.recorded == found.offline == found.same_times
    assert found.largest_difference == 0.0
    kept = recorded(outcome.folder)
    for name in (each.name for each in described if kept[each.name]):
        data = np.concatenate([chunk.data for chunk in kept[name]])
        np.testing.assert_array_equal(data, bad.samples(name))
        assert len(data) == outcome.summary.streams[name].samples
    return outcome


def regular(described: StreamInfo, seconds: float = SECONDS) -> list[Chunk]:
    times = START + np.arange(round(seconds * described.sfreq)) / described.sfreq
    data = np.random.default_rng(1).normal(size=(len(times), described.n_channels))
    return list(chunked(Chunk.of(described, times, data), 1.0))


REFUSED = {
    info("irregular", sfreq=0.0): "'irregular' is irregular (nominal rate 0)",
    info("slow brain", Modality.EEG, sfreq=1.0): "below Nyquist (0.5 Hz) of 'slow brain'",
    info("slow heart", sfreq=5.0): "'slow heart' has 1 channels at 5.0 Hz",
    info("breath", Modality.RESP, sfreq=2.0): "'breath' has 1 channels at 2.0 Hz; respiration",
    info("one eye", Modality.FACE, sfreq=30.0): "channels",
}


@pytest.fixture(scope="module")
def refused(loaded: Loaded, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    pieces = [
        replace(piece, info=described)
        for described in REFUSED
        for piece in regular(replace(described, sfreq=described.sfreq or 100.0))
    ]
    pieces.sort(key=lambda piece: piece.arrived)
    return run_beside_eda(list(REFUSED), pieces, loaded, tmp_path_factory.mktemp("refused"))


@pytest.mark.parametrize("described", REFUSED, ids=lambda described: described.name)
def test_a_stream_that_cannot_be_processed_is_recorded_and_said_so(
    described: StreamInfo, refused: Outcome
) -> None:
    (text,) = refused.said(described.name)
    assert text.startswith("error: recorded, not processed: ")
    assert REFUSED[described] in text
    assert text.removeprefix("error: ") in inspect(refused.folder).problems


def test_text_where_numbers_are_needed_is_recorded_and_said_so(
    loaded: Loaded, tmp_path: Path
) -> None:
    described = info("chest", None, dtype=TEXT, content_type="ECG")
    times = START + 1.0 + np.arange(10)
    items = list(chunked(Chunk.of(described, times, [[f"{v} mV"] for v in range(10)])))
    outcome = run_beside_eda(described, items, loaded, tmp_path)
    text = "recorded, not processed: its samples are text, ecg needs numbers"
    assert outcome.said("chest") == [f"error: {text}"]


def test_an_unknown_unit_is_said_and_guessed(loaded: Loaded, tmp_path: Path) -> None:
    described = info("cap", Modality.EEG, channels=("F3", "F4"), unit="furlong")
    outcome = run_beside_eda(described, regular(described), loaded, tmp_path)
    assert outcome.said("cap")[0] == "error: unit 'furlong' of 'cap' is not known, taken as uV"
    assert inspect(outcome.folder).streams["cap"].quality is not None


def test_a_stream_that_never_sends_holds_nothing_up(loaded: Loaded, tmp_path: Path) -> None:
    outcome = run_beside_eda(info("silent"), [], loaded, tmp_path)
    silent = outcome.summary.streams["silent"]
    assert (silent.samples, silent.rate_hz) == (0, None)
    assert '"rate_hz": null' in outcome.summary.to_json()
    assert "silent: no sample at all" in inspect(outcome.folder).problems


def spoilt(value: float, start: float, stop: float) -> list[Item]:
    """An ECG with `value` in place of every sample from `start` to `stop` seconds."""
    ecg = sensor(Modality.ECG, SECONDS)
    data, since = ecg.data.copy(), ecg.times - START
    data[(since >= start) & (since < stop)] = value
    return list(chunked(replace(ecg, data=data)))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_without_a_number_are_a_flagged_gap(
    value: float, loaded: Loaded, tmp_path: Path
) -> None:
    items = spoilt(value, 6.0, 9.0)
    outcome = run_beside_eda(items[0].info, items, loaded, tmp_path)
    assert outcome.said("sim-ecg") == [
        "gap: it sends no numbers (NaN or infinite) for 1 s now",
        "recovered: it sends numbers again after 3.0 s",
    ]
    times = [e.time - START for e in outcome.events if e.kind is not EventKind.ENDED]
    assert times == pytest.approx([7.0, 9.0], abs=0.01)
    counted = outcome.summary.streams["sim-ecg"]
    assert (counted.samples, counted.gaps, counted.lost) == (12 * 512, 1, 3 * 512)
    estimates = recorded(outcome.folder)["biosense-affect"]
    column = estimates[0].info.channels.index("weight_ecg")
    weight = {round(c.times[0] - START, 2): c.data[0, column] for c in estimates}
    assert weight[5.0] > 0
    assert all(weight[t] == 0 for t in weight if 7.5 <= t <= 8.75)
    assert weight[11.75] > 0
    assert all(np.isfinite(c.data).all() for c in estimates)
    problem = "sim-ecg: 1 gap, about 1536 samples missing, the longest 3.00 s"
    assert problem in inspect(outcome.folder).problems


def test_a_stream_of_nothing_but_nan_is_flagged(loaded: Loaded, tmp_path: Path) -> None:
    items = spoilt(np.nan, 0.0, SECONDS)
    outcome = run_beside_eda(items[0].info, items, loaded, tmp_path)
    assert outcome.said("sim-ecg") == ["gap: it sends no numbers (NaN or infinite) for 1 s now"]
    assert outcome.summary.streams["sim-ecg"].samples == 12 * 512


def test_one_dead_channel_of_many_is_no_gap(loaded: Loaded, tmp_path: Path) -> None:
    described = info("cap", Modality.EEG, channels=("F3", "F4", "C3"), unit="uV")
    items = regular(described)
    for item in items:
        item.data[:, 1] = np.nan
    outcome = run_beside_eda(described, items, loaded, tmp_path)
    assert outcome.summary.streams["cap"].gaps == 0
    assert outcome.said("cap") == []
    assert inspect(outcome.folder).streams["cap"].quality is not None


def test_time_stamps_that_run_backwards_are_kept_and_survived(
    loaded: Loaded, tmp_path: Path
) -> None:
    pieces = list(chunked(sensor(Modality.ECG, SECONDS)))
    for number in range(40, 60):
        pieces[number] = replace(pieces[number], times=pieces[number].times[::-1].copy())
    items = list(foreign_clock(pieces, 77.0))
    outcome = run_beside_eda(items[0].info, items, loaded, tmp_path)
    stamps = np.concatenate([c.stamps for c in recorded(outcome.folder)["sim-ecg"]])
    assert (np.diff(stamps) < 0).sum() >= 20 * 40


def test_one_stamp_from_far_in_the_future_stops_that_stream_only(
    loaded: Loaded, tmp_path: Path
) -> None:
    pieces = list(chunked(sensor(Modality.ECG, SECONDS)))
    pieces[50].times[-1] += 1e6
    items = list(foreign_clock(pieces, 77.0))
    outcome = run_beside_eda(items[0].info, items, loaded, tmp_path)
    assert outcome.summary.streams["sim-ecg"].gaps >= 1
    assert not [event for event in outcome.events if event.kind is EventKind.LOST]


def test_repeated_time_stamps_are_survived(loaded: Loaded, tmp_path: Path) -> None:
    """Some senders stamp a whole packet with one time."""
    pieces = [
        replace(piece, times=np.full(piece.n, piece.times[-1]))
        for piece in chunked(sensor(Modality.ECG, SECONDS))
    ]
    run_beside_eda(pieces[0].info, pieces, loaded, tmp_path)
