"""Chest straps and armbands that speak the standard heart rate service."""
