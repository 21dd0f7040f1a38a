"""Checkpoints: round trip, refusal by name, damage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from biosense import __version__
from biosense.core.errors import BadInput, CheckpointMismatch
from biosense.core.types import Modality
from biosense.models.base import FusionModel
from biosense.models.deployment import checkpoint
from biosense.models.deployment.card import Card
from biosense.models.deployment.checkpoint import SHIPPED, check_compatible, load, save
from biosense.models.registry import build_model

FEATURES = {Modality.EDA: ("scl", "scr"), Modality.ECG: ("hr", "rmssd", "sdnn")}
PRINTS = {Modality.EDA: "aaaa", Modality.ECG: "bbbb"}
CARD = Card(
    data="12 simulated participants",
    warning="not for people",
    subjects=12,
    sequences=12,
    hours=1.5,
    validation_subjects=("p1", "p2"),
    metrics={"valence": {"ccc": 0.5, "nll": None}, "arousal": {"ccc": 0.6}},
    settings={"seed": 3, "crop_s": [120.0, 240.0]},
)


@pytest.fixture
def model() -> FusionModel:
    torch.manual_seed(0)
    return build_model("early", {"modalities": (("eda", 2), ("ecg", 3)), "width": 8})


@pytest.fixture
def saved(model: FusionModel, tmp_path: Path) -> Path:
    return save(
        tmp_path / "out" / "mine",
        "early",
        model,
        features=FEATURES,
        fingerprints=PRINTS,
        card=CARD,
    )


def test_everything_said_comes_back(saved: Path, model: FusionModel) -> None:
    loaded = load(saved)
    info = loaded.info
    assert info.card == CARD
    assert (info.model, info.hop, info.version) == ("early", 0.25, __version__)
    assert (info.features, info.fingerprints) == (FEATURES, PRINTS)
    assert loaded.model.config == model.config
    assert not loaded.model.training
    state = loaded.model.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize("ending", ["", ".json", ".safetensors"])
def test_a_pair_is_found_by_its_name_or_either_file(saved: Path, ending: str) -> None:
    assert load(saved.with_name(f"mine{ending}")).info.model == "early"


def test_names_with_dots_and_folders_work(model: FusionModel, tmp_path: Path) -> None:
    for path in (tmp_path / "v1.2", tmp_path):
        save(path, "early", model, features=FEATURES, fingerprints={}, card=Card())
        assert load(path).info.features == FEATURES
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == [
        "checkpoint.json",
        "checkpoint.safetensors",
        "v1.2.json",
        "v1.2.safetensors",
    ]


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_shipped_names_lead_to_shipped_files(
    saved: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for ending in ("json", "safetensors"):
        saved.with_suffix(f".{ending}").rename(saved.with_name(f"{SHIPPED[name]}.{ending}"))
    monkeypatch.setattr(checkpoint, "_FOLDER", saved.parent)
    assert load(name).info.card == CARD
    assert name != "default" or load().info == load("default").info


def test_a_missing_checkpoint_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no checkpoint file .*none\.json.*biosense train"):
        load(tmp_path / "none")


def test_saving_refuses_names_that_do_not_describe_the_model(
    model: FusionModel, tmp_path: Path
) -> None:
    for names in (("scl",), ("scl", "scl"), ()):
        with pytest.raises(BadInput, match="2 features of eda"):
            save(
                tmp_path / "x",
                "early",
                model,
                features={**FEATURES, Modality.EDA: names},
                fingerprints={},
                card=Card(),
            )
    with pytest.raises(BadInput, match="not one of family 'cross_attention'"):
        save(
            tmp_path / "x",
            "cross_attention",
            model,
            features=FEATURES,
            fingerprints={},
            card=Card(),
        )
    assert not list(tmp_path.iterdir())


def test_fitting_features_pass_and_absent_or_unknown_modalities_do_not_matter(saved: Path) -> None:
    info = load(saved).info
    check_compatible(info, FEATURES, PRINTS)
    check_compatible(info, {Modality.EDA: ("scl", "scr"), Modality.FACE: ("smile",)}, {})
    check_compatible(info, {m: list(names) for m, names in FEATURES.items()}, {})


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("scl",), "eda: features missing: ['scr']"),
        (("scl", "scr", "hue"), "eda: features that the model does not know: ['hue']"),
        (("scr", "scl"), "eda: features are in another order"),
        (("scr", "hue"), "eda: features missing: ['scl']\neda: features that the model does not"),
    ],
)
def test_other_features_are_refused_by_name(
    saved: Path, names: tuple[str, ...], words: str
) -> None:
    with pytest.raises(CheckpointMismatch) as caught:
        check_compatible(load(saved).info, {**FEATURES, Modality.EDA: names}, PRINTS)
    assert words in str(caught.value)
    assert "ecg" not in str(caught.value)


def test_another_pipeline_is_refused_by_modality(saved: Path) -> None:
    with pytest.raises(CheckpointMismatch, match=r"ecg: the pipeline differs: .*bbbb.*cccc") as e:
        check_compatible(load(saved).info, FEATURES, {**PRINTS, Modality.ECG: "cccc"})
    assert "eda" not in str(e.value)


def test_nothing_in_common_is_refused(saved: Path) -> None:
    with pytest.raises(CheckpointMismatch, match=r"knows eda, ecg .* of face: nothing in common"):
        check_compatible(load(saved).info, {Modality.FACE: ("smile",)}, {})


def test_one_flipped_bit_in_the_weights_is_noticed(saved: Path) -> None:
    weights = saved.with_suffix(".safetensors")
    raw = bytearray(weights.read_bytes())
    raw[-3] ^= 1
    weights.write_bytes(raw)
    with pytest.raises(CheckpointMismatch, match=r"mine\.safetensors is damaged"):
        load(saved)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 1}', '{"format": 1, "card": 3}'])
def test_a_damaged_description_is_refused(saved: Path, text: str) -> None:
    saved.write_text(text)
    with pytest.raises(CheckpointMismatch, match=r"mine\.json is not a checkpoint's description"):
        load(saved)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 9}, "format 9"),
        ({"model": "telepathy"}, "not here: no model 'telepathy'.*install the package"),
        ({"settings": {"modalities": [["eda", 2]], "mood": 1}}, "mood"),
        ({"settings": {"modalities": [["eda", 2], ["ecg", 3]], "width": 9}}, "do not fit"),
        ({"settings": {"modalities": "eda"}}, "describes no model"),
        ({"features": {"aura": ["a"]}}, "aura"),
    ],
)
def test_descriptions_from_another_world_are_refused(
    saved: Path, change: dict[str, object], words: str
) -> None:
    saved.write_text(json.dumps({**json.loads(saved.read_text()), **change}))
    with pytest.raises(CheckpointMismatch, match=words):
        load(saved)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_shipped_checkpoint_says_what_it_is_and_what_it_is_not_for(name: str) -> None:
    info = load(name).info
    assert info.card.warning
    assert info.card.data
    assert set(info.features) == set(info.fingerprints)
