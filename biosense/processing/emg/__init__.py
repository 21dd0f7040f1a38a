"""Muscles: the envelope of EMG, and how much each is at work."""
