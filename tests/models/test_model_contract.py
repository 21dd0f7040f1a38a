"""Every fusion family crossed with every check of `biosense.testing.check_model`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any

import pytest

from biosense import models
from biosense.models.base import FusionModel
from biosense.models.families.closed_form import ClosedForm
from biosense.models.families.decision_level import DecisionLevel
from biosense.models.families.stepwise import Stepwise
from biosense.models.registry import MODELS
from biosense.testing.contract import Check
from biosense.testing.model_checks import MODEL_CHECKS
from biosense.testing.model_example import ModelExample

OPTIONS: dict[str, dict[str, Any]] = {
    "gated, reconstructing": {"reconstruct": True},
    "graph, electrodes": {"electrodes": ("Fp1", "Cz", "Oz")},
}
"""Families once more, with what their config can switch on."""


@cache  # families in closed form are fitted once
def example(case: str) -> ModelExample:
    return ModelExample(case.partition(",")[0], OPTIONS.get(case, {}))


@pytest.mark.parametrize("check", MODEL_CHECKS, ids=str)
@pytest.mark.parametrize("case", [*MODELS, *OPTIONS])
def test_every_family_keeps_every_promise(case: str, check: Check[ModelExample]) -> None:
    check(example(case))


def test_every_model_class_is_registered() -> None:
    defined = {
        value
        for found in pkgutil.walk_packages(models.__path__, "biosense.models.")
        for value in vars(importlib.import_module(found.name)).values()
        if isinstance(value, type) and issubclass(value, FusionModel)
    } - {FusionModel, ClosedForm, DecisionLevel, Stepwise}
    assert defined == {family.model for family in MODELS.values()}
