"""The command line in this process, and recordings for it to look at."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from biosense.acquisition.xdf.chunk_scanner import ChunkScanner
from biosense.acquisition.xdf.layout import Tag
from biosense.acquisition.xdf.recording_folder import XDF_NAME
from biosense.cli.app import main
from biosense.core.types import Modality
from biosense.estimation.load_model import load_model
from biosense.live.run import Run
from tests.support.recorded_runs import carry_out, sensor, small_checkpoint
from tests.support.scripted import Scripted, chunked
from tests.support.virtual_clock import VirtualClock


@dataclass(frozen=True)
class Answer:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The last line of standard output, which must be strict JSON."""

        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} is no JSON")

        values = json.loads(self.out.splitlines()[-1], parse_constant=refuse)
        assert isinstance(values, dict)
        return values

    @property
    def words(self) -> str:
        """Standard error without its line breaks."""
        return " ".join(self.err.split())

    @property
    def reason(self) -> str:
        """The one line that says what went wrong; there is no traceback."""
        assert self.code == 1
        assert "Traceback" not in self.err
        (line,) = (line for line in self.err.splitlines() if line.startswith("error: "))
        return line.removeprefix("error: ")

    @property
    def complaint(self) -> str:
        """The complaint of wrong use, without the box that is drawn around it."""
        assert self.code == 2
        assert "Traceback" not in self.err
        return " ".join(self.err.replace("│", " ").split())


Biosense = Callable[..., Answer]


@pytest.fixture
def biosense(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Biosense:
    """Run a command as `biosense` on a command line would."""
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)

    def run(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["biosense", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Answer(int(ended.value.code or 0), said.out, said.err)

    return run


@dataclass(frozen=True)
class Brief:
    """A recording of 12 s of EDA, and the model that estimated it."""

    folder: Path
    checkpoint: Path

    @property
    def xdf(self) -> Path:
        return self.folder / XDF_NAME


@pytest.fixture(scope="session")
def brief(tmp_path_factory: pytest.TempPathFactory) -> Brief:
    folder = tmp_path_factory.mktemp("brief")
    checkpoint = small_checkpoint(folder / "small")
    clock, eda = VirtualClock(), list(chunked(sensor(Modality.EDA, 12.0)))
    runs: list[Run] = []

    def keep_up() -> None:
        """Wait for processing, so that estimates stand beside their samples in the file."""
        active = runs[0]._active
        while active is not None and active._processing.waiting:
            time.sleep(1e-4)

    outcome = carry_out(
        [Scripted(clock, [eda[0].info], chain.from_iterable((chunk, keep_up) for chunk in eda))],
        clock,
        prepare=runs.append,
        loaded=load_model(str(checkpoint)),
        record=folder / "recordings",
        model_name=str(checkpoint),
    )
    return Brief(outcome.folder, checkpoint)


@pytest.fixture
def cut(brief: Brief, tmp_path: Path) -> Path:
    """A recording that was cut in half, in the middle of a chunk of samples of sim-eda."""
    path = tmp_path / "cut.xdf"
    data = brief.xdf.read_bytes()
    chunks = list(ChunkScanner(data))
    eda = next(c.stream_id for c in chunks if b"<name>sim-eda</name>" in c.content)
    middle = [(c.start + c.stop) // 2 for c in chunks if (c.tag, c.stream_id) == (Tag.SAMPLES, eda)]
    path.write_bytes(data[: next(at for at in middle if at > len(data) / 2)])
    return path
