"""The heart by ECG, PPG and intervals: beats, rhythm, variability, transit time."""
