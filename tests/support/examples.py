"""The templates below examples/, imported as a user has them: as modules outside of the package."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

from biosense.core.registry import Registry

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PLUGINS = EXAMPLES / "plugins"

_TABLES = (
    "biosense.datasets.registry:DATASETS",
    "biosense.models.registry:MODELS",
    "biosense.processing.registry:STAGES",
    "biosense.acquisition.registry:SOURCES",
    "biosense.acquisition.ble.registry:DRIVERS",
)


@contextmanager
def registered(name: str) -> Iterator[ModuleType]:
    """Import a template; what it registers is known within this context and not behind it."""
    with ExitStack() as stack:
        for target in _TABLES:
            module, _, table = target.partition(":")
            known: Registry[object] = getattr(importlib.import_module(module), table)
            stack.enter_context(patch.dict(known._registered))
        yield _imported(name)


def template(name: str) -> ModuleType:
    """Import a template without leaving behind what it registers."""
    with registered(name) as module:
        return module


def _imported(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, PLUGINS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with patch.dict(sys.modules, {name: module}):
        spec.loader.exec_module(module)
    return module
