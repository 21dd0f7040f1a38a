"""Say in words what was left out of a stream, and why."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from biosense.core.grid import HOP
from biosense.estimation.signal_quality import HIGH
from biosense.recordings.inspection import StreamReport
from biosense.recordings.report.collect import CollectedStream

_MOST_CHANNELS = 8
_MOST_REASONS = 6
_OFTEN = 0.05  # share of looks from which on a channel that is left out is named
_SURE = 0.5


def omissions(stream: CollectedStream, report: StreamReport) -> list[str]:
    """Say what was not used of a stream, and why."""
    return [*_missing(stream, report), *_distrusted(stream), *_poor(stream), *_channels(stream)]


def findings(stream: CollectedStream) -> list[str]:
    """Say what was found in a stream."""
    marks = stream.mark_table
    if not stream.view.mark:
        return []
    count = f"{len(marks)} {stream.view.mark}{'' if len(marks) == 1 else 's'}"
    if "confidence" not in stream.mark_names:
        sizes, unit = stream.mark_column("amplitude") * stream.view.scale, stream.view.unit
        return [f"{count}, median amplitude {np.median(sizes):.2f} {unit}" if len(sizes) else count]
    waits = stream.mark_column("known_at") - marks[:, 0]
    late = int(np.count_nonzero(stream.mark_column("late")))
    unsure = int(np.count_nonzero(stream.mark_column("confidence") < _SURE))
    return [
        f"{count}; half of them known within {1000 * np.median(waits):.0f} ms",
        f"{late} found late (while learning, or by searching back)",
        f"{unsure} of low confidence (below {_SURE:g}; drawn faint)",
    ]


def _missing(stream: CollectedStream, report: StreamReport) -> list[str]:
    if not report.gaps:
        return []
    seconds = sum(gap.stop - gap.start for gap in report.gap_list)
    gaps = "1 gap" if report.gaps == 1 else f"{report.gaps} gaps"
    return [
        f"{gaps}, {seconds:.1f} s, about {report.lost} samples: nothing is interpolated across a "
        "longer gap, and filters begin anew behind it"
    ]


def _distrusted(stream: CollectedStream) -> list[str]:
    after = stream.after
    if after is None or not after.distrusted or not after.info.sfreq:
        return []
    seconds = after.distrusted / after.info.sfreq
    return [
        f"{seconds:.1f} s not trusted after cleaning: filters still settling at the start and "
        "behind gaps, values missing, or outside of what this signal can be"
    ]


def _poor(stream: CollectedStream) -> list[str]:
    poor = [epoch for epoch in stream.epochs if epoch.quality < HIGH]
    if not poor:
        return []
    reasons = Counter(reason for epoch in poor for reason in _reasons(epoch.reason))
    markers = [(each, n * HOP) for each, n in reasons.most_common(_MOST_REASONS)]
    why = ", ".join(f"{each} {seconds:.0f} s" for each, seconds in markers if seconds >= 0.5)
    share = len(poor) / len(stream.epochs)
    said = f"quality below {HIGH:g} for {len(poor) * HOP:.0f} s ({share:.0%})"
    return [f"{said}: {why}" if why else said]


def _reasons(text: str) -> list[str]:
    """Take the reasons of an epoch apart.

    >>> _reasons("jump, muscle; F8 flat"), _reasons("")
    (['jump', 'muscle', 'F8 flat'], ['not said'])
    """
    return [each.strip() for each in re.split("[,;]", text)] if text else ["not said"]


def _channels(stream: CollectedStream) -> list[str]:
    share = stream.left_out
    often = [at for at in np.argsort(-share).tolist() if share[at] >= _OFTEN]
    if not often:
        return []
    named = [f"{stream.info.channels[at]} {share[at]:.0%}" for at in often[:_MOST_CHANNELS]]
    more = f" and {len(often) - _MOST_CHANNELS} more" if len(often) > _MOST_CHANNELS else ""
    return [
        f"channels left out of the features, share of looks once a second: "
        f"{', '.join(named)}{more} (flat, off scale, incomplete or too large)"
    ]
