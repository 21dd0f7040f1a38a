"""Names and content types of the streams that biosense writes itself, the same everywhere."""

from __future__ import annotations

from biosense.core.types import StreamInfo

OWN_PREFIX = "biosense-"
"""What the names of all of them begin with."""

AFFECT = OWN_PREFIX + "affect"
"""Name of the stream of estimates."""

OWN_MARKERS = OWN_PREFIX + "markers"
"""Name of the stream of the run's own markers."""

OWN_EVENTS = OWN_PREFIX + "events"
"""Name of the stream of the run's events."""

OWN_FEATURES = OWN_PREFIX + "features-"
"""What the name of a stream of features begins with; the modality follows."""

OWN_HEALTH = OWN_PREFIX + "health"
"""Name of the stream of the run's health."""

HEALTH_TYPE = "Health"
"""Content type of the stream of health."""

RAW_PACKETS = "BLE packets"
"""Content type of the streams that hold the packets of a sensor as they came, for the recording."""


def own_source_id(name: str, run: str) -> str:
    """Return the LSL source id under which a run publishes a stream of its own.

    It differs from run to run, so that nobody who reads one run gets the samples of another.

    Parameters
    ----------
    name
        Of the stream.
    run
        Identity of the run; empty without one.

    Returns
    -------
    str
        What the outlet of that stream says that it is.

    Examples
    --------
    >>> own_source_id(AFFECT, "5e0c"), own_source_id(AFFECT, "")
    ('biosense-affect-5e0c', 'biosense-affect')
    """
    return f"{name}-{run}" if run else name


def is_packets(info: StreamInfo) -> bool:
    """Tell whether a stream holds raw packets: recorded, but neither shown nor published.

    Parameters
    ----------
    info
        A recorded stream.

    Returns
    -------
    bool
    """
    return info.is_text and info.content_type == RAW_PACKETS
