"""The pulse from the skin colour of a face."""
