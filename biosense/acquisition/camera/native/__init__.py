"""Native libraries of the camera, loaded late and kept quiet."""
