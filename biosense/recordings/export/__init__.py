"""Recordings in the formats of other programs: tables, FIF, BIDS."""
