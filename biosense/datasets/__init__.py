"""From files on disk to recordings."""
