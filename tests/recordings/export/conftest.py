"""A recording to export."""

from pathlib import Path

import pytest

from biosense.acquisition.xdf.reader import XdfReader
from tests.support.lab_recording import lab_recording


@pytest.fixture
def lab(tmp_path: Path) -> XdfReader:
    return lab_recording(tmp_path / "rec")
