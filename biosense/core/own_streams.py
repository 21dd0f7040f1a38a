"""Names of the streams that a run writes itself: estimates, events, markers, health."""

from __future__ import annotations

OWN_PREFIX = "biosense-"
"""What the names of all of them begin with."""

AFFECT = "biosense-affect"
"""Name of the stream of estimates."""

OWN_MARKERS = "biosense-markers"
"""Name of the stream of the run's own markers."""

OWN_EVENTS = "biosense-events"
"""Name of the stream of the run's events."""

OWN_FEATURES = "biosense-features-"
"""What the name of a stream of features begins with; the modality follows."""

OWN_HEALTH = "biosense-health"
"""Name of the stream of the run's health."""


def own_source_id(name: str, run: str) -> str:
    """Return the LSL source id under which a run publishes a stream of its own.

    It differs from run to run, so that nobody who reads one run gets the samples of another.

    >>> own_source_id(AFFECT, "5e0c"), own_source_id(AFFECT, "")
    ('biosense-affect-5e0c', 'biosense-affect')
    """
    return f"{name}-{run}" if run else name
