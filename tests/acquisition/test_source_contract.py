"""Every source crossed with every check of `biosense.testing.check_source`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from biosense.testing.contract import Check
from biosense.testing.source_checks import SOURCE_CHECKS, what_is_absent_is_named
from biosense.testing.source_example import SourceExample
from tests.support.sources import ABSENT, SOURCES


@pytest.mark.parametrize("check", SOURCE_CHECKS, ids=str)
@pytest.mark.parametrize("name", SOURCES)
def test_every_source_keeps_every_promise(
    name: str, check: Check[SourceExample], tmp_path: Path
) -> None:
    with ExitStack() as stack:
        check(SOURCES[name](tmp_path, stack))


@pytest.mark.parametrize("name", ABSENT)
def test_what_is_absent_is_named(name: str, tmp_path: Path) -> None:
    what_is_absent_is_named(SourceExample(ABSENT[name](tmp_path), asked="nobody"))
