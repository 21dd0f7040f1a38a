"""A family from outside of the package: its class and one registration are all that it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from biosense.core.affect import FusionInput
from biosense.core.grid import HOP
from biosense.core.types import Modality
from biosense.models.base import FusionModel, FusionOutput, State, TrainingRun
from biosense.models.batches import collate
from biosense.models.deployment.checkpoint import load, save
from biosense.models.deployment.streaming import StreamingEstimator
from biosense.models.evaluation.evaluate import predict
from biosense.models.families.stepwise import Fused, Stepwise, StepwiseConfig, masked_softmax
from biosense.models.families.table import Family
from biosense.models.layers.evidence import evidence, fade, next_age
from biosense.models.layers.feature_inputs import FeatureInputs
from biosense.models.layers.gaussian_head import PriorBlend
from biosense.models.registry import MODELS
from biosense.models.sequences import LabelledSequence
from biosense.models.training.personalise import can_be_personal, personalise
from biosense.models.training.settings import Progress, TrainingSettings
from biosense.models.training.train import Trained, train

MakeToy = Callable[..., list[LabelledSequence]]
SETTINGS = TrainingSettings(width=8, epochs=2, batches=4, crop_s=(15.0, 25.0), batch=4)


@dataclass(frozen=True)
class PlaneConfig:
    modalities: tuple[tuple[str, int], ...]
    hop: float = HOP
    window_s: float = 4.0


class Plane(FusionModel):
    """A linear map of the features now, fitted by least squares."""

    slope: Tensor
    constant: Tensor

    def __init__(self, config: PlaneConfig) -> None:
        super().__init__()
        self.config = config
        self.inputs = FeatureInputs(config.modalities)
        self.modalities = tuple(self.inputs.counts)
        self.window = round(config.window_s / config.hop)
        self.head = PriorBlend()
        columns = len(self.modalities) * self.inputs.widest
        self.register_buffer("slope", torch.zeros(columns, 2))
        self.register_buffer("constant", torch.zeros(2))

    def fit(self, run: TrainingRun) -> tuple[Progress, ...]:
        batch = collate(run.training, self.config.modalities)
        rows = self.inputs(batch.x, batch.present)[0].flatten(-2).flatten(0, 1)
        rows = torch.cat((rows, torch.ones(len(rows), 1)), 1).double()
        solved = torch.linalg.lstsq(rows, batch.target.flatten(0, 1).double(), driver="gelsd")
        self.slope.copy_(solved.solution[:-1])
        self.constant.copy_(solved.solution[-1])
        done = Progress(1, 1, 0.0, 0.0, 0.0, run.clock(), 0.0)
        run.report(done)
        return (done,)

    def read_out(self) -> tuple[Tensor, Tensor]:
        return self.slope, self.constant

    def forward(self, x: Mapping[Modality, Tensor], present: Tensor) -> FusionOutput:
        values, quality = self.inputs(x, present)
        return self._said(values, quality, evidence(quality, self.window))

    def begin(self, batch: int = 1) -> State:
        return (self.head.prior_mean.new_full((batch,), self.window),)

    def step(
        self, x: Mapping[Modality, Tensor], present: Tensor, state: State
    ) -> tuple[FusionOutput, State]:
        values, quality = self.inputs(x, present)
        age = next_age(quality, state[0], self.window)
        return self._said(values, quality, fade(age, self.window)), (age,)

    def _said(self, values: Tensor, quality: Tensor, share: Tensor) -> FusionOutput:
        own = (values.flatten(-2) @ self.slope + self.constant).clamp(-1, 1)
        blended = self.head.blend(own, torch.full_like(own, -2.0), share)
        return FusionOutput(*blended, masked_softmax(torch.zeros_like(quality), quality))


class Loudest(Stepwise):
    """The token of the modality of the best quality; all else is what most families share."""

    def fuse(self, tokens: Tensor, quality: Tensor) -> Fused:
        weight = masked_softmax(10 * quality, quality)
        return Fused((weight.unsqueeze(-2) @ tokens).squeeze(-2), weight)


FAMILIES = {"plane": Family(Plane, PlaneConfig), "loudest": Family(Loudest, StepwiseConfig)}


@pytest.fixture(params=FAMILIES)
def name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(MODELS, "_registered", {})
    MODELS.register(request.param, FAMILIES[request.param])
    return str(request.param)


@pytest.fixture
def trained(name: str, make_toy: MakeToy) -> Trained:
    return train(name, make_toy(5, 160), settings=SETTINGS)


def rmse(model: FusionModel, sequence: LabelledSequence) -> float:
    return float(np.sqrt(np.mean((predict(model, sequence).mean - sequence.target) ** 2)))


def test_it_trains_in_its_own_way(trained: Trained, make_toy: MakeToy) -> None:
    unseen = make_toy(1, 300, seed=9)[0]
    untrained = float(np.sqrt(np.mean(unseen.target**2)))
    assert rmse(trained.model, unseen) < 0.9 * untrained
    assert len(trained.history) == (1 if trained.name == "plane" else SETTINGS.epochs)


def test_it_streams_from_a_checkpoint(trained: Trained, make_toy: MakeToy, tmp_path: Path) -> None:
    counts = trained.model.inputs.counts
    features = {m: [f"{m}_{k}" for k in range(n)] for m, n in counts.items()}
    save(
        tmp_path / "own", trained.name, trained.model,
        features=features, fingerprints={}, card=trained.card,
    )  # fmt: skip
    estimator = StreamingEstimator(load(tmp_path / "own"))
    toy = make_toy(1, 60, seed=9)[0]
    expected = predict(trained.model, toy).mean
    for t in range(toy.n):
        data = {m: values[t] for m, values in toy.data.items()}
        quality = {m: float(values[t]) for m, values in toy.quality.items()}
        estimate = estimator.push(FusionInput(t, float(toy.time[t]), data, quality))
        assert (estimate.valence, estimate.arousal) == pytest.approx(tuple(expected[t]), abs=1e-5)


def test_it_can_be_fitted_to_a_person(trained: Trained, make_toy: MakeToy) -> None:
    toy = make_toy(1, 400, seed=5)[0]
    odd = replace(toy, target=0.5 * toy.target - 0.4)
    assert can_be_personal(trained.model)
    assert rmse(personalise(trained.model, [odd], strength=0.1), odd) < 0.9 * rmse(
        trained.model, odd
    )


def test_it_can_sit_in_a_committee(name: str, make_toy: MakeToy) -> None:
    members = {"members": ("ridge", name), "shares": (0.5, 0.5)}
    whole = train("committee", make_toy(4, 160), settings=SETTINGS, options=members).model
    alone = train(name, make_toy(4, 160), settings=SETTINGS).model.state_dict()
    mine = {k: v for k, v in whole.state_dict().items() if k.startswith("seats.1.")}
    assert all(
        torch.equal(value, alone[key.removeprefix("seats.1.")]) for key, value in mine.items()
    )
