"""`biosense estimate`: the live numbers offline, tables, and recordings that are not whole."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from biosense.acquisition.xdf.writer import XdfWriter
from biosense.core.types import Chunk, StreamInfo
from biosense.models.deployment.checkpoint import Card, save
from biosense.models.registry import build_model
from biosense.processing.pipelines import fingerprints, schema
from tests.support.recorded_runs import recorded


def test_it_repeats_the_live_run_with_the_model_of_the_live_run(biosense, brief) -> None:
    answer = biosense("estimate", brief.folder, "--json")
    assert answer.code == 0
    count = len(recorded(brief.folder)["biosense-affect"])
    assert answer.json == {
        "recording": str(brief.folder),
        "model": str(brief.checkpoint),
        "estimates": count,
        "live": {
            "recorded": count,
            "offline": count,
            "same_times": count,
            "largest_difference": 0.0,
        },
        "out": None,
    }


def test_contributions_are_further_columns_that_sum_to_the_estimate(
    biosense, brief, tmp_path: Path
) -> None:
    plain, explained = tmp_path / "plain.csv", tmp_path / "explained.csv"
    biosense("estimate", brief.folder, "--out", plain)
    answer = biosense("estimate", brief.folder, "--out", explained, "--contributions")
    assert answer.code == 0, answer.err
    before, after = pd.read_csv(plain), pd.read_csv(explained)
    pd.testing.assert_frame_equal(after[before.columns], before)
    modalities = [name.removeprefix("weight_") for name in before if name.startswith("weight_")]
    for target in ("valence", "arousal"):
        names = [f"contribution_{target}_{modality}" for modality in modalities]
        prior = 0.0  # of an untrained model
        np.testing.assert_allclose(after[names].sum(axis=1) + prior, after[target], atol=1e-5)
    assert len(after.columns) == len(before.columns) + 2 * len(modalities)


def test_contributions_without_a_table_are_wrong_use(biosense, brief) -> None:
    assert "--out FILE" in biosense("estimate", brief.folder, "--contributions").complaint


def test_a_person_is_told_the_same(biosense, brief) -> None:
    answer = biosense("estimate", brief.folder)
    assert answer.code == 0
    assert "estimates with model" in answer.err
    assert "largest difference 0" in answer.words
    assert "!" not in answer.err


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_table_has_the_columns_of_the_estimate_stream(
    biosense, brief, tmp_path: Path, ending: str
) -> None:
    out = tmp_path / f"estimates.{ending}"
    answer = biosense("estimate", brief.xdf, "--out", out, "--json")
    assert answer.json["out"] == str(out)
    table = pd.read_csv(out) if ending == "csv" else pd.read_parquet(out)
    chunks = recorded(brief.folder)["biosense-affect"]
    assert tuple(table.columns) == ("time", *chunks[0].info.channels)
    assert tuple(table.columns[:5]) == ("time", "valence", "arousal", "sd_valence", "sd_arousal")
    assert all(name.startswith("weight_") for name in table.columns[5:])
    np.testing.assert_array_equal(table["time"], [chunk.times[0] for chunk in chunks])
    np.testing.assert_allclose(table.iloc[:, 1:], [chunk.data[0] for chunk in chunks], rtol=1e-12)


def test_a_table_that_cannot_be_written_is_said(biosense, brief, tmp_path: Path) -> None:
    reason = biosense("estimate", brief.xdf, "--out", tmp_path / "nowhere" / "x.csv").reason
    assert "nowhere" in reason


def test_a_recording_that_is_not_there_is_said(biosense, tmp_path: Path) -> None:
    reason = biosense("estimate", tmp_path / "nowhere").reason
    assert reason == f"there is no recording at {tmp_path / 'nowhere'}"
    assert "holds 0 .xdf files" in biosense("estimate", tmp_path).reason


@pytest.mark.parametrize("content", [b"", b"not a recording at all", b"\x1f\x8b compressed"])
def test_a_file_of_another_kind_is_said(biosense, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.xdf"
    path.write_bytes(content)
    reason = biosense("estimate", path).reason
    assert str(path) in reason
    assert "no XDF file" in reason or "compressed" in reason


def test_half_a_recording_gives_half_the_estimates_and_says_what_is_missing(
    biosense, brief, cut: Path
) -> None:
    answer = biosense("estimate", cut, "--json")
    assert answer.code == 0
    whole_count = len(recorded(brief.folder)["biosense-affect"])
    assert 0.3 * whole_count < answer.json["estimates"] < 0.7 * whole_count
    assert answer.json["live"]["largest_difference"] == 0.0
    assert "bytes are unreadable" in answer.err


def test_a_recording_of_a_killed_run_is_said_to_be_open(biosense, brief, tmp_path: Path) -> None:
    path = tmp_path / "killed.xdf"
    writer = XdfWriter(path)  # never closed
    chunks = recorded(brief.folder)["sim-eda"]
    writer.add_stream(chunks[0].info)
    for chunk in chunks:
        writer.write(chunk)
    answer = biosense("estimate", path, "--model", brief.checkpoint)
    assert answer.code == 0
    assert "was not closed" in answer.err
    count = len(recorded(brief.folder)["biosense-affect"])
    assert f"{count} estimates with model" in answer.err


def test_a_recording_without_a_usable_stream_is_said(biosense, brief, tmp_path: Path) -> None:
    info = StreamInfo("gaze", None, ("x",), 60.0)
    with XdfWriter(tmp_path / "gaze.xdf") as writer:
        writer.add_stream(info)
        writer.write(Chunk.of(info, [1.0, 2.0], [[0.0], [1.0]]))
    answer = biosense("estimate", tmp_path / "gaze.xdf", "--model", brief.checkpoint, "--json")
    assert answer.json["estimates"] == 0
    assert answer.json["live"] is None
    assert "no estimates" in answer.err


def test_a_checkpoint_of_other_features_is_refused_by_name(biosense, brief, tmp_path: Path) -> None:
    features = {name: (*names[:-1], "smell") for name, names in schema().items()}
    counts = tuple((str(name), len(names)) for name, names in features.items())
    model = build_model("early", {"modalities": counts, "width": 8})
    other = save(
        tmp_path / "other", "early", model, features=features, fingerprints={}, card=Card()
    )
    for command in (
        ["estimate", brief.folder, "--model", other],
        ["live", "--simulate", "--seconds", "1", "--headless", "--model", other],
    ):
        reason = biosense(*command).reason
        assert str(other) in reason
        assert "does not fit these features" in reason
        assert "eda: features missing" in reason
        assert "'smell'" in reason


def test_a_checkpoint_of_another_pipeline_is_refused(biosense, brief, tmp_path: Path) -> None:
    features = schema()
    counts = tuple((str(name), len(names)) for name, names in features.items())
    model = build_model("early", {"modalities": counts, "width": 8})
    prints = fingerprints() | {next(iter(features)): "0123456789abcdef"}
    other = save(
        tmp_path / "old", "early", model, features=features, fingerprints=prints, card=Card()
    )
    reason = biosense("estimate", brief.folder, "--model", other).reason
    assert "the pipeline differs" in reason
    assert "0123456789abcdef" in reason


def test_a_checkpoint_that_is_not_there_is_said(biosense, brief, tmp_path: Path) -> None:
    reason = biosense("estimate", brief.folder, "--model", tmp_path / "best.json").reason
    assert f"no checkpoint file {tmp_path / 'best.json'}" in reason


def test_a_damaged_checkpoint_is_said(biosense, brief, tmp_path: Path) -> None:
    for file in brief.checkpoint.parent.glob("small.*"):
        shutil.copy(file, tmp_path)
    weights = tmp_path / "small.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    assert "is damaged" in biosense("estimate", brief.folder, "--model", tmp_path / "small").reason


def test_a_model_that_changed_since_the_recording_is_noticed(
    biosense, brief, tmp_path: Path
) -> None:
    """Another model under the name that the recording gives."""
    kept = {file: file.read_bytes() for file in brief.checkpoint.parent.glob("small.*")}
    torch.manual_seed(8)
    features = schema()
    counts = tuple((str(name), len(names)) for name, names in features.items())
    model = build_model("early", {"modalities": counts, "width": 8})
    try:
        save(
            brief.checkpoint,
            "early",
            model,
            features=features,
            fingerprints=fingerprints(),
            card=Card(),
        )
        answer = biosense("estimate", brief.folder, "--json")
    finally:
        for file, data in kept.items():
            file.write_bytes(data)
    assert answer.code == 0
    assert "has changed since the recording was made" in answer.err
    assert answer.json["live"]["largest_difference"] > 0
