"""A BIDS data set is what its specification says, and MNE-BIDS reads it."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import mne_bids
import numpy as np
import pandas as pd
import pytest

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.errors import BadInput
from biosense.core.types import Event, EventKind
from biosense.recordings.export.bids import export_bids
from biosense.recordings.export.bids_names import BidsSettings
from biosense.recordings.streams import gridded_stream
from tests.support.lab_recording import (
    CAP,
    SERIAL,
    T0,
    belt,
    cap,
    folder,
)


def physio(path: Path) -> tuple[np.ndarray, dict[str, object]]:
    """Read a physio file as its specification says: no head, columns named by the sidecar."""
    sidecar = json.loads(path.with_name(path.name.replace(".tsv.gz", ".json")).read_text("utf-8"))
    with gzip.open(path, "rt", encoding="utf-8") as file:
        table = pd.read_csv(file, sep="\t", header=None, names=sidecar["Columns"])
    return table.to_numpy(), sidecar


def test_bids_is_read_back_by_mne_bids(lab: XdfReader, tmp_path: Path) -> None:
    export_bids(lab, tmp_path / "bids", BidsSettings("P07", "films", "1", 2, 50.0))
    path = mne_bids.BIDSPath("P07", "1", "films", run="02", datatype="eeg", root=tmp_path / "bids")
    raw = mne_bids.read_raw_bids(path, verbose="error")
    ours = gridded_stream(lab, CAP)
    places = np.rint((ours.times - ours.times[0]) * 250).astype(int)
    step = 2 * np.abs(ours.data).max() / 2**24  # of 24 bits
    np.testing.assert_allclose(raw.get_data()[:, places].T, ours.data, atol=step)
    assert raw.get_channel_types() == ["eeg"] * 4
    assert raw.info["line_freq"] == 50.0
    assert raw.info["meas_date"] == datetime(2026, 11, 20, 12, 0, 0, 500000, tzinfo=UTC)
    found = {str(a["description"]): float(a["onset"]) for a in raw.annotations}
    assert set(found) == {"go, b", "button", "é ,, b", "BAD_gap", "BAD_ACQ_SKIP"}
    assert found["go, b"] == pytest.approx(2.502, abs=1e-5)
    assert found["BAD_ACQ_SKIP"] == pytest.approx(10.3, abs=1e-5)
    assert len(raw.times) == 11 * 250
    assert found["BAD_gap"] == pytest.approx(4.5, abs=1.1 / 250)


def test_bids_keeps_other_signals_beside_the_eeg(lab: XdfReader, tmp_path: Path) -> None:
    made = export_bids(lab, tmp_path / "bids", BidsSettings("P07"))
    eeg = tmp_path / "bids" / "sub-P07" / "eeg"
    values, about = physio(eeg / "sub-P07_task-affect_recording-Beltnew_physio.tsv.gz")
    assert about["SamplingFrequency"] == 32.0
    assert about["StartTime"] == pytest.approx(-0.5)
    assert values.shape == (384, 1)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(values[:, 0])), np.arange(160, 224))
    there = ~np.isnan(values[:, 0])
    np.testing.assert_allclose(values[there, 0], belt().data[:, 0], atol=1e-6)
    beats = tmp_path / "bids/sub-P07/beh/sub-P07_task-affect_acq-beats_beh.tsv"
    table = pd.read_csv(beats, sep="\t")
    np.testing.assert_allclose(table["onset"], [0.2, 1.05], atol=1e-6)
    np.testing.assert_allclose(table["rr"], [0.8, 0.85], rtol=1e-6)
    assert "1 marker lies outside of cap, left out there" in made.notes


def test_bids_says_nothing_of_a_person_but_the_pseudonym(lab: XdfReader, tmp_path: Path) -> None:
    export_bids(lab, tmp_path / "bids", BidsSettings("P07"))
    for file in (tmp_path / "bids").rglob("*"):
        assert not file.is_file() or SERIAL.encode() not in file.read_bytes()
    people = pd.read_csv(tmp_path / "bids" / "participants.tsv", sep="\t", keep_default_na=False)
    assert people["participant_id"].tolist() == ["sub-P07"]
    assert set(people.drop(columns="participant_id").to_numpy().ravel()) <= {"n/a"}
    sidecar = next((tmp_path / "bids").rglob("*_eeg.json"))
    assert json.loads(sidecar.read_text("utf-8"))["Manufacturer"] == "n/a"


def test_bids_without_eeg_is_a_behavioural_experiment(tmp_path: Path) -> None:
    marker = Event(T0 + 4, EventKind.MARKER, "", "button")
    reader = folder(tmp_path / "rec", belt(), events=(marker,))
    made = export_bids(reader, tmp_path / "bids", BidsSettings("P07", "films"))
    assert [file.path for file in made.files] == [
        "sub-P07/beh/sub-P07_task-films_recording-Beltnew_physio.tsv.gz",
        "sub-P07/beh/sub-P07_task-films_events.tsv",
    ]
    assert made.notes[0].startswith("no EEG in the recording: BIDS holds the other signals as")
    table = pd.read_csv(tmp_path / "bids" / made.files[1].path, sep="\t")
    assert table.to_dict("list") == {
        "onset": [4.0],
        "duration": [0.0],
        "trial_type": ["button"],
        "stream": ["markers"],
    }
    for name in ("dataset_description.json", "README", "participants.tsv"):
        assert (tmp_path / "bids" / name).is_file()


def test_a_second_person_joins_the_data_set(lab: XdfReader, tmp_path: Path) -> None:
    root = tmp_path / "bids"
    export_bids(lab, root, BidsSettings("P07"))
    with pytest.raises(BadInput, match=r"_eeg\.bdf, .* exist already"):
        export_bids(lab, root, BidsSettings("P07"))
    export_bids(lab, root, BidsSettings("P07", overwrite=True))
    reader = folder(tmp_path / "other", belt())
    export_bids(reader, root, BidsSettings("P08"))
    people = pd.read_csv(root / "participants.tsv", sep="\t", keep_default_na=False)
    assert people["participant_id"].tolist() == ["sub-P07", "sub-P08"]
    assert people.iloc[1, 1:].tolist() == ["n/a"] * (people.shape[1] - 1)


def test_several_eeg_streams_and_long_names_have_a_place(tmp_path: Path) -> None:
    long = replace(CAP, name="ear", channels=("the left ear, upper", "b", "c", "d"))
    reader = folder(tmp_path / "rec", cap(), cap(long))
    made = export_bids(reader, tmp_path / "bids", BidsSettings("P07"))
    names = [file.path.rpartition("/")[2] for file in made.files]
    assert names[:2] == [
        "sub-P07_task-affect_acq-cap_eeg.bdf",
        "sub-P07_task-affect_acq-ear_eeg.bdf",
    ]
    assert "ear: channel 'the left ear, upper' is called 'E1' in the file" in made.notes
