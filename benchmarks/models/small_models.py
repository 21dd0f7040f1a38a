"""What is left of a model that is made small, exported, explained or fitted to a person.

Usage: python -m benchmarks.models.small_models [--families gated,late] [--steps-of gated]

On made-up people: a slow path through valence and arousal that six modalities see through noise.
The figures say what the tools cost and keep, nothing about people. The first family needs a last
layer of its own, which is fitted to people.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d

from benchmarks.figures import Figure, tell
from biosense.core.affect import TARGETS
from biosense.core.grid import HOP
from biosense.core.types import Modality
from biosense.models.base import FusionModel
from biosense.models.deployment.card import Card, CheckpointInfo
from biosense.models.deployment.checkpoint import Loaded, save
from biosense.models.deployment.onnx import export_step
from biosense.models.deployment.onnx_step import OnnxStep
from biosense.models.deployment.quantised import quantised
from biosense.models.evaluation.contributions import StreamingShapley
from biosense.models.evaluation.evaluate import evaluate
from biosense.models.registry import MODELS, build_model
from biosense.models.sequences import LabelledSequence
from biosense.models.training.distillation import distil
from biosense.models.training.personalise import personalise
from biosense.models.training.train import TrainingSettings, train

WIDTHS = {
    Modality.EEG: 20,
    Modality.ECG: 10,
    Modality.EDA: 6,
    Modality.PPG: 10,
    Modality.RPPG: 6,
    Modality.FACE: 16,
}
COUNTS = tuple((modality.value, n) for modality, n in WIDTHS.items())
SETTINGS = TrainingSettings(epochs=10, batches=10, crop_s=(30.0, 60.0), batch=6, learning_rate=4e-3)
NOISE = 6.0  # so that no family finds everything
LIMIT_ONNX = 1e-5
LIMIT_INT8 = 0.01


def made_up(people: int, steps: int, seed: int) -> list[LabelledSequence]:
    """Make people up; each has a bias of their own."""
    world = np.random.default_rng(1)
    mixes = {m: world.standard_normal((2, n)) for m, n in WIDTHS.items()}
    sequences = []
    for person in range(people):
        rng = np.random.default_rng((seed, person))
        path = gaussian_filter1d(rng.standard_normal((steps, 2)), 8.0 / HOP, axis=0)
        target = np.tanh(path / path.std() + 0.3 * rng.standard_normal(2))
        data = {
            m: target @ mix + NOISE * rng.standard_normal((steps, mix.shape[1]))
            for m, mix in mixes.items()
        }
        quality = {m: rng.uniform(0.5, 1.0, steps) for m in data}
        time_s = HOP * np.arange(steps)
        sequences.append(LabelledSequence(f"p{person:02d}", time_s, data, quality, target))
    return sequences


def mean_ccc(model: FusionModel, sequences: Sequence[LabelledSequence]) -> float:
    """Return the CCC over sequences, people and both targets."""
    return float(np.mean([evaluate(model, sequences)[target].scores.ccc for target in TARGETS]))


def mean_rmse(model: FusionModel, sequences: Sequence[LabelledSequence]) -> float:
    """Return the RMSE over sequences, people and both targets."""
    return float(np.mean([evaluate(model, sequences)[target].scores.rmse for target in TARGETS]))


def median_ms(work: Callable[[], object], n: int = 200) -> float:
    """Return the median time of some work, ms."""
    taken = []
    for _ in range(n):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return 1e3 * float(np.median(taken))


def untrained(name: str) -> Loaded:
    """Make a model of the six modalities."""
    torch.manual_seed(0)
    model = build_model(name, MODELS[name].settings({"modalities": COUNTS})).eval()
    features = {m: tuple(f"f{k}" for k in range(n)) for m, n in WIDTHS.items()}
    return Loaded(model, CheckpointInfo(name, asdict(model.config), features, {}, Card()))


def steps_table(names: Sequence[str]) -> list[Figure]:
    """Print what a step costs: plain, with contributions of six modalities, and exported."""
    times = []
    print("\nstep, ms (p50)               torch  with 64 subsets  onnxruntime  largest difference")
    for name in names:
        loaded = untrained(name)
        model, shapley = loaded.model, StreamingShapley(loaded.model)
        x = {m: torch.randn(1, n) for m, n in WIDTHS.items()}
        present, state = torch.ones(1, len(WIDTHS)), model.begin(1)
        with torch.inference_mode():
            plain = median_ms(lambda m=model, x=x, p=present, s=state: m.step(x, p, s))
            both = plain + median_ms(lambda s=shapley, x=x, p=present: s.push(x, p), 60)
        onnx, apart = onnx_figures(loaded)
        words = "" if apart <= LIMIT_ONNX else "  TOO LARGE"
        print(f"{name:28s} {plain:5.2f}  {both:15.2f}  {onnx:11.2f}  {apart:.1e}{words}")
        times.append((plain, onnx, apart))
    plain, onnx = np.mean(times, axis=0)[:2].tolist()
    apart = max(time[2] for time in times)
    return [
        Figure("a fusion step in ONNX, mean of families", onnx, "ms", plain, "torch", timed=True),
        Figure("ONNX and torch, largest difference", apart),
    ]


def onnx_figures(loaded: Loaded) -> tuple[float, float]:
    """Export, compare over 60 steps with gaps and missing values, and time in ms."""
    rng, model = np.random.default_rng(0), loaded.model
    with tempfile.TemporaryDirectory() as folder:
        step = OnnxStep(export_step(loaded, Path(folder) / "step.onnx"))
    state, worst = model.begin(1), 0.0
    for k in range(60):
        present = rng.random(len(WIDTHS)) * (rng.random(len(WIDTHS)) > 0.3) * (not 20 <= k < 30)
        x = {m: rng.standard_normal(n) for m, n in WIDTHS.items()}
        x[Modality.ECG][1] = np.nan
        with torch.inference_mode():
            tensors = {m: torch.from_numpy(v).float()[None] for m, v in x.items()}
            output, state = model.step(tensors, torch.from_numpy(present).float()[None], state)
        wanted = (output.mean, output.log_variance, output.weight)
        for got, want in zip(step.push(x, present), wanted, strict=True):
            worst = max(worst, float(np.abs(got - want[0].numpy()).max()))
    return median_ms(lambda: step.push(x, present)), worst


def sizes_table(teachers: dict[str, FusionModel], unseen: Sequence[LabelledSequence]) -> Figure:
    """Print what eight bits change; return the largest change."""
    changes = []
    print("\nweights in 8 bits              kB  kB int8    CCC  CCC int8  change")
    features = {m: tuple(f"f{k}" for k in range(n)) for m, n in WIDTHS.items()}
    for name, model in teachers.items():
        sizes = []
        with tempfile.TemporaryDirectory() as folder:
            for int8 in (False, True):
                file = save(
                    Path(folder) / "model",
                    name,
                    model,
                    features=features,
                    fingerprints={},
                    card=Card(),
                    int8=int8,
                )
                sizes.append(file.with_suffix(".safetensors").stat().st_size / 1e3)
        full, small = mean_ccc(model, unseen), mean_ccc(quantised(model), unseen)
        verdict = "" if abs(full - small) < LIMIT_INT8 else "  TOO LARGE"
        print(
            f"{name:28s} {sizes[0]:5.0f}  {sizes[1]:7.0f}  {full:.4f}  {small:.4f}  "
            f"{small - full:+.4f}{verdict}"
        )
        changes.append(abs(small - full))
    return Figure("weights in 8 bits, largest change of CCC", max(changes))


def students_table(
    name: str,
    teacher: FusionModel,
    people: Sequence[LabelledSequence],
    unseen: Sequence[LabelledSequence],
    seeds: int,
) -> list[Figure]:
    """Print what a teacher gives to a small student of the same family, side by side."""
    print(f"\nstudents of {name} (CCC {mean_ccc(teacher, unseen):.3f}), few of them rated")
    rated = [p if k < 3 else _unrated(p) for k, p in enumerate(people[:-4])]
    held, figures = people[-4:], []
    for width in (8, 16):
        settings = replace(SETTINGS, width=width)
        alone, taught = [], []
        for seed in range(seeds):
            chosen = replace(settings, seed=seed)
            alone.append(train(name, rated, validation=held, settings=chosen).model)
            taught.append(distil(teacher, name, rated, validation=held, settings=chosen).model)
        size = sum(p.numel() for p in alone[0].parameters())
        scores = [[mean_ccc(model, unseen) for model in models] for models in (alone, taught)]
        print(
            f"  width {width:2d}, {size:6d} weights: labels alone {np.mean(scores[0]):.3f}, "
            f"taught {np.mean(scores[1]):.3f} (mean of {seeds} seeds; spread "
            f"{np.std(scores[0]):.3f}, {np.std(scores[1]):.3f})"
        )
        labels, both = (float(np.mean(one)) for one in scores)
        figures.append(
            Figure(
                f"CCC of a student of width {width}, taught",
                both,
                "",
                labels,
                "labels alone",
                more_is_better=True,
            )
        )
    return figures


def persons_table(name: str, model: FusionModel, seed: int) -> None:
    """Print the error on a person's later minutes over the minutes that were rated."""
    print(f"\n{name} fitted to odd people (half the range, offset), RMSE on their last two minutes")
    odd = [
        replace(p, target=0.5 * p.target + np.random.default_rng(k).uniform(-0.4, 0.4, 2))
        for k, p in enumerate(made_up(8, 1920, seed + 7))
    ]
    plain = made_up(8, 1920, seed + 7)
    for label, everybody in (("odd", odd), ("as trained", plain)):
        later = [_part(person, 1440, 1920) for person in everybody]
        print(f"  {label:10s} not fitted {mean_rmse(model, later):.3f}")
        for head in (False, True):
            for minutes in (1, 3, 6):
                errors = []
                for person, rest in zip(everybody, later, strict=True):
                    rated = _part(person, 0, 240 * minutes)
                    fitted = personalise(model, [rated], strength=3.0, head=head)
                    errors.append(mean_rmse(fitted, [rest]))
                words = "offset, gain, head" if head else "offset, gain"
                print(f"  {label:10s} {words:18s} {minutes} min: {np.mean(errors):.3f}")


