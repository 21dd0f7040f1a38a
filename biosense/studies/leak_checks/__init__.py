"""Would a leak be seen? Checks with a known answer, run by every study on its own folds."""
