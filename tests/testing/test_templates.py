"""The templates below examples/plugins: short, registered under the names that they say, sound."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import biosense as bs
from biosense.acquisition.ble.drivers.registry import DRIVERS
from biosense.acquisition.registry import SOURCES
from biosense.core.registry import Registry
from biosense.datasets.registry import DATASETS
from biosense.models.registry import MODELS
from biosense.processing.registry import STAGES
from tests.support.examples import PLUGINS, registered

TEMPLATES = sorted(PLUGINS.glob("own_*.py"))
PARTS: dict[str, tuple[Registry[object], str]] = {
    "own_ble_driver": (DRIVERS, "dewdrop"),  # type: ignore[dict-item]
    "own_dataset": (DATASETS, "beeps"),  # type: ignore[dict-item]
    "own_device": (SOURCES, "wristband"),  # type: ignore[dict-item]
    "own_model": (MODELS, "sharpest"),  # type: ignore[dict-item]
    "own_stage": (STAGES, "despike"),  # type: ignore[dict-item]
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_is_short_and_says_how_it_is_used(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 60
    said = ast.get_docstring(ast.parse(text)) or ""
    assert "pyproject.toml" in said


@pytest.mark.parametrize("name", PARTS)
def test_a_template_registers_what_it_shows(name: str) -> None:
    table, part = PARTS[name]
    assert part not in table
    with registered(name):
        assert part in table
    assert part not in table


def test_there_is_a_template_for_each() -> None:
    assert {path.stem for path in TEMPLATES} == set(PARTS)


def test_the_stage_passes_and_is_used_by_name() -> None:
    with registered("own_stage") as module:
        bs.testing.check_stage(module.Despike)
        ecg = bs.pipeline("ecg", 130, on_signal=["despike"])
        assert "Despike(limit=0.001)" in repr(ecg.stages)
        signal = bs.simulate(seconds=20, modalities=["ecg"])["sim-ecg"]
        usual = bs.pipeline("ecg", 512, unit=signal.info.unit)
        spiky = signal.data.copy()
        spiky[5000:7000:500] += 20.0
        own = bs.pipeline("ecg", 512, unit=signal.info.unit, on_signal=[module.Despike(0.002)])
        assert not own.run(spiky).equals(usual.run(spiky))
