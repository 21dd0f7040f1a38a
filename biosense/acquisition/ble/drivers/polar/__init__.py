"""Polar straps and armbands, by their measurement protocol (PMD)."""
