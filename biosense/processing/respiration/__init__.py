"""Respiration: breaths and their features."""
