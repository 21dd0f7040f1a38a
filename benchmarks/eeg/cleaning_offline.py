"""What ICA with ICLabel leaves of planted artefacts, offline, beside regression on the EOG.

Usage: python -m benchmarks.eeg.cleaning_offline [--seeds 3] [--seconds 150]

Scenes of `benchmarks.parts.eeg_scene` (32 channels at 128 Hz, blinks and bursts of muscle of known
size). Per method: what is left of the blinks where there are some (1 = all of them), how much of
the clean EEG is changed where there is nothing (0 = nothing), and seconds. "told the EOG" methods
are given the true EOG, which ICLabel is not.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import mne
import numpy as np

from benchmarks.figures import Figure, tell
from benchmarks.parts.eeg_scene import SFREQ, Scene, make_scene
from biosense.core.types import Bools, Chunk, Floats, Modality, StreamInfo
from biosense.processing.offline.eeg_cleaning import clean_by_ica
from biosense.processing.offline.to_mne import to_raw

Method = Callable[[mne.io.BaseRaw], mne.io.BaseRaw]


def referenced(data: Floats) -> Floats:
    return np.asarray(data - data.mean(axis=1, keepdims=True))


def recording(scene: Scene, *, with_eog: bool) -> mne.io.BaseRaw:
    names = (*scene.channels, "VEOG") if with_eog else scene.channels
    data = np.column_stack([scene.dirty, scene.eog]) if with_eog else scene.dirty
    info = StreamInfo("cap", Modality.EEG, names, SFREQ, "V")
    return to_raw(Chunk.of(info, np.arange(len(data)) / SFREQ, data))


def untouched(raw: mne.io.BaseRaw) -> mne.io.BaseRaw:
    return raw.copy().set_eeg_reference("average", verbose="error")


def ica(raw: mne.io.BaseRaw) -> mne.io.BaseRaw:
    cleaned = clean_by_ica(raw)
    removed = ", ".join(f"{each.index} {each.why}" for each in cleaned.removed)
    print(f"    taken out of {len(cleaned.components)}: {removed or 'nothing'}")
    return cleaned.raw


def told_ica(raw: mne.io.BaseRaw) -> mne.io.BaseRaw:
    return clean_by_ica(raw, artefacts=()).raw


def regressed(raw: mne.io.BaseRaw) -> mne.io.BaseRaw:
    clean = untouched(raw)
    model = mne.preprocessing.EOGRegression(picks="eeg", picks_artifact="eog")
    with mne.use_log_level("error"):
        model = model.fit(clean)
        return model.apply(clean, copy=True)


TOLD = "regression, told the EOG"
METHODS: dict[str, tuple[Method, bool]] = {
    "nothing": (untouched, False),
    "ICA + ICLabel": (ica, False),
    "ICA, told the EOG": (told_ica, True),
    TOLD: (regressed, True),
}


def left(after: Floats, scene: Scene, where: Bools) -> float:
    """Return the size of what differs from the clean EEG, as a share of what was added there."""
    truth = referenced(scene.clean)[where]
    added = referenced(scene.dirty)[where] - truth
    return float(np.linalg.norm(after[where] - truth) / np.linalg.norm(added))


def error(after: Floats, scene: Scene, where: Bools) -> float:
    """Return the size of what differs from the clean EEG, as a share of that."""
    truth = referenced(scene.clean)[where]
    return float(np.linalg.norm(after[where] - truth) / np.linalg.norm(truth))


def score(name: str, scene: Scene) -> tuple[float, float, float]:
    """Print and return what a method leaves of blinks and muscle, and what it does elsewhere."""
    method, with_eog = METHODS[name]
    raw = recording(scene, with_eog=with_eog)
    began = time.perf_counter()
    after = method(raw).get_data(picks="eeg").T
    seconds = time.perf_counter() - began
    blinks = left(after, scene, scene.blink & ~scene.muscle)
    muscle = left(after, scene, scene.muscle & ~scene.blink)
    calm = error(after, scene, ~(scene.blink | scene.muscle))
    print(f"  {name:24s} {blinks:11.2f}{muscle:13.2f}{calm:17.2f}{seconds:9.1f}")
    return blinks, muscle, calm


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=150.0, help="of each scene")
    options = parser.parse_args()
    print(f"{'':26s} blinks left  muscle left  error elsewhere  seconds")
    scores: dict[str, list[tuple[float, float, float]]] = {name: [] for name in METHODS}
    for seed in range(options.seeds):
        scene = make_scene(seed, 2.0, options.seconds)
        print(f"seed {seed}")
        for name in METHODS:
            scores[name].append(score(name, scene))
    ours, other = (np.mean(scores[name], axis=0) for name in ("ICA + ICLabel", TOLD))
    tell(
        Figure("blinks left by ICA + ICLabel, without an EOG", ours[0], "", other[0], TOLD),
        Figure("muscle left by ICA + ICLabel, without an EOG", ours[1], "", other[1], TOLD),
    )


if __name__ == "__main__":
    main()
