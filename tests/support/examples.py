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

TABLES = (
    "biosense.datasets.registry:DATASETS",
    "biosense.models.registry:MODELS",
    "biosense.processing.registry:STAGES",
    "biosense.acquisition.registry:SOURCES",
    "biosense.acquisition.ble.drivers.registry:DRIVERS",
)


def table_at(target: str) -> Registry[object]:
    """Return one of `TABLES`."""
    module, _, name = target.partition(":")
    table: Registry[object] = getattr(importlib.import_module(module), name)
    return table


@contextmanager
def registered(name: str) -> Iterator[ModuleType]:
    """Import a template; what it registers is known within this context and not behind it."""
    with ExitStack() as stack:
        for target in TABLES:
            stack.enter_context(patch.dict(table_at(target)._registered))
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
