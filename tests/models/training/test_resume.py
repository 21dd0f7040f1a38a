"""An interrupted training goes on as if nothing had happened, or says why it cannot."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from biosense.core.errors import BadInput, CheckpointMismatch
from biosense.models.sequences import LabelledSequence
from biosense.models.training.train import Progress, Trained, TrainingSettings, train

MakeToy = Callable[..., list[LabelledSequence]]
SHORT = TrainingSettings(width=8, epochs=4, batches=2, crop_s=(10.0, 15.0), batch=4)


class Killed(Exception):
    """Stands for a power cut behind an epoch."""


def killed_at(epoch: int) -> Callable[[Progress], None]:
    def kill(now: Progress) -> None:
        if now.epoch == epoch:
            raise Killed

    return kill


def fit(toys: list[LabelledSequence], file: Path | None = None, **more: object) -> Trained:
    ticks = itertools.count(0.0, 1.0)
    settings = {"settings": SHORT, "clock": lambda: next(ticks), "device": "cpu", **more}
    return train("gated", toys, resume=file, **settings)  # type: ignore[arg-type]


def same(a: Trained, b: Trained) -> bool:
    mine, theirs = a.model.state_dict(), b.model.state_dict()
    return all(torch.equal(mine[key], theirs[key]) for key in mine)


@pytest.mark.parametrize("epoch", [1, 3])
def test_a_resumed_run_equals_the_uninterrupted_to_the_bit(
    make_toy: MakeToy, tmp_path: Path, epoch: int
) -> None:
    toys, file = make_toy(4, 80), tmp_path / "state"
    whole = fit(toys)
    with pytest.raises(Killed):
        fit(toys, file, progress=killed_at(epoch))
    torch.manual_seed(99)  # another process has another random state
    resumed = fit(toys, file)
    assert same(resumed, whole)
    scores = [(now.epoch, now.loss, now.validation_ccc) for now in resumed.history]
    assert scores == [(now.epoch, now.loss, now.validation_ccc) for now in whole.history]


def test_a_finished_run_is_not_trained_again(make_toy: MakeToy, tmp_path: Path) -> None:
    toys, file = make_toy(4, 80), tmp_path / "state"
    first, reports = fit(toys, file), list[Progress]()
    again = fit(toys, file, progress=reports.append)
    assert same(first, again)
    assert again.history == first.history
    assert reports == []


def test_the_time_before_the_interruption_counts(make_toy: MakeToy, tmp_path: Path) -> None:
    toys, file = make_toy(3, 60), tmp_path / "state"
    with pytest.raises(Killed):
        fit(toys, file, progress=killed_at(2))
    assert [now.seconds for now in fit(toys, file).history] == [1.0, 2.0, 3.0, 4.0]


def test_a_state_of_another_training_is_refused(make_toy: MakeToy, tmp_path: Path) -> None:
    toys, file = make_toy(3, 60), tmp_path / "state"
    with pytest.raises(Killed):
        fit(toys, file, progress=killed_at(1))
    with pytest.raises(CheckpointMismatch, match="state of another training"):
        fit(toys, file, settings=replace(SHORT, seed=1))
    moved = [replace(toys[0], target=-toys[0].target), *toys[1:]]
    with pytest.raises(CheckpointMismatch, match="settings or data differ"):
        fit(moved, file)


def test_a_damaged_state_is_refused_and_not_run(make_toy: MakeToy, tmp_path: Path) -> None:
    toys, file = make_toy(3, 60), tmp_path / "state"
    file.write_bytes(b"cos\nsystem\n(S'true'\ntR.")  # what would run if it were unpickled
    with pytest.raises(CheckpointMismatch, match="no state of a training"):
        fit(toys, file)


def test_a_gpu_that_is_not_there_is_refused(
    make_toy: MakeToy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BadInput, match="torch finds no GPU"):
        fit(make_toy(3, 60), device="cuda")
