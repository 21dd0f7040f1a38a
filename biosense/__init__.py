"""Continuous valence and arousal from EEG, ECG, EDA, PPG and a webcam."""

__version__ = "0.2.0"
