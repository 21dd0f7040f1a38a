"""File formats that data sets come in, read as hostile: MATLAB, BDF, pickles."""
