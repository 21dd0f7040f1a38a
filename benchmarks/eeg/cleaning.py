"""What ICA with ICLabel leaves of planted artefacts, and what it costs, beside the alternatives.

Usage: python -m benchmarks.eeg.cleaning [--seeds 3]

Scenes of `benchmarks.eeg.scene` (32 channels at 128 Hz, 150 s, blinks and bursts of muscle of known
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

from benchmarks.eeg.scene import SFREQ, Scene, make_scene
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


METHODS: dict[str, tuple[Method, bool]] = {
    "nothing": (untouched, False),
    "ICA + ICLabel": (ica, False),
    "ICA, told the EOG": (told_ica, True),
    "regression, told the EOG": (regressed, True),
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print(f"{'':26s} blinks left  muscle left  error elsewhere  seconds")
    for seed in range(options.seeds):
        scene = make_scene(seed, 2.0)
        calm = ~(scene.blink | scene.muscle)
        print(f"seed {seed}")
        for name, (method, with_eog) in METHODS.items():
            raw = recording(scene, with_eog=with_eog)
            began = time.perf_counter()
            after = method(raw).get_data(picks="eeg").T
            seconds = time.perf_counter() - began
            print(
                f"  {name:24s} {left(after, scene, scene.blink & ~scene.muscle):11.2f}"
                f"{left(after, scene, scene.muscle & ~scene.blink):13.2f}"
                f"{error(after, scene, calm):17.2f}{seconds:9.1f}"
            )


if __name__ == "__main__":
    main()
