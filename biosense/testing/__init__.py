"""Checks and example streams with which anybody can try a stage, model, source or data set."""
