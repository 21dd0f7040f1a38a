"""What every modality shares: units, the sample grid, filters, windows."""
