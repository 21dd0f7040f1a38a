"""Exports hold the numbers of the recording, and other programs read them."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import mne
import mne_bids
import numpy as np
import pandas as pd
import pytest

from biosense.acquisition.xdf.events import event_chunk
from biosense.acquisition.xdf.reader import XdfReader
from biosense.acquisition.xdf.recording_folder import Sidecar, write_sidecar
from biosense.acquisition.xdf.writer import XdfWriter
from biosense.core.errors import BadInput
from biosense.core.types import TEXT, Chunk, Event, EventKind, Modality, StreamInfo
from biosense.recordings.export.bids import export_bids
from biosense.recordings.export.bids_names import BidsSettings
from biosense.recordings.export.csv import export_csv
from biosense.recordings.export.fif import export_fif
from biosense.recordings.export.result import drafted
from biosense.recordings.streams import gridded_stream
from tests.support.labrecorder import BEGIN, Sender, record
from tests.support.recorded_runs import WholeRun, recorded

T0 = 5000.0
SERIAL = "SN-4711-ADDRESS"
CAP = StreamInfo("cap", Modality.EEG, ("Fp1", "F3", "Cz", "Oz"), 250.0, "uV", SERIAL, "float32")
BELT = StreamInfo("Belt (new)", Modality.RESP, ("resp",), 32.0, "", SERIAL, "int16")
BEATS = StreamInfo("beats", None, ("rr",), 0.0, "s", SERIAL, "float32")
CUES = StreamInfo("cues", None, ("cue", "block"), 0.0, "", SERIAL, TEXT, content_type="Markers")
HEALTH = StreamInfo("health", None, ("status",), 0.0, "", SERIAL, TEXT, content_type="Health")


def cap(info: StreamInfo = CAP) -> Chunk:
    """Return 10 s of EEG from 0.5 s on, without the samples of 0.4 s in the middle."""
    rng = np.random.default_rng(5)
    places = np.concatenate([np.arange(125, 1250), np.arange(1350, 2700)])
    return Chunk.of(info, T0 + places / 250, rng.normal(0, 20, (len(places), 4)))


def belt() -> Chunk:
    """Return 10 s of breathing from the beginning on, in two parts with 2 s between them."""
    places = np.concatenate([np.arange(160), np.arange(224, 384)])
    return Chunk.of(BELT, T0 + places / 32, (1000 * np.sin(places / 20)).astype(int))


def folder(path: Path, *chunks: Chunk, events: tuple[Event, ...] = ()) -> XdfReader:
    """Record chunks as a whole session of P07."""
    path.mkdir()
    said = (*chunks, *map(event_chunk, events))
    with XdfWriter(path / "recording.xdf") as writer:
        for info in dict.fromkeys(chunk.info for chunk in said):
            writer.add_stream(info)
        for chunk in said:
            writer.write(chunk)
    noon = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    write_sidecar(path, Sidecar("P07", noon, devices={"cap": SERIAL}), [c.info for c in chunks])
    return XdfReader(path)


@pytest.fixture
def lab(tmp_path: Path) -> XdfReader:
    """A recording with everything that there can be in one."""
    cues = Chunk.of(
        CUES, [T0 + 0.1, T0 + 3.002, T0 + 7.0], [["go", "a"], ["go", "b"], ["é\t,", "b"]]
    )
    beats = Chunk.of(BEATS, [T0 + 0.7, T0 + 1.55], [[0.8], [0.85]])
    health = Chunk.of(HEALTH, [T0], [["{}"]])
    events = (
        Event(T0 + 4, EventKind.MARKER, "", "button"),
        Event(T0 + 5, EventKind.GAP, "cap", "0.4 s"),
    )
    return folder(tmp_path / "rec", cap(), belt(), beats, cues, health, events=events)


def exact(path: Path) -> pd.DataFrame:
    """Read a table to the last digit, which pandas does not by itself."""
    return pd.read_csv(path, float_precision="round_trip")


def physio(path: Path) -> tuple[np.ndarray, dict[str, object]]:
    """Read a physio file as its specification says: no head, columns named by the sidecar."""
    sidecar = json.loads(path.with_name(path.name.replace(".tsv.gz", ".json")).read_text("utf-8"))
    with gzip.open(path, "rt", encoding="utf-8") as file:
        table = pd.read_csv(file, sep="\t", header=None, names=sidecar["Columns"])
    return table.to_numpy(), sidecar


def test_tables_hold_what_was_sent(lab: XdfReader, tmp_path: Path) -> None:
    made = export_csv(lab, tmp_path / "csv")
    table = exact(tmp_path / "csv" / "cap.csv")
    assert table.columns.tolist() == ["time", *CAP.channels]
    np.testing.assert_array_equal(table["time"], cap().times)
    np.testing.assert_array_equal(table[list(CAP.channels)].astype("float32"), cap().data)
    table = pd.read_csv(tmp_path / "csv" / "Belt_new.csv")
    np.testing.assert_array_equal(table["resp"], belt().data[:, 0])
    assert pd.read_csv(tmp_path / "csv" / "beats.csv")["rr"].astype("float32").tolist() == [
        np.float32(0.8),
        np.float32(0.85),
    ]
    assert pd.read_csv(tmp_path / "csv" / "health.csv")["status"].tolist() == ["{}"]
    about = json.loads((tmp_path / "csv" / "about.json").read_text("utf-8"))
    assert (about["participant"], about["begin"]) == ("P07", T0)
    assert about["files"]["cap.csv"]["unit"] == "uV"
    rows = {file.path: file.rows for file in made.files}
    assert {"cap.csv": 2475, "Belt_new.csv": 320, "markers.csv": 4, "events.csv": 1}.items() <= (
        rows.items()
    )
    assert {path.name for path in (tmp_path / "csv").iterdir()} == set(rows)


def test_markers_of_people_and_programs_are_one_table(lab: XdfReader, tmp_path: Path) -> None:
    export_csv(lab, tmp_path / "csv")
    table = pd.read_csv(tmp_path / "csv" / "markers.csv").sort_values("time")
    assert table["text"].tolist() == ["go, a", "go, b", "button", "é\t,, b"]
    assert table["stream"].tolist() == ["cues", "cues", "markers", "cues"]
    assert (table["time"] - T0).round(6).tolist() == [0.1, 3.002, 4.0, 7.0]


def test_features_and_estimates_are_those_of_the_live_run(whole: WholeRun, tmp_path: Path) -> None:
    reader = XdfReader(whole.outcome.folder)
    made = export_csv(reader, tmp_path / "csv")
    live = recorded(whole.outcome.folder)
    for modality in ("ecg", "eda"):
        table = exact(tmp_path / "csv" / f"features_{modality}.csv")
        chunks = live[f"biosense-features-{modality}"]
        names = list(chunks[0].info.channels[:-1])
        assert table.columns.tolist() == ["time", *names, "quality", "reason"]
        times = np.concatenate([chunk.times for chunk in chunks])
        values = np.concatenate([chunk.data for chunk in chunks])
        ours = table.set_index("time").loc[times, [*names, "quality"]].to_numpy()
        np.testing.assert_allclose(ours, values, rtol=1e-6)  # recorded in single precision
    table = exact(tmp_path / "csv" / "estimates.csv")
    estimates = live["biosense-affect"]
    assert table.columns.tolist() == ["time", *estimates[0].info.channels]
    np.testing.assert_array_equal(table.iloc[:, 1:], np.concatenate([c.data for c in estimates]))
    assert any("is already the ecg" in note for note in made.notes)


def test_a_folder_that_holds_something_is_refused(lab: XdfReader, tmp_path: Path) -> None:
    export_csv(lab, tmp_path / "csv")
    with pytest.raises(BadInput, match="say --overwrite"):
        export_csv(lab, tmp_path / "csv")
    export_csv(lab, tmp_path / "csv", overwrite=True)
    assert not list((tmp_path / "csv").glob(".*"))


def test_columns_that_are_called_alike_are_numbered(tmp_path: Path) -> None:
    info = StreamInfo("x", None, ("time", "a", "a"), 0.0)
    reader = folder(tmp_path / "rec", Chunk.of(info, [1.0, 2.0], [[1, np.nan, 3], [4, 5, 6]]))
    export_csv(reader, tmp_path / "csv")
    lines = (tmp_path / "csv" / "x.csv").read_text("utf-8").splitlines()
    assert lines == ["time,time-2,a,a-2", "1.0,1.0,,3.0", "2.0,4.0,5.0,6.0"]


def test_a_file_that_was_not_finished_is_not_there(tmp_path: Path) -> None:
    def write() -> None:
        with drafted(tmp_path / "x.csv") as draft:
            draft.write_text("half", "utf-8")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert not list(tmp_path.iterdir())


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
