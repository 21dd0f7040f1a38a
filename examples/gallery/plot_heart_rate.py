"""
From an ECG to heart rate
=========================

The heart's pipeline finds R peaks as samples come, in noise as well as in quiet, and tells rate
and variability four times a
second: each as it was knowable then. The simulated heart's own beats show how close it is.
"""

import matplotlib.pyplot as plt
import numpy as np

import biosense as bs
from biosense.acquisition.simulated import Participant

SECONDS, SEED = 120.0, 3
rec = bs.simulate(SECONDS, seed=SEED, modalities=["ecg"])
table = bs.features(rec, modalities=["ecg"]).wide()["ecg"]

# %%
# The true rate over ten seconds, from the beats of the simulated heart.
times = table.index.to_numpy() - rec.begin
beats = Participant(seed=SEED).beats(0.0, SECONDS)


def true_rate(now):
    """Return beats a minute, from the intervals of the ten seconds before."""
    inside = beats[(beats > now - 10) & (beats <= now)]
    return 60 / np.diff(inside).mean() if len(inside) > 2 else np.nan


truth = np.array([true_rate(now) for now in times])
error = np.abs(table["heart_rate"].to_numpy() - truth)
print(f"median distance from the true rate: {np.nanmedian(error):.2f} beats a minute")

# %%
figure, (top, below) = plt.subplots(2, 1, figsize=(8, 4), sharex=True, layout="constrained")
top.plot(times, truth, color="0.7", lw=4, label="true")
top.plot(times, table["heart_rate"], color="#b56a00", lw=1.2, label="told")
top.set_ylabel("beats a minute")
top.legend(frameon=False, ncols=2)
below.plot(times, 1000 * table["rmssd_30"], color="#b56a00", lw=1.2)
below.set(xlabel="time (s)", ylabel="RMSSD over 30 s (ms)")
