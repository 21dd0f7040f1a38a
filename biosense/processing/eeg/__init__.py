"""EEG: bad channels, artefacts, band powers, connectivity."""
