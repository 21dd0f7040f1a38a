"""AMIGOS: reader, labels, and a fabricated miniature."""
