"""From packets to the streams of a Bluetooth sensor: decoded, placed in session time, a source."""
