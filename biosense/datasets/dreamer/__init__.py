"""DREAMER: reader and a fabricated miniature."""
