"""How the streams of a run are doing: counts, checks, the pre-flight."""
