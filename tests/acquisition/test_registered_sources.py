"""Sources that others bring: found by name, made of what is given, refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from biosense.acquisition.registry import SOURCES, open_source
from biosense.core.clock import SystemClock
from biosense.core.errors import BadInput
from tests.support.examples import registered


def test_a_source_is_made_of_name_and_argument() -> None:
    with registered("own_device") as module:
        source = open_source("wristband:COM3", clock=SystemClock())
        assert isinstance(source, module.Wristband)
        assert open_source("wristband", clock=SystemClock())


def test_a_source_that_is_not_there_is_named() -> None:
    with pytest.raises(BadInput, match="no source 'wristband'; there are: none"):
        open_source("wristband:COM3", clock=SystemClock())


def test_options_that_it_does_not_take_are_named() -> None:
    with registered("own_device"), pytest.raises(BadInput, match=r"'wristband' .*'baud'"):
        open_source("wristband:COM3", clock=SystemClock(), options={"baud": 9600})


def test_what_cannot_be_called_is_refused() -> None:
    with pytest.raises(BadInput, match="wanted a class or function"):
        SOURCES.register("odd", Path("x"))
