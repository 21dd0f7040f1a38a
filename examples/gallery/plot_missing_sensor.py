"""
When a sensor falls off
=======================

Fusion survives missing modalities: here the camera sees no face for a minute, and the electrodes
for skin conductance fall off in
between. The estimate goes on with what is left, its weights say with what, and its standard
deviation grows.
"""

import numpy as np

import biosense as bs
from biosense.acquisition.xdf.writer import XdfWriter
from biosense.estimation.interleave import interleave

rec = bs.simulate(180, seed=11)

# %%
# Write the recording again, without what was not there.
gone = {"sim-face": (60, 120), "sim-rppg": (60, 120), "sim-eda": (80, 150)}


def without(stream):
    """Return a stream as it would have come from a sensor that was off for a while."""
    first, last = gone.get(stream.info.name, (0, 0))
    at = stream.times - rec.begin
    there = np.flatnonzero((at < first) | (at >= last))
    return type(stream).of(stream.info, stream.times[there], stream.data[there])


path = rec.path.with_name("sensors-off.xdf")
streams = [without(rec[name]) for name in rec]
with XdfWriter(path) as writer:
    for stream in streams:
        writer.add_stream(stream.info)
    for piece in interleave(streams):
        writer.write(piece)

# %%
table = bs.estimate(path, model="demo")
figure = table.plot()

# %%
since = table["time"] - rec.begin
for name, part in (("all sensors", since.between(30, 60)), ("some off", since.between(85, 115))):
    print(f"{name:12} sd of arousal {table.loc[part, 'sd_arousal'].mean():.2f}")