def _unrated(sequence: LabelledSequence) -> LabelledSequence:
    return replace(sequence, target=np.full_like(sequence.target, np.nan))


def _part(sequence: LabelledSequence, start: int, stop: int) -> LabelledSequence:
    cut = slice(start, stop)
    return replace(
        sequence,
        time=sequence.time[cut],
        data={m: v[cut] for m, v in sequence.data.items()},
        quality={m: v[cut] for m, v in sequence.quality.items()},
        target=sequence.target[cut],
    )


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--families", default="gated,cross_attention,product_of_experts,ridge")
    parser.add_argument("--seeds", type=int, default=3, help="of each student")
    parser.add_argument("--steps-of", nargs="*", default=list(MODELS), help="families to time")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    figures = steps_table(asked.steps_of) if asked.steps_of else []
    people, unseen = made_up(14, 600, asked.seed), made_up(10, 600, asked.seed + 99)
    teachers = {
        name: train(name, people, settings=SETTINGS).model for name in asked.families.split(",")
    }
    figures.append(sizes_table(teachers, unseen))
    name, teacher = next(iter(teachers.items()))
    persons_table(name, teacher, asked.seed)
    figures += students_table(name, teacher, people, unseen, asked.seeds)
    tell(*figures)


if __name__ == "__main__":
    main()
