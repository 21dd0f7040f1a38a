"""
A recording at a glance
=======================

`bs.read` opens a recording folder, or an .xdf file of any program; here the simulated participant
is recorded in its
place. Streams are read when they are asked for, with the times of the computer that recorded.
"""

import biosense as bs

rec = bs.simulate(60, markers=[(10, "film begins"), (45, "film ends")])
rec

# %%
# The signals below each other, with the markers through them.
figure = rec.plot()

# %%
# One stream as a table: time, whether a sample can be trusted, and a column a channel.
rec.to_pandas("sim-eda").head()

# %%
# What is inside, what is missing, and what is wrong.
for name, stream in rec.check().streams.items():
    print(f"{name:10} {stream.samples:6} samples, {stream.gaps} gaps")
