"""
Skin conductance: level and responses
=====================================

Electrodermal activity (EDA, GSR) is split as it comes into a slow level and responses; each
response is told when it has
risen, with its size.
"""

import matplotlib.pyplot as plt

import biosense as bs

rec = bs.simulate(120, seed=4, modalities=["eda"])
eda = rec["sim-eda"]
table = bs.features(rec).wide()["eda"]
times = table.index - rec.begin

# %%
figure, rows = plt.subplots(3, 1, figsize=(8, 5), sharex=True, layout="constrained")
colour = "#0a8560"
rows[0].plot(eda.times - rec.begin, eda.data[:, 0], color=colour, lw=1)
rows[0].set_ylabel(f"conductance ({eda.info.unit})")
rows[1].plot(times, table["phasic"], color=colour, lw=1.2)
rows[1].set_ylabel("phasic part")
rows[2].step(times, table["scr_rate"], color=colour, lw=1.2, where="post")
rows[2].set(xlabel="time (s)", ylabel="responses\na minute")
