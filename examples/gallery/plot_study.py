"""
What is a model worth? A study with its controls
================================================

A study fits every candidate in every fold and puts beside it what needs no physiology: the mean of
each film, the position in the
session, a model that sees noise. What does not lie beyond the hollow points has not been shown.

The data are a fabricated miniature of DEAP: no number says anything about people.
"""

import biosense as bs

study = bs.study("deap", fabricate=True, quick=True, people=6, models=["ridge"])
study

# %%
figure = study.plot()

# %%
# The sentences with which its report begins.
for verdict in study.verdicts:
    print("-", verdict)
