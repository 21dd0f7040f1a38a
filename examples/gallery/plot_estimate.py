"""
Valence and arousal, with how sure they are
===========================================

The demonstration model estimates a simulated participant whose true state is known. The band is
one standard deviation; the
last row shows which modality carries the estimate.

The model is trained on simulated people: this shows that the chain works, and is no evidence about
people.
"""

import numpy as np

import biosense as bs

rec = bs.simulate(180, seed=11)
table = bs.estimate(rec, model="demo")
figure = table.plot()

# %%
# The true path, drawn over it.
truth = rec["sim-truth"]
for axes, column in zip(figure.axes, (0, 1), strict=False):
    axes.plot(truth.times, truth.data[:, column], color="0.35", lw=1, ls="--", label="true")
figure.axes[0].legend(frameon=False, loc="lower left")
figure

# %%
# Beside a constant: how much of the truth is followed?
for column, name in enumerate(("valence", "arousal")):
    true = np.interp(table["time"], truth.times, truth.data[:, column])
    rmse = np.sqrt(np.mean((table[name] - true) ** 2))
    print(f"{name}: RMSE {rmse:.2f}, of the best constant {true.std():.2f}")
