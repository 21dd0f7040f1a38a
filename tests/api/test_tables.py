"""Features and estimates as tables: the numbers of the live run, to the bit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import biosense as bs
from biosense.core.errors import BadInput
from tests.support.recorded_runs import WholeRun


@pytest.fixture(scope="module")
def rec() -> bs.Recording:
    return bs.simulate(25, modalities=["ecg", "eda"])


def test_estimates_are_those_of_the_live_run(whole: WholeRun) -> None:
    rec = bs.read(whole.outcome.folder)
    live = rec.estimates
    assert live is not None
    offline = bs.estimate(rec, whole.checkpoint)
    both = live.merge(pd.DataFrame(offline), on="time", suffixes=("", "_offline"))
    assert len(both) == len(live) > 100
    for name in ("valence", "arousal", "sd_valence", "sd_arousal"):
        np.testing.assert_array_equal(both[name], both[f"{name}_offline"])


def test_estimates_are_those_of_the_command(rec, tmp_path) -> None:
    from biosense.cli.estimate import estimate

    estimate(rec.path, model="demo", out=tmp_path / "out.csv")
    theirs = pd.read_csv(tmp_path / "out.csv", float_precision="round_trip")
    ours = bs.estimate(rec, "demo")
    assert list(theirs.columns) == list(ours.columns)
    np.testing.assert_array_equal(ours.to_numpy(), theirs.to_numpy())
    assert "simulated" in ours.attrs["warning"]


def test_features_are_those_that_are_exported(rec, tmp_path) -> None:
    bs.export(rec, tmp_path / "tables")
    wide = bs.features(rec, modalities=["ecg"]).wide()["ecg"]
    files = [path for path in (tmp_path / "tables").rglob("*.csv") if "feature" in path.name]
    theirs = next(t for t in map(pd.read_csv, files) if set(wide.columns) <= set(t.columns))
    np.testing.assert_allclose(wide.to_numpy(), theirs[list(wide.columns)].to_numpy(), rtol=1e-12)
    np.testing.assert_allclose(wide.index, theirs["time"], rtol=1e-15)


def test_a_pipeline_on_an_array_gives_the_features_of_the_recording(rec) -> None:
    ecg = rec["sim-ecg"]
    heart = bs.pipeline("ecg", sfreq=512, unit=ecg.info.unit)
    whole = heart.run(ecg.data, ecg.times)
    theirs = bs.features(rec, modalities=["ecg"])
    np.testing.assert_array_equal(whole["value"], theirs["value"])
    cuts = [slice(k, k + 999) for k in range(0, ecg.n, 999)]
    parts = [heart.push(ecg.data[cut], ecg.times[cut]) for cut in cuts]
    again = pd.concat([*parts, heart.flush()])
    np.testing.assert_array_equal(again["value"], whole["value"])
    assert heart.run(np.empty((0, 1))).empty


def test_features_stay_features_when_rows_are_taken(rec) -> None:
    table = bs.features(rec)
    some = table[table["modality"] == "eda"]
    assert isinstance(some, bs.Features)
    assert some.wide().columns.get_level_values("modality").unique().tolist() == ["eda"]
    assert some.plot("phasic").axes[0].get_title("left") == "phasic"
    with pytest.raises(BadInput, match=r"no feature 'phsic' \(did you mean 'phasic'\?\)"):
        some.plot("phsic")
    assert "phasic" in some._repr_html_()
    assert not isinstance(table[["time"]], bs.Features)


def test_pictures_and_tables_of_estimates(rec) -> None:
    table = bs.estimate(rec, bs.load_model("demo"))
    assert isinstance(table.tail(3), bs.Estimates)
    titles = [axes.get_title("left") for axes in table.plot().axes]
    assert titles == ["valence (-1 to 1)", "arousal (-1 to 1)", "weights (shares)"]
    assert "valence" in table._repr_html_()
    with pytest.raises(BadInput, match="there is no estimate"):
        table.head(0).plot()


def test_a_model_that_knows_none_of_the_streams_says_so() -> None:
    rec = bs.simulate(5, modalities=["eeg"])
    with pytest.warns(UserWarning, match="the model knows ecg, eda, ppg; streams of the recording"):
        assert bs.estimate(rec).empty


def test_wrong_names_are_answered(rec) -> None:
    with pytest.raises(BadInput, match="did you mean 'ecg'"):
        bs.pipeline("ecgg", sfreq=100)
    with pytest.raises(BadInput, match="names of its electrodes"):
        bs.pipeline("eeg", sfreq=250)
    with pytest.raises(BadInput, match=r"shape \(4, 2\); wanted \(n, 1\) or \(n,\)"):
        bs.pipeline("ecg", sfreq=100).push(np.zeros((4, 2)))
    with pytest.raises(BadInput, match="no modality 'blood'"):
        bs.features(rec, modalities=["blood"])
    with pytest.raises(BadInput, match="nowhere"):
        bs.load_model("nowhere")
