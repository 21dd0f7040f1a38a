"""Threads that bring a run to its window: the control socket and LSL streams."""
