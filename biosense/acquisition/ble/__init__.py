"""Bluetooth Low Energy sensors: drivers (pure decoders and commands) under one link layer."""
