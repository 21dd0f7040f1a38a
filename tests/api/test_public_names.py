"""`import biosense` is quick and light, and knows every name that it offers."""

import subprocess
import sys
from pathlib import Path

import pytest

import biosense as bs

HEAVY = {"torch", "PySide6", "mne", "bleak", "cv2", "pandas", "scipy", "matplotlib", "numpy"}


def test_every_name_is_there_and_offered() -> None:
    for name in bs.__all__:
        assert getattr(bs, name) is not None, name
    assert set(dir(bs)) == set(bs.__all__)
    assert 20 <= len(bs.__all__) <= 32
    with pytest.raises(AttributeError, match="no attribute 'estimte'"):
        bs.estimte  # noqa: B018


def test_importing_loads_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import biosense, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert {name.split(".")[0] for name in done.stdout.split()} & HEAVY == set()


def test_what_users_write_has_types(tmp_path: Path) -> None:
    api = pytest.importorskip("mypy.api")
    script = tmp_path / "script.py"
    script.write_text(
        "import biosense as bs\n"
        "rec = bs.read('REC')\n"
        "reveal_type(rec)\n"
        "reveal_type(bs.features(rec))\n"
        "reveal_type(bs.study('deap', fabricate=True))\n"
        "bs.read(3)\n",
        encoding="utf-8",
    )
    cache = Path(__file__).resolve().parents[2] / ".mypy_cache"
    said, _, _ = api.run(["--strict", "--cache-dir", str(cache), str(script)])
    assert 'script.py:3: note: Revealed type is "biosense.api.recording.Recording"' in said
    assert 'script.py:4: note: Revealed type is "biosense.api.features.Features"' in said
    assert 'script.py:5: note: Revealed type is "biosense.api.study.Study"' in said
    assert "script.py:6: error: Argument 1" in said
