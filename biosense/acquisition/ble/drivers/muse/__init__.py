"""Muse headbands: the classic protocol and the one since Athena."""
