"""The result of a study as one page: what can be believed first, everything else behind it."""
