"""What a run is set up from: presets, settings, sources."""
