"""A toy data set on disk, and toy features: small enough that whole studies run in seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d

from biosense.core.errors import DatasetDamaged
from biosense.core.grid import HOP
from biosense.core.recording import Rating, Recording, Trial
from biosense.core.types import Chunk, Floats, Modality, StreamInfo
from biosense.datasets.base import About
from biosense.models.sequences import LabelledSequence
from biosense.models.training.train import TrainingSettings
from biosense.studies.base import StudyData
from biosense.studies.candidates.baselines import RidgeCandidate
from biosense.studies.candidates.lookup import StimulusMean, TrainMean
from biosense.studies.execution.plan import Entry, Kind, Plan, Split
from biosense.studies.results.assess import Assessment

EDA = StreamInfo("eda", Modality.EDA, ("eda",), 8.0, "uS")
TEMP = StreamInfo("temp", Modality.TEMP, ("skin",), 4.0, "degC")
JOYSTICK = StreamInfo("joystick", None, ("valence", "arousal"), 4.0)
REST_S, TRIAL_S, BASELINE_S = 15.0, 20.0, 3.0
TINY = TrainingSettings(width=8, epochs=2, batches=2, crop_s=(10.0, 15.0), batch=4, window_s=2.0)


def toy_recording(
    subject: str, trials: int = 3, *, seed: int = 0, rated: bool = False
) -> Recording:
    """Trials with rests between them in which nothing was recorded."""
    rng = np.random.default_rng(seed)
    shown, times = [], []
    for k in range(trials):
        begin = 10.0 + k * (BASELINE_S + TRIAL_S + REST_S)
        start = begin + BASELINE_S
        rating = Rating(start + TRIAL_S, *rng.uniform(-1, 1, 2).tolist()) if rated else None
        shown.append(
            Trial(start, start + TRIAL_S, f"film{k}", "sad" if k else "", begin, rating=rating)
        )
        times.append((begin, start + TRIAL_S))
    streams = tuple(_signal(info, times, rng) for info in (EDA, TEMP))
    said = () if rated else (_joystick(times, rng),)
    return Recording(
        streams, annotations=said, subject=subject, trials=tuple(shown), notes=("made up",)
    )


def _times(sfreq: float, spans: Sequence[tuple[float, float]]) -> Floats:
    return np.concatenate([np.arange(a, b, 1 / sfreq) for a, b in spans])


def _signal(
    info: StreamInfo, spans: Sequence[tuple[float, float]], rng: np.random.Generator
) -> Chunk:
    times = _times(info.sfreq, spans)
    walk = np.cumsum(rng.standard_normal(len(times))) * 0.01
    level = 5.0 if info.modality is Modality.EDA else 32.0
    return Chunk.of(info, times, level + walk)


def _joystick(spans: Sequence[tuple[float, float]], rng: np.random.Generator) -> Chunk:
    times = _times(JOYSTICK.sfreq, [(start + BASELINE_S, stop) for start, stop in spans])
    return Chunk.of(JOYSTICK, times, np.column_stack([times / 1000, -times / 1000]))


@dataclass(frozen=True)
class ToyDataset:
    """People in files of one number each; a file that holds "damaged" is."""

    folder: Path
    about: About = field(
        default=About("toy", "Toy", "nobody", "made by the tests", continuous=True, people=3)
    )
    missing: Sequence[str] = ("p99 is not there",)

    @property
    def subjects(self) -> Sequence[str]:
        return sorted(path.stem for path in self.folder.glob("p*.txt"))

    @property
    def subject_groups(self) -> Mapping[str, str]:
        return {"p01": "pair", "p02": "pair"}

    @property
    def stated_folds(self) -> Mapping[str, int]:
        return {"p01": 0, "p02": 0, "p03": 1}

    def files(self, subject: str) -> Sequence[Path]:
        return [self.folder / f"{subject}.txt"]

    def load(self, subject: str) -> Recording:
        said = self.files(subject)[0].read_text()
        if said == "damaged":
            raise DatasetDamaged(f"{subject}.txt holds {said!r}, wanted a number")
        return toy_recording(subject, seed=int(said))


def toy_dataset(folder: Path, people: int = 3) -> ToyDataset:
    folder.mkdir(exist_ok=True)
    for number in range(1, people + 1):
        (folder / f"p{number:02d}.txt").write_text(str(number))
    return ToyDataset(folder)


def toy_study(
    subjects: int = 6,
    trials: int = 4,
    steps: int = 80,
    *,
    noise: float = 1.0,
    per_trial: bool = False,
    seed: int = 0,
    widths: Mapping[Modality, int] | None = None,
) -> StudyData:
    """Features of two modalities that each see valence and arousal through noise."""
    world = np.random.default_rng(1234)
    widths = widths or {Modality.ECG: 3, Modality.EDA: 2}
    mixes = {modality: world.standard_normal((2, n)) for modality, n in widths.items()}
    sequences = []
    for subject in range(subjects):
        rng = np.random.default_rng((seed, subject))
        for position, film in enumerate(rng.permutation(trials)):
            path = gaussian_filter1d(rng.standard_normal((steps, 2)), 8, axis=0)
            target = np.tanh(path / path.std())
            if per_trial:
                target = np.tile(np.tanh(rng.standard_normal(2)), (steps, 1))
            data = {
                modality: target @ mix + noise * rng.standard_normal((steps, mix.shape[1]))
                for modality, mix in mixes.items()
            }
            sequences.append(
                LabelledSequence(
                    f"s{subject:02d}",
                    1000.0 * position + HOP * np.arange(steps),
                    data,
                    {modality: np.ones(steps) for modality in data},
                    target,
                    f"film{film}",
                    position=position,
                    per_trial=per_trial,
                )
            )
    names = {m: tuple(f"{m}_{k}" for k in range(n)) for m, n in widths.items()}
    ordered = sorted(sequences, key=lambda each: (each.subject, each.position))
    return StudyData("toy", tuple(ordered), names, f"toy-{seed}", notes=("a toy",))


@dataclass(frozen=True)
class Watcher:
    """Says nothing and complains of targets that it can see."""

    name: str = "watcher"

    def fit(self, train, validation, seed):
        assert all(np.isfinite(s.target).any() for s in (*train, *validation))
        return self

    def predict(self, sequence):
        assert np.isnan(sequence.target).all()
        return np.zeros((sequence.n, 2)), np.full((sequence.n, 2), 0.5)


QUICK = Assessment(command="biosense study toy", n_resamples=200)


@dataclass(frozen=True)
class Seeing:
    """Ridge that sees some modalities, as a family's subset does."""

    modalities: tuple[Modality, ...]

    @property
    def name(self) -> str:
        return "+".join(self.modalities)

    def fit(self, train, validation, seed):
        seen = [[s.only(self.modalities) for s in side] for side in (train, validation)]
        return RidgeCandidate(alpha=1.0).fit(*seen, seed)


BOTH = (Modality.ECG, Modality.EDA)


def small_plan(protocol: str = "subject", seeds=(0,), **entry) -> Plan:
    fused = Entry(Kind.MODEL, "both", Seeing(BOTH), seeds, "fused", modalities=BOTH, **entry)
    singles = [Entry(Kind.SINGLE, f"both: {m}", Seeing((m,)), seeds, modalities=(m,)) for m in BOTH]
    controls = [Entry(Kind.CONTROL, "train mean", TrainMean(), (0,), "one mean")]
    if protocol == "subject":
        controls.append(Entry(Kind.CONTROL, "stimulus mean", StimulusMean(), (0,)))
    split = Split(protocol, n_folds=3, gap_s=2.0)
    return Plan(split, (fused, *singles, *controls), "both")
