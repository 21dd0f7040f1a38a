"""A recording through the public door: the same numbers as through every other."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import pyxdf

import biosense as bs
from biosense.core.errors import BadInput, RecordingDamaged
from tests.support.recorded_runs import MARK, WholeRun


@pytest.fixture(scope="module")
def rec() -> bs.Recording:
    return bs.simulate(30, modalities=["eeg", "ecg", "eda"], markers=[(5, "film 1"), (20, "rest")])


def test_a_recording_opens_by_text_and_by_path(whole: WholeRun) -> None:
    folder = whole.outcome.folder
    assert bs.read(str(folder)).streams == bs.read(folder).streams
    assert bs.read(str(folder / "recording.xdf")).path == folder / "recording.xdf"


def test_streams_are_those_that_pyxdf_reads(rec: bs.Recording) -> None:
    theirs, _ = pyxdf.load_xdf(rec.path, synchronize_clocks=False, dejitter_timestamps=False)
    for stream in theirs:
        name = stream["info"]["name"][0]
        if name != "markers":
            np.testing.assert_array_equal(rec[name].data, stream["time_series"])
            np.testing.assert_allclose(rec[name].times, stream["time_stamps"], rtol=0, atol=1e-9)


def test_every_kind_of_stream_of_a_whole_run_can_be_had(whole: WholeRun) -> None:
    rec = bs.read(whole.outcome.folder)
    assert MARK in [marker.text for marker in rec.markers]
    for name in rec:
        assert rec[name].info.name == name
    assert rec["triggers"].info.is_text
    assert len(rec.to_pandas("sim-ecg")) == rec["sim-ecg"].n
    long = rec.to_pandas()
    assert set(long["stream"]) == {name for name in rec if not rec.streams[name].is_text}
    assert rec.events
    assert rec.check().closed


def test_tables_and_arrays_hold_the_samples(rec: bs.Recording) -> None:
    table = rec.to_pandas("sim-eda")
    np.testing.assert_array_equal(table["eda"], rec["sim-eda"].data[:, 0])
    assert rec.to_xarray("sim-eda").dims == ("time", "channel")
    assert "sim-eda" in rec.to_xarray()


def test_mne_gets_volts_markers_and_the_chosen_signal(rec: bs.Recording) -> None:
    raw = rec.to_mne()  # the EEG
    assert raw.get_channel_types()[0] == "eeg"
    assert [text for text in raw.annotations.description if "BAD" not in text] == ["film 1", "rest"]
    assert np.abs(raw.get_data()).max() < 1e-3
    assert rec.to_mne("sim-ecg").ch_names == ["ecg"]


@pytest.mark.parametrize(
    ("wanted", "count"),
    [("film*", 1), (["film 1", "rest"], 2), (re.compile("film|rest"), 2), ([1010.0, 1012.5], 2)],
)
def test_epochs_are_cut_around_what_is_named(rec: bs.Recording, wanted: object, count: int) -> None:
    epochs = rec.epochs(wanted, -1, 5, stream="sim-ecg")
    assert epochs.data.shape == (count, 6 * 512 + 1, 1)
    assert epochs.times[0] == -1.0
    assert len(epochs.to_pandas()) == count * (6 * 512 + 1)
    assert len(epochs.to_mne()) == count
    assert epochs.to_xarray().dims == ("epoch", "time", "channel")


def test_an_epoch_past_the_end_is_told_as_that(rec: bs.Recording) -> None:
    epochs = rec.epochs([rec.begin + 29.0], -1, 5, stream="sim-ecg")
    assert len(epochs) == 0
    assert epochs.report.verdicts[0].reason == "past the end"


def test_wrong_names_are_answered_with_the_right_ones(rec: bs.Recording, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="did you mean 'sim-ecg'"):
        rec["sim-ecgs"]
    with pytest.raises(BadInput, match=r"no marker 'flim' .*; there are: film 1, rest"):
        rec.epochs("flim", -1, 1)
    with pytest.raises(BadInput, match="there is no recording at"):
        bs.read(tmp_path / "nowhere")
    (tmp_path / "text.xdf").write_text("no")
    with pytest.raises(RecordingDamaged, match="no XDF file"):
        bs.read(tmp_path / "text.xdf")


def test_a_file_that_is_cut_off_is_read_as_far_as_it_goes(
    rec: bs.Recording, tmp_path: Path
) -> None:
    data = rec.path.read_bytes()
    (tmp_path / "cut.xdf").write_bytes(data[: len(data) // 2])
    cut = bs.read(tmp_path / "cut.xdf")
    assert 0 < cut["sim-ecg"].n < rec["sim-ecg"].n
    assert not cut.check().closed


def test_a_notebook_shows_streams_and_no_markup_of_senders(rec: bs.Recording) -> None:
    hostile = bs.simulate(3, modalities=["eda"], markers=[(1, "<script>alert(1)</script>")])
    epochs = hostile.epochs([1001.5], -0.5, 0.5)
    for shown in (rec._repr_html_(), hostile._repr_html_(), epochs._repr_html_()):
        assert "<script" not in shown
    assert all(name in rec._repr_html_() for name in rec)


def test_a_picture_has_a_row_for_each_signal(rec: bs.Recording) -> None:
    figure = rec.plot()
    assert len(figure.axes) == 4  # with the truth
    assert figure.axes[-1].get_xlabel() == "time from the beginning (s)"
    assert [axes.get_title("left") for axes in figure.axes[1:3]] == ["sim-ecg (mV)", "sim-eda (µS)"]
    assert len(rec.plot(["sim-ecg"]).axes) == 1
