"""Features of the face: geometry, blinks, motion."""
