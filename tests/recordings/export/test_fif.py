"""FIF holds the EEG to the bit; what is odd or missing is exported, or refused by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import mne
import mne_bids
import numpy as np
import pandas as pd
import pytest

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.errors import BadInput
from biosense.core.types import Chunk
from biosense.recordings.export.bids import export_bids
from biosense.recordings.export.bids_names import BidsSettings
from biosense.recordings.export.csv import export_csv
from biosense.recordings.export.fif import export_fif
from biosense.recordings.streams import gridded_stream
from tests.support.lab_recording import (
    CAP,
    CUES,
    T0,
    belt,
    folder,
)
from tests.support.lsl.labrecorder import BEGIN, Sender, record


@pytest.mark.parametrize(("sfreq", "wanted"), [(250.0, 250.0), (130.5, 131.0)])
def test_odd_rates_and_missing_channels_are_exported(
    tmp_path: Path, sfreq: float, wanted: float
) -> None:
    data = np.random.default_rng(2).normal(0, 20, (700, 4))
    data[:, 1] = np.nan
    info = replace(CAP, sfreq=sfreq)
    reader = folder(tmp_path / "rec", Chunk.of(info, T0 + np.arange(700) / sfreq, data))
    made = export_bids(reader, tmp_path / "bids", BidsSettings("P07"))
    path = mne_bids.BIDSPath("P07", task="affect", datatype="eeg", root=tmp_path / "bids")
    assert mne_bids.read_raw_bids(path, verbose="error").info["sfreq"] == wanted
    odd = (f"cap: {wanted:g} Hz in the file, which holds whole rates",)
    assert made.notes == (() if sfreq == wanted else odd)


def test_streams_without_values_are_left_out_and_said(tmp_path: Path) -> None:
    nothing = Chunk.of(CAP, T0 + np.arange(50) / 250, np.full((50, 4), np.nan))
    made = export_bids(
        folder(tmp_path / "rec", nothing, belt()), tmp_path / "bids", BidsSettings("P07")
    )
    assert [file.what for file in made.files] == ["physio"]
    assert made.notes == ("cap: holds no value, left out",)


def test_a_gap_of_hours_is_refused_by_name(tmp_path: Path) -> None:
    late = replace(belt(), times=np.where(np.arange(320) < 200, 0, 20_000) + belt().times)
    reader = folder(tmp_path / "rec", late)
    with pytest.raises(BadInput, match=r"'Belt \(new\)' has a gap of 5\.6 h, at most 4 h"):
        export_bids(reader, tmp_path / "bids", BidsSettings("P07"))
    with pytest.raises(BadInput, match=r"'Belt \(new\)' has a gap of 5\.6 h, at most 4 h"):
        export_fif(reader, tmp_path / "x.fif")
    assert not list((tmp_path / "bids").rglob("*physio*"))


def test_a_recording_without_a_signal_is_refused(tmp_path: Path) -> None:
    reader = folder(tmp_path / "rec", Chunk.of(CUES, [T0], [["go", "a"]]))
    with pytest.raises(BadInput, match="holds no signal"):
        export_bids(reader, tmp_path / "bids", BidsSettings("P07"))
    assert not (tmp_path / "bids").exists()


def test_fif_holds_the_eeg_to_the_bit(lab: XdfReader, tmp_path: Path) -> None:
    made = export_fif(lab, tmp_path / "session.fif")
    raw = mne.io.read_raw_fif(tmp_path / "session.fif", verbose="error")
    ours = gridded_stream(lab, CAP)
    places = np.rint((ours.times - ours.times[0]) * 250).astype(int)
    np.testing.assert_array_equal(raw.get_data()[:, places].T, ours.data)
    assert raw.info["meas_date"] == datetime(2026, 11, 20, 12, 0, 0, 500000, tzinfo=UTC)
    assert set(raw.annotations.description) == {"go, b", "button", "é\t,, b", "BAD_gap"}
    assert np.isfinite(raw.get_montage().get_positions()["ch_pos"]["Cz"]).all()
    assert made.notes[1] == "a .fif file holds one stream; not in it: Belt (new)"


def test_the_stream_of_a_fif_can_be_chosen(lab: XdfReader, tmp_path: Path) -> None:
    export_fif(lab, tmp_path / "belt.fif", stream="Belt (new)")
    raw = mne.io.read_raw_fif(tmp_path / "belt.fif", verbose="error")
    assert raw.get_channel_types() == ["resp"]
    with pytest.raises(BadInput, match=r"no stream 'nose' .* cap, Belt \(new\)"):
        export_fif(lab, tmp_path / "x.fif", stream="nose")
    with pytest.raises(BadInput, match="exist already"):
        export_fif(lab, tmp_path / "belt.fif")
    with pytest.raises(BadInput, match=r"must end in \.fif"):
        export_fif(lab, tmp_path / "x.edf")


def test_recordings_of_labrecorder_are_exported(tmp_path: Path) -> None:
    times = np.arange(0.2, 11.9, 0.01)
    data = np.column_stack([np.sin(times), np.cos(times)])
    words = Sender("words", np.array([3.0, 6.0]), np.array([["a"], ["b"]]), "string", 0, "Markers")
    content = record([Sender("amp", times, data), words], 12.0)
    (tmp_path / "lab.xdf").write_bytes(content)
    reader = XdfReader(tmp_path / "lab.xdf")
    export_csv(reader, tmp_path / "csv")
    table = pd.read_csv(tmp_path / "csv" / "amp.csv")
    np.testing.assert_allclose(table["time"], times + BEGIN, atol=1e-3)
    np.testing.assert_array_equal(table[["ch1", "ch2"]].astype("float32"), data.astype("float32"))
    made = export_bids(reader, tmp_path / "bids", BidsSettings("01", "rest"))
    raw = mne_bids.read_raw_bids(
        mne_bids.BIDSPath("01", task="rest", datatype="eeg", root=tmp_path / "bids"),
        verbose="error",
    )
    found = [str(text) for text in raw.annotations.description]
    assert [text for text in found if not text.startswith("BAD")] == ["a", "b"]
    assert made.files[0].rows == len(times)
