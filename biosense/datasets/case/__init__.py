"""CASE: the official files, a derived one, and fabricated miniatures."""
