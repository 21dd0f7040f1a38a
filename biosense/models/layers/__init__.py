"""Parts that fusion families are built from."""
