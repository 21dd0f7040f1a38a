"""Everything that the window decides, without Qt."""
