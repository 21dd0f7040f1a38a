"""Recordings on disk: XDF files that survive a crash, written in a session and read back."""
