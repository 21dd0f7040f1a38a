"""A package of plug-ins, found as an installed one is, and used from end to end by its names."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import biosense as bs
from biosense.acquisition.registry import open_source
from biosense.core.types import Modality
from biosense.estimation.load_model import load_model
from biosense.estimation.processor import ProcessorSettings
from biosense.live.config.run_settings import RunSettings
from biosense.live.output.summary import RunSummary
from biosense.live.run import Run
from biosense.processing.registry import ExtraStage
from tests.support.examples import PLUGINS
from tests.support.plugins import as_a_new_process, install, install_project
from tests.support.recorded_runs import compare

SPEED = 20.0


class Fast:
    """Session time that runs 20 times as fast as the clock on the wall."""

    def now(self) -> float:
        return SPEED * time.monotonic()


async def sleep(seconds: float) -> None:
    await asyncio.sleep(seconds / SPEED)


@pytest.fixture
def toys(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "site-packages"
    place.mkdir()
    install_project(PLUGINS, place)
    with as_a_new_process(place):
        yield place


def test_they_are_listed_with_their_package(biosense, toys: Path) -> None:
    listed = biosense("plugins", "--json").json["plugins"]
    assert {each["name"] for each in listed} == {
        *("beeps", "despike", "dewdrop", "sharpest", "wristband"),
    }
    assert {(each["package"], each["problem"]) for each in listed} == {("biosense-toys 0.1", "")}
    assert "stage despike of biosense-toys 0.1" in biosense("plugins").words


def test_one_that_is_broken_is_named_where_it_is_asked_for_and_spoils_nothing(
    biosense, toys: Path
) -> None:
    group = {"biosense.datasets": {"broken": "broken_toys:Broken"}}
    install(toys, "broken-toys", group, {"broken_toys": "import nowhere_at_all"})
    reason = "data set 'broken' of broken-toys 0.1 cannot be used: ModuleNotFoundError"
    study = biosense("study", "broken", "--protocol", "subject", "--root", toys)
    assert reason in study.complaint
    listed = biosense("datasets", "--json").json["datasets"]
    assert {"beeps", "deap"} <= {each["name"] for each in listed}
    assert "cannot be used: ModuleNotFoundError" in biosense("plugins").words


def test_a_run_opens_the_device_by_name(biosense, toys: Path, tmp_path: Path) -> None:
    answer = biosense(
        *("live", "--source", "wristband:COM3", "--seconds", 1, "--headless", "--no-model"),
        *("--record", tmp_path, "--preflight", 0, "--json"),
    )
    assert answer.code == 0, answer.err
    recording = bs.read(answer.json["recording"])
    assert recording["wristband"].data.shape[1] == 1
    assert recording["wristband"].info.unit == "uS"
    assert (
        "no wristband at 'nowhere'"
        in biosense(
            *("live", "--source", "wristband:nowhere", "--seconds", 1, "--headless", "--no-model")
        ).reason
    )


def test_a_study_reads_the_data_set_and_judges_the_model(
    biosense, toys: Path, tmp_path: Path
) -> None:
    answer = biosense(
        *("study", "beeps", "--protocol", "subject", "--fabricate", "--quick", "--people", 5),
        *("--model", "sharpest", "--out", tmp_path / "out", "--json"),
    )
    assert answer.code == 0, answer.err
    assert {"sharpest", "plain ridge"} <= {row["name"] for row in answer.json["results"]}
    assert (tmp_path / "out" / "report.html").is_file()


def test_the_model_is_trained_kept_and_estimates_what_the_device_and_the_stage_give(
    biosense, toys: Path, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "toy"
    trained = biosense(
        *("train", "beeps", "--fabricate", "--people", 4, "--model", "sharpest"),
        *("--epochs", 1, "--jobs", 1, "--out", checkpoint),
    )
    assert trained.code == 0, trained.err
    loaded = load_model(str(checkpoint))
    assert type(loaded.model).__name__ == "Sharpest"
    assert loaded.model.modalities == (Modality.EDA,)
    stages = (ExtraStage(Modality.EDA, "despike", options=(("limit", 1e-6),)),)

    async def run() -> RunSummary:
        source = open_source("wristband:COM3", clock=Fast())
        settings = RunSettings(
            seconds=30.0,
            record=tmp_path,
            model_name=str(checkpoint),
            processor=ProcessorSettings(stages=stages),
        )
        running = Run([source], settings=settings, clock=Fast(), loaded=loaded, sleep=sleep)
        return await running.run()

    summary = asyncio.run(run())
    assert summary.recording is not None
    found = compare(Path(summary.recording), loaded)
    assert found.recorded > 40
    assert (found.recorded, found.largest_difference) == (found.same_times, 0.0)
    estimates = bs.estimate(summary.recording)
    assert len(estimates) == found.recorded
    assert np.isfinite(estimates["valence"]).all()
