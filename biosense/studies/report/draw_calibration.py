"""Draw what labelled videos of a new person gain, beside what needs less than a model."""

from __future__ import annotations

from matplotlib.figure import Figure

from biosense.core.affect import TARGETS
from biosense.studies.report.panels import dot, head, panels, span_of, under, zero
from biosense.studies.results.calibration_result import (
    GENERAL,
    OFFSET,
    OWN_MEAN,
    PERSONAL,
    CalibrationTrack,
)
from biosense.viz.axes import name_rows

_ROW_IN = 0.23
WAYS = (PERSONAL, OFFSET, OWN_MEAN)


def draw_calibration(track: CalibrationTrack) -> Figure:
    """Draw the gain in CCC over the model for everybody, a row for each way and number."""
    places = [(way, count) for count in track.counts for way in WAYS]
    names = [f"{videos(count)}: {way}" for way, count in places]
    figure, axes = panels(2, len(places) * _ROW_IN, left=2.25, between=0.3)
    gains = {
        (way, count, target): track.row(way, count, target).gain
        for way, count in places
        for target in TARGETS
    }
    every = [
        each
        for gain in gains.values()
        if gain is not None
        for each in (gain.value, gain.low, gain.high)
    ]
    for panel, target in zip(axes, TARGETS, strict=True):
        zero(panel)
        for place, (way, count) in enumerate(places):
            gain = gains[way, count, target]
            own = track.row(way, count, target)
            colour = "good" if own.gains else "error" if own.costs else "warn"
            if gain is not None:
                colour = colour if way == PERSONAL else "quiet"
                dot(panel, place, gain, colour, hollow=way == OWN_MEAN)
        panel.set_xlim(*span_of(every))
        name_rows(panel, names, named=panel is axes[0])
        head(panel, target.capitalize(), colour=target)
        ccc = track.row(GENERAL, 0, target).ccc.value
        at = "" if ccc is None else f", which has {ccc:.2f}"
        under(panel, f"CCC minus that of the model for everybody{at}")
    return figure


def videos(count: int) -> str:
    """Return a number of videos in words.

    >>> videos(1), videos(3)
    ('1 video', '3 videos')
    """
    return f"{count} video" if count == 1 else f"{count} videos"
