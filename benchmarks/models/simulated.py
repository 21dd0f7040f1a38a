"""How well the shipped model follows simulated participants that it has never seen.

Usage: python -m benchmarks.models.simulated [--people 12] [--minutes 5] [--model demo]

The first table scores whole recordings with all modalities. In the others one modality is switched
off from the middle to the end: scores are of that second half, beside the same half with everything
on and beside the best constant (the mean of the training range, 0, and the true mean of each half,
whose CCC is 0 by definition; RMSE is what to compare). Estimates must come at every point of the
grid throughout.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed

from benchmarks.figures import Figure, tell
from biosense.acquisition.simulated import ALL_MODALITIES, simulate
from biosense.core.affect import Estimate
from biosense.core.recording import Recording
from biosense.core.types import Chunk, Floats, Modality
from biosense.estimation.load_model import load_model
from biosense.estimation.processor import Processor, ProcessorSettings
from biosense.estimation.run_processor import process_whole
from biosense.models.deployment.streaming import StreamingEstimator
from biosense.models.evaluation.metrics import ccc, rmse

WARM_UP_S = 30.0
AXES = ("valence", "arousal")


@dataclass(frozen=True)
class Track:
    """Estimates of one person beside the truth, each (n, 2); grid points that are missing."""

    estimate: Floats
    truth: Floats
    missing: int


def without(recording: Recording, modality: Modality | None, start: float) -> Iterable[Chunk]:
    """Return the streams, one of them cut off at `start`."""
    for stream in recording.streams:
        if stream.info.modality is modality:
            yield stream.slice(0, int(np.searchsorted(stream.times, start)))
        else:
            yield stream


def follow(recording: Recording, off: Modality | None, half: float, model: str) -> Track:
    loaded = load_model(model)
    processor = Processor(ProcessorSettings(), StreamingEstimator(loaded))
    streams = list(without(recording, off, half))
    outcomes = process_whole(streams, processor)
    estimates = [o for o in outcomes if isinstance(o, Estimate)]
    times = np.array([e.time for e in estimates])
    values = np.array([[e.valence, e.arousal] for e in estimates])
    path = recording.annotations[0]
    truth = np.column_stack([np.interp(times, path.times, path.data[:, axis]) for axis in (0, 1)])
    later = times > (WARM_UP_S if off is None and half == 0 else half + 2.0)
    expected = np.rint((times[-1] - times[0]) * 4) + 1
    return Track(values[later], truth[later], int(expected - len(times)))


def person(seed: int, seconds: float, model: str) -> dict[str, Track]:
    recording = simulate(seed, seconds, modalities=ALL_MODALITIES)
    tracks = {"all, whole recording": follow(recording, None, 0.0, model)}
    tracks["all, second half"] = follow(recording, None, seconds / 2, model)
    for modality in ALL_MODALITIES:
        tracks[f"without {modality}"] = follow(recording, modality, seconds / 2, model)
    return tracks


def row(name: str, tracks: list[Track]) -> str:
    text = f"{name:22s}"
    for axis in (0, 1):
        scores = [ccc(t.estimate[:, axis], t.truth[:, axis]) for t in tracks]
        pooled = [
            np.concatenate([getattr(t, part)[:, axis] for t in tracks])
            for part in ("estimate", "truth")
        ]
        errors = np.mean([rmse(t.estimate[:, axis], t.truth[:, axis]) for t in tracks])
        constant = np.mean([t.truth[:, axis].std() for t in tracks])
        text += f"   {np.mean(scores):5.2f} {min(scores):5.2f} {ccc(*pooled):6.2f}"
        text += f" {errors:6.3f} {constant:6.3f}"
    return text + f" {sum(t.missing for t in tracks):8d}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--model", default="demo")
    parser.add_argument("--seed", type=int, default=5000)
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.people)
    results = Parallel(n_jobs=-1)(
        delayed(person)(seed, options.minutes * 60, options.model) for seed in seeds
    )
    print(f"{options.people} unseen simulated participants, {options.minutes:g} min each")
    head = "".join(f"   {axis}: CCC mean, worst, pooled, RMSE, of own mean" for axis in AXES)
    print(f"{'':22s}{head}   grid points missing")
    for name in results[0]:
        print(row(name, [result[name] for result in results]))
    whole = [result["all, whole recording"] for result in results]
    tell(
        *(
            Figure(
                f"{options.model} model on simulated people, CCC of {name}",
                float(np.mean([ccc(t.estimate[:, axis], t.truth[:, axis]) for t in whole])),
                more_is_better=True,
            )
            for axis, name in enumerate(AXES)
        )
    )


if __name__ == "__main__":
    main()
