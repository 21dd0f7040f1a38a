"""`biosense train`: from simulated people to a checkpoint that runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biosense.core.types import Modality
from biosense.estimation.load_model import load_model
from biosense.studies.features import simulated as simulated_people
from tests.support.recorded_runs import recorded


def test_a_model_of_simulated_people_is_saved_and_estimates(
    biosense, brief, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # two sensors instead of six: what is tested is the way from people to a checkpoint
    monkeypatch.setattr(simulated_people, "ALL_MODALITIES", (Modality.ECG, Modality.EDA))
    out = tmp_path / "new" / "mine"
    answer = biosense(
        *("train", "simulated", "--out", out, "--people", 4, "--minutes", 1),
        *("--epochs", 1, "--model", "early", "--jobs", 1, "--seed", 7),
    )
    assert answer.code == 0, answer.err
    assert "epoch 1 of 1: CCC" in answer.words
    loaded = load_model(str(out))
    assert loaded.model.modalities == (Modality.ECG, Modality.EDA)
    card = loaded.info.card
    assert card.subjects == 4
    assert "4 simulated participants, 1 min each" in card.data
    assert "--people 4 --minutes 1 --model early --epochs 1 --seed 7" in card.data
    assert "no evidence about people" in card.warning
    estimated = biosense("estimate", brief.folder, "--model", out, "--json")
    assert estimated.json["estimates"] == len(recorded(brief.folder)["biosense-affect"])
    assert np.isfinite(estimated.json["live"]["largest_difference"])
