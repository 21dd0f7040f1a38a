"""Every stage crossed with every check of `biosense.testing.check_stage`."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import is_dataclass

import pytest

import biosense.processing
from biosense.testing.contract import Check
from biosense.testing.stage_checks import STAGE_CHECKS, StageExample
from biosense.testing.stage_examples import STAGE_EXAMPLES


@pytest.mark.parametrize("check", STAGE_CHECKS, ids=str)
@pytest.mark.parametrize("name", list(STAGE_EXAMPLES))
def test_every_stage_keeps_every_promise(name: str, check: Check[StageExample]) -> None:
    check(STAGE_EXAMPLES[name])


def test_every_stage_is_in_the_table() -> None:
    listed = {type(example.make()) for example in STAGE_EXAMPLES.values()}
    found = set()
    for module in pkgutil.walk_packages(biosense.processing.__path__, "biosense.processing."):
        for value in vars(importlib.import_module(module.name)).values():
            if (
                isinstance(value, type)
                and value.__module__ == module.name
                and is_dataclass(value)
                and all(hasattr(value, method) for method in ("start", "push", "flush"))
            ):
                found.add(value)
    missing = {  # what stages have in common is seen with them
        value.__qualname__
        for value in found
        if not any(issubclass(stage, value) for stage in listed)
    }
    assert not missing, f"put an example into biosense/testing/stage_examples.py: {missing}"
