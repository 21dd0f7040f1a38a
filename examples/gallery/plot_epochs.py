"""
Epochs around markers, in MNE
=============================

Markers of any program become epochs; of every marker that has none, the report says why. `to_mne`
gives MNE's own objects, with
channel types, places, gaps as BAD annotations and volts.
"""

import biosense as bs

markers = [(5.0 * k, "picture" if k % 2 else "rest") for k in range(1, 12)]
rec = bs.simulate(60, seed=2, modalities=["eeg", "eda"], markers=markers)
epochs = rec.epochs("picture", -1, 4, stream="sim-eda", baseline=(-1, 0))
epochs

# %%
figure = epochs.plot()

# %%
# The EEG of the same markers, filtered and averaged by MNE.
raw = rec.to_mne().filter(1, 40, verbose="error")
print(raw)

brain = rec.epochs(["picture", "rest"], -0.5, 2.0, stream="sim-eeg").to_mne()
figure = brain.compute_psd(fmax=40, verbose="error").plot(average=True, show=False, picks="eeg")
