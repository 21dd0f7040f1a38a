"""Scores, what they would be by chance, and how sure they are."""
