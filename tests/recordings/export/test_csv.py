"""Tables hold the numbers of the recording."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.errors import BadInput
from biosense.core.types import Chunk, StreamInfo
from biosense.recordings.export.csv import export_csv
from biosense.recordings.export.result import drafted
from tests.support.lab_recording import (
    CAP,
    T0,
    belt,
    cap,
    folder,
)
from tests.support.recorded_runs import WholeRun, recorded


def exact(path: Path) -> pd.DataFrame:
    """Read a table to the last digit, which pandas does not by itself."""
    return pd.read_csv(path, float_precision="round_trip")


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
