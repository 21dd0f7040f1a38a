"""
The same numbers, however a stream is cut
=========================================

A pipeline that runs live gets samples in chunks of any size. Here one ECG goes through the heart's
pipeline sample by
sample, in ragged chunks, and whole: every feature is the same to the bit. That is what makes an
analysis of a
recording the same as the live run.
"""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np

from biosense.acquisition.simulated import simulate
from biosense.core import Chunk, Modality
from biosense.processing.pipelines import feature_pipeline

ecg = simulate(seed=2, seconds=60.0, modalities=[Modality.ECG]).stream("sim-ecg")

# %%
# Cut it in three ways.
rng = np.random.default_rng(0)
cuts = {
    "one sample at a time": np.arange(1, ecg.n),
    "ragged chunks": np.sort(rng.choice(ecg.n, 200, replace=False)),
    "whole": np.array([], int),
}


def features(at):
    """Push the stream through a fresh pipeline, cut at the given samples."""
    pipeline = feature_pipeline(ecg.info)
    pipeline.start(ecg.info)
    bounds = [0, *at.tolist(), ecg.n]
    epochs = []
    for first, stop in pairwise(bounds):
        chunk = Chunk.of(ecg.info, ecg.times[first:stop], ecg.data[first:stop])
        epochs += pipeline.push(chunk)
    epochs += pipeline.flush()
    return np.array([epoch.start for epoch in epochs]), np.array([epoch.data for epoch in epochs])


found = {name: features(at) for name, at in cuts.items()}
times, whole = found["whole"]
for name, (_, values) in found.items():
    print(f"{name:21} {len(values)} epochs, equal: {np.array_equal(values, whole, equal_nan=True)}")

# %%
# Heart rate, three times: the lines lie on each other.
figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
for (name, (_, values)), width in zip(found.items(), (7, 4, 1.2), strict=True):
    axes.plot(times, values[:, 0], lw=width, label=name, alpha=0.8)
axes.set(xlabel="session time (s)", ylabel="heart rate (beats/min)")
axes.legend(frameon=False)
