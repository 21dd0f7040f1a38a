"""Choose what is looked at closely: the best and the worst window of a stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.errors import BadInput
from biosense.core.types import Chunk, StreamInfo
from biosense.estimation.signal_quality import START_S
from biosense.processing.signal.units import ToSI
from biosense.recordings.report.collect import CollectedStream
from biosense.recordings.report.signal_summary import SignalSamples, SignalSummary

_ALIKE = 0.02  # qualities that differ by less are alike


@dataclass(frozen=True)
class ReportWindow:
    """Hold a window: what is special about it, its time, and the quality in it."""

    title: str
    begin: float
    end: float
    quality: float = float("nan")
    reason: str = ""


def choose_windows(stream: CollectedStream, begin: float, end: float) -> tuple[ReportWindow, ...]:
    """Return the best and the worst window of a stream, or one where all are alike.

    The first 20 s are passed over where there is more: features with long windows have no value
    yet. Among windows of like quality the one with the most responses is the best.
    """
    length = min(stream.view.window_s, end - begin)
    # An epoch tells of the samples before its end: of their middle on the whole.
    times = np.array([(epoch.start + epoch.stop) / 2 for epoch in stream.epochs])
    quality = np.array([epoch.quality for epoch in stream.epochs])
    if len(times):
        end = max(min(end, float(times[-1])), begin + length)
    starts = np.arange(min(begin + START_S, max(begin, end - length)), end - length + 1e-9, 1.0)
    if len(starts) == 0 or not len(times):
        middle = max(begin, (begin + end - length) / 2)
        return (ReportWindow("A window from the middle", middle, middle + length),)
    first, last = np.searchsorted(times, starts), np.searchsorted(times, starts + length)
    total = np.concatenate([[0.0], np.cumsum(quality)])
    expected = max(1, int(np.max(last - first)))
    # Points that are missing, in a gap, count as quality 0.
    mean = (total[last] - total[first]) / expected
    is_beat = "confidence" in stream.mark_names
    moments = np.empty(0) if is_beat else np.sort(stream.mark_table[:, 0])
    marks = np.searchsorted(moments, starts + length) - np.searchsorted(moments, starts)
    best = int(np.argmax(np.round(mean / _ALIKE) + marks / (marks.max() + 1)))
    lowest = np.flatnonzero(mean < mean.min() + _ALIKE / 2)
    worst = int(lowest[len(lowest) // 2])
    if mean[best] - mean[worst] < _ALIKE:
        return (_window(stream, "A window; all are alike", starts[best], length, mean[best]),)
    return (
        _window(stream, "Best window", starts[best], length, mean[best]),
        _window(stream, "Worst window", starts[worst], length, mean[worst]),
    )


def _window(
    stream: CollectedStream, title: str, start: float, length: float, quality: float
) -> ReportWindow:
    stop = start + length
    inside = [each for each in stream.epochs if start <= (each.start + each.stop) / 2 <= stop]
    reasons = [epoch.reason for epoch in inside if epoch.reason]
    reason = max(set(reasons), key=reasons.count) if reasons else ""
    return ReportWindow(title, float(start), float(stop), float(quality), reason)


Wanted = Mapping[str, Sequence[ReportWindow]]


def fetch(
    reader: XdfReader, collected: Mapping[str, CollectedStream], wanted: Wanted
) -> dict[str, SignalSummary]:
    """Read once more what was recorded in the chosen windows: the signals before cleaning."""
    stages: dict[str, ToSI | None] = {}
    summaries: dict[str, SignalSummary] = {}
    for item in reader.items():
        if not isinstance(item, Chunk) or item.info.name not in wanted or item.n == 0:
            continue
        name = item.info.name
        if not any(
            each.begin <= item.times[-1] and item.times[0] <= each.end for each in wanted[name]
        ):
            continue
        if name not in summaries:
            before = collected[name].before
            stages[name] = _to_unit_of(before.info, item.info)
            summaries[name] = SignalSummary(before.info, before.columns, before.scale, keep=True)
        stage = stages[name]
        for chunk in [item] if stage is None else stage.push(item):
            summaries[name].push(chunk)
    return summaries


def _to_unit_of(drawn: StreamInfo, info: StreamInfo) -> ToSI | None:
    """Return what brings a stream to the unit in which it is drawn, if it is not in it."""
    if drawn.unit == info.unit:
        return None
    stage = ToSI()
    if stage.start(info).unit != drawn.unit:
        raise BadInput(
            f"{info.name!r} is in {info.unit!r}, which cannot be drawn in {drawn.unit!r}"
        )
    return stage


def nearest(samples: SignalSamples, time: float, longest: float) -> float:
    """Return the value of the first channel at a time; NaN where no sample is that near."""
    if len(samples.times) == 0:
        return float("nan")
    at = int(np.argmin(np.abs(samples.times - time)))
    near = abs(samples.times[at] - time) <= longest
    return float(samples.values[at, 0]) if near else float("nan")
