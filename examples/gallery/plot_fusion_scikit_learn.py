"""
Fusion families in scikit-learn
===============================

`bs.Fusion` is an estimator: it takes part in cross-validation by group, in pipelines and in
searches. Here families compete on made-up
people, of whom two modalities see valence and arousal through noise; whole people are held out,
never random rows.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.dummy import DummyRegressor
from sklearn.model_selection import GroupKFold

import biosense as bs

rng = np.random.default_rng(0)
people, steps = 12, 120
state = np.tanh(np.cumsum(rng.standard_normal((people, steps, 2)), axis=1) / 8).reshape(-1, 2)
x = {
    "ecg": state @ rng.standard_normal((2, 4)) + 0.8 * rng.standard_normal((len(state), 4)),
    "eda": state @ rng.standard_normal((2, 3)) + 0.8 * rng.standard_normal((len(state), 3)),
}
who = np.repeat(np.arange(people), steps)

# %%
# Squared error on people that were not seen, beside a constant.


def rmse(make):
    """Return the error over held-out people of each of three folds."""
    errors = []
    for train, test in GroupKFold(3).split(state, groups=who):
        seen = {name: values[train] for name, values in x.items()}
        new = {name: values[test] for name, values in x.items()}
        model = make().fit(seen, state[train], who[train])
        errors.append(np.sqrt(np.mean((model.predict(new, who[test]) - state[test]) ** 2)))
    return np.array(errors)


found = {
    name: rmse(lambda name=name: bs.Fusion(name, epochs=6)) for name in ("ridge", "late", "gated")
}
constant = DummyRegressor().fit(state, state)
found["constant"] = np.array([np.sqrt(np.mean((constant.predict(state) - state) ** 2))] * 3)
for name, errors in found.items():
    print(f"{name:10} RMSE {errors.mean():.3f}")

# %%
figure, axes = plt.subplots(figsize=(6, 2.4), layout="constrained")
for row, (name, errors) in enumerate(found.items()):
    axes.plot(errors, [row] * 3, "o", color="0.6" if name == "constant" else "#0b7f97")
axes.set_yticks(range(len(found)), list(found))
axes.invert_yaxis()
axes.set_xlabel("RMSE on people that were held out")
