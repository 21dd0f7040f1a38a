"""The frequency of the mains, whose hum every electrode picks up: set by people, never guessed."""

from __future__ import annotations

MAINS_HZ = (50.0, 60.0)
"""Those that there are, Hz."""
DEFAULT_MAINS_HZ = 50.0
"""Where nobody says: that of Europe, Asia and most of the rest, Hz."""
MAINS_LIMITS_HZ = (45.0, 65.0)
"""What a setting may be, Hz: generators of field labs run a little off."""
