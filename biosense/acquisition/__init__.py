"""From the world to chunks (LSL, camera, simulated, replay), and from chunks to disk (XDF)."""
