"""MNE, xarray and pandas objects hold the same numbers, and MNE cuts the same epochs from them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import mne
import numpy as np
import pytest

from biosense.core.errors import BadInput
from biosense.core.recording import Marker
from biosense.core.types import Chunk, Modality, StreamInfo
from biosense.processing.offline.epochs import MarkerEpochs, epochs_around
from biosense.processing.offline.to_mne import to_epochs_array, to_raw
from biosense.processing.offline.to_tables import (
    to_dataarray,
    to_dataset,
    to_table,
)

INFO = StreamInfo("cap", Modality.EEG, ("EEG Fp1-Ref", "T3", "Cz", "A1", "VEOG"), 250.0, "V")
FIRST = 250 * 100_000 + 77


def stream(*, gap: tuple[int, int] = (1500, 1530), untrusted: int = 3000) -> Chunk:
    rng = np.random.default_rng(3)
    places = np.arange(5000)
    places = places[(places < gap[0]) | (places >= gap[1])]
    data = rng.normal(0, 10e-6, (len(places), 5))
    ok = (places < untrusted) | (places >= untrusted + 20)
    return Chunk.of(INFO, (FIRST + places) / 250, data, ok)


def markers() -> list[Marker]:
    rng = np.random.default_rng(4)
    times = FIRST / 250 + np.sort(rng.uniform(-0.5, 20.5, 60))
    return [Marker(float(time), ("left", "right")[n % 2]) for n, time in enumerate(times)]


def cut(**options: object) -> MarkerEpochs:
    return epochs_around(stream(), markers(), tmin=-0.1, tmax=0.25, min_ok=1.0, **options)  # type: ignore[arg-type]


def test_raw_holds_the_same_numbers_with_types_places_and_date() -> None:
    whole = stream()
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    raw = to_raw(whole, started=noon, begin=float(whole.times[0]) - 1.5)
    places = np.rint(whole.times * 250).astype(int) - FIRST
    np.testing.assert_array_equal(raw.get_data()[:, places], whole.data.T)
    assert raw.get_channel_types() == ["eeg", "eeg", "eeg", "eeg", "eog"]
    assert raw.info["meas_date"] == datetime(2026, 11, 20, 12, 0, 1, 500000, tzinfo=UTC)
    known = raw.get_montage().get_positions()["ch_pos"]
    assert np.isfinite(known["T3"]).all()
    assert np.isfinite(known["EEG Fp1-Ref"]).all()


def test_units_are_converted_to_volts() -> None:
    whole = stream()
    micro = replace(whole, info=replace(INFO, unit="uV"), data=whole.data * 1e6)
    np.testing.assert_allclose(to_raw(micro).get_data(), to_raw(whole).get_data(), rtol=1e-12)


def test_gaps_are_bridged_and_annotated_to_the_sample() -> None:
    raw = to_raw(stream())
    spans = {a["description"]: a for a in raw.annotations}
    assert set(spans) == {"BAD_gap", "BAD_untrusted"}
    left = raw.get_data(reject_by_annotation="NaN")
    missing = np.flatnonzero(np.isnan(left[0]))
    np.testing.assert_array_equal(missing, [*range(1500, 1530), *range(3000, 3020)])
    bridge = raw.get_data()[0, 1499:1531]
    np.testing.assert_allclose(np.diff(bridge), np.diff(bridge)[0], atol=1e-18)


def test_mne_cuts_the_same_epochs_from_the_exported_recording() -> None:
    ours = cut(baseline=(None, 0.0))
    raw = to_raw(stream(), markers())
    events, codes = mne.events_from_annotations(raw, regexp="left|right", verbose="error")
    theirs = mne.Epochs(
        raw, events, codes, -0.1, 0.25, baseline=(None, 0.0), preload=True, verbose="error"
    )
    assert 40 < len(ours) < 60
    np.testing.assert_array_equal(theirs.events[:, 0], ours.positions - FIRST)
    np.testing.assert_allclose(theirs.times, ours.times, atol=1e-12)
    data = theirs.get_data(picks="all")
    np.testing.assert_allclose(np.moveaxis(data, 1, 2), ours.data, rtol=0, atol=1e-18)
    numbers = {code: text for text, code in codes.items()}
    assert [numbers[code] for code in theirs.events[:, 2]] == list(ours.texts)


def test_epochs_array_holds_the_same_numbers_in_order_of_time() -> None:
    ours = cut()
    theirs = to_epochs_array(ours)
    np.testing.assert_array_equal(theirs.get_data(picks="all"), np.moveaxis(ours.data, 2, 1))
    np.testing.assert_allclose(theirs.times, ours.times, atol=1e-12)
    assert theirs.event_id == {"left": 1, "right": 2}
    np.testing.assert_array_equal(theirs["left"].events[:, 0], ours.of("left").positions)
    assert theirs.metadata["text"].tolist() == list(ours.texts)
    assert theirs.get_channel_types() == ["eeg", "eeg", "eeg", "eeg", "eog"]


def test_epochs_that_mne_cannot_hold_are_refused() -> None:
    twice = [Marker(100_002.0, "a"), Marker(100_002.001, "b")]
    with pytest.raises(BadInput, match="fall on one sample"):
        to_epochs_array(epochs_around(stream(), twice, tmin=0, tmax=0.1))
    with pytest.raises(BadInput, match="no epoch was kept"):
        to_epochs_array(epochs_around(stream(), [], tmin=0, tmax=0.1))


@pytest.mark.parametrize(
    ("modality", "unit", "kind"),
    [
        (Modality.ECG, "mV", "ecg"),
        (Modality.ECG, "furlong", "misc"),
        (Modality.EDA, "uS", "gsr"),
        (Modality.PPG, "", "bio"),
        (Modality.RESP, "", "resp"),
        (Modality.TEMP, "degC", "temperature"),
        (Modality.EMG, "uV", "emg"),
        (Modality.FACE, "px", "misc"),
        (None, "px", "misc"),
    ],
)
def test_channel_types_follow_modality_and_unit(
    modality: Modality | None, unit: str, kind: str
) -> None:
    info = StreamInfo("one", modality, ("x", "x"), 4.0, unit)
    raw = to_raw(Chunk.of(info, [0.0, 0.25], [[1.0, 2.0], [3.0, 4.0]]))
    assert raw.get_channel_types() == [kind, kind]
    assert raw.ch_names == ["x", "x-2"]


def test_what_mne_cannot_hold_is_refused() -> None:
    with pytest.raises(BadInput, match="no sample"):
        to_raw(stream().slice(0, 0))
    with pytest.raises(BadInput, match="time zone"):
        to_raw(stream(), started=datetime(2026, 1, 1))


def test_xarray_holds_the_same_numbers_by_name() -> None:
    ours = cut()
    array = to_dataarray(ours)
    assert array.dims == ("epoch", "time", "channel")
    np.testing.assert_array_equal(array.values, ours.data)
    chosen = array.sel(channel="Cz").isel(epoch=3)
    np.testing.assert_array_equal(chosen.values, ours.data[3, :, 2])
    assert (str(chosen.marker.item()), chosen.onset.item()) == (
        ours.texts[3],
        ours.markers[3].time,
    )
    assert array.attrs == {"stream": "cap", "modality": "eeg", "sfreq": 250.0, "unit": "V"}


def test_several_streams_become_a_data_set() -> None:
    words = Chunk.of(StreamInfo("words", None, ("text",), 0.0, dtype="str"), [1.0], [["go"]])
    dataset = to_dataset([stream(), words])
    np.testing.assert_array_equal(dataset["cap"].values, stream().data)
    np.testing.assert_array_equal(dataset["cap_time"].values, stream().times)
    assert dataset["words"].values.tolist() == [["go"]]
    with pytest.raises(BadInput, match="two streams 'words'"):
        to_dataset([words, words])
    with pytest.raises(BadInput, match="needs numbers"):
        to_dataarray(words)


def test_tables_hold_the_same_numbers_wide_and_long() -> None:
    ours = cut()
    wide, long = to_table(ours), to_table(ours, "long")
    assert wide.columns.tolist() == ["epoch", "marker", "onset", "time", *INFO.channels]
    np.testing.assert_array_equal(wide[list(INFO.channels)], ours.data.reshape(-1, 5))
    assert len(long) == ours.data.size
    one = long[(long["epoch"] == 3) & (long["channel"] == "Cz")]
    np.testing.assert_array_equal(one["value"], ours.data[3, :, 2])
    np.testing.assert_array_equal(one["time"], ours.times)
    assert set(one["marker"]) == {ours.texts[3]}


def test_a_stream_becomes_a_table_with_its_times() -> None:
    table = to_table(stream())
    np.testing.assert_array_equal(table["time"], stream().times)
    np.testing.assert_array_equal(table["ok"], stream().ok)
    clash = Chunk.of(replace(INFO, channels=("time",)), [0.0], [[1.0]])
    with pytest.raises(BadInput, match="called like columns"):
        to_table(clash)
    assert to_table(clash, "long")["channel"].tolist() == ["time"]
    with pytest.raises(BadInput, match="'long' or 'wide'"):
        to_table(clash, "broad")  # type: ignore[arg-type]
