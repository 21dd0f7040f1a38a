"""The OpenBCI Ganglion."""
