"""Signals that tests of processing share: made up, with known truth."""
