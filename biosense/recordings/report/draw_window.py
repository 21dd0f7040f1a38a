"""Draw a window closely, before and after cleaning, with its marks; and the spectrum."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from biosense.core.types import Floats
from biosense.processing.eeg.band_powers import BANDS
from biosense.recordings.report.collect import CollectedStream
from biosense.recordings.report.draw_stream import label_lanes, lane_limits
from biosense.recordings.report.signal_summary import SignalSamples, SignalSummary, Spectrum
from biosense.recordings.report.windows import ReportWindow, nearest
from biosense.viz.axes import (
    HALF_IN,
    Span,
    decimated,
    label_time,
    split_at_gaps,
    stacked_axes,
    title_row,
    write,
)
from biosense.viz.svg import ink, ink_of

COLUMNS = 340
_LANE_SD = 7.0  # height of a lane in robust standard deviations of the middle channel
_MOST_LANES = 32
_AWAY = 6.0  # points from a mark to the signal
_SURE = 0.5  # confidence from which on a beat is drawn full


def draw_window(
    stream: CollectedStream, raw: SignalSummary | None, window: ReportWindow, origin: float
) -> Figure:
    """Draw a window of a stream."""
    span = Span(window.begin, window.end, origin)
    before = None if raw is None else raw.window(window.begin, window.end)
    after = _shifted(stream, window)
    lanes = len(stream.before.columns)
    is_same = stream.after is not None and stream.after.channels == stream.before.channels
    if lanes > 1 and is_same and before is not None and after is not None:
        figure, axes = stacked_axes([max(1.2, 0.17 * min(lanes, _MOST_LANES))], HALF_IN)
        size = _overlaid(axes[0], stream, before, after)
        aside = f"grey: before, less its trend; colour: after; lane {size:.3g} {stream.view.unit}"
        title = window.title
        if lanes > _MOST_LANES:
            title += f" ({_MOST_LANES} of {lanes} channels)"
        title_row(axes[0], title, aside)
    else:
        figure, axes = stacked_axes([1.15] * (1 + (after is not None)), HALF_IN)
        if before is not None:
            _alone(axes[0], stream, stream.before, before, "quiet")
        title_row(axes[0], window.title, "before cleaning")
        if after is not None and stream.after is not None:
            _alone(axes[1], stream, stream.after, after, "")
            _marks(axes[1], stream, after)
            title_row(axes[1], "", "after cleaning" + _legend(stream))
    label_time(axes, span)
    return figure


def lanes_shown(lanes: int) -> list[int]:
    """Return the channels that are drawn of many: evenly spread, all where there is room.

    >>> lanes_shown(3), len(lanes_shown(256)), lanes_shown(256)[-1]
    ([0, 1, 2], 32, 255)
    """
    spread = np.linspace(0, lanes - 1, min(lanes, _MOST_LANES)).round()
    return [int(lane) for lane in spread]


def _shifted(stream: CollectedStream, window: ReportWindow) -> SignalSamples | None:
    """Return the cleaned signal of a window, the delay of the filters taken off its times."""
    if stream.after is None:
        return None
    found = stream.after.window(window.begin + stream.late, window.end + stream.late)
    return found._replace(times=found.times - stream.late)


def _legend(stream: CollectedStream) -> str:
    if not (stream.view.mark and len(stream.mark_table)):
        return ""
    if "confidence" in stream.mark_names:
        return f"; ▼ {stream.view.mark}, faint if unsure"
    return f"; ▲ onset and amplitude of {stream.view.mark}s"


def _alone(
    axes: Axes, stream: CollectedStream, summary: SignalSummary, samples: SignalSamples, colour: str
) -> None:
    chosen = ink(colour) if colour else ink_of(stream.info.modality)
    lanes = len(summary.columns)
    for lane in range(lanes):
        values = samples.values[:, lane].astype(float)
        bottom, top = lane_limits(values) if lanes > 1 else (0.0, 0.0)
        size = (top - bottom) / 0.8 if lanes > 1 else 1.0
        values = (values - (top + bottom) / 2) / size - lane
        line = decimated(*split_at_gaps(samples.times, values, _longest(summary)), COLUMNS)
        axes.plot(*line, color=chosen, lw=0.8)
    if lanes > 1:
        label_lanes(axes, summary.channels)
    else:
        axes.set_ylabel(stream.view.unit or "a.u.", color=ink("quiet"), fontsize=7.5)
        axes.margins(y=0.16)


def _overlaid(
    axes: Axes, stream: CollectedStream, before: SignalSamples, after: SignalSamples
) -> float:
    """Draw channels in lanes of one scale, before and after on each other; return its height."""
    assert stream.after is not None
    spread = np.nanpercentile(after.values, [16, 84], axis=0) if len(after.times) else np.ones(2)
    size = max(_LANE_SD * float(np.median(np.diff(spread, axis=0))) / 2, 1e-6)
    chosen = lanes_shown(len(stream.before.columns))
    for samples, summary, colour, alpha in (
        (before, stream.before, ink("faint"), 0.8),
        (after, stream.after, ink_of(stream.info.modality), 1.0),
    ):
        for lane, column in enumerate(chosen):
            values = _level(samples.times, samples.values[:, column].astype(float))
            # What leaves its lane by far would only hide the others.
            values = np.clip(values / size, -1.2, 1.2) - lane
            line = decimated(*split_at_gaps(samples.times, values, _longest(summary)), COLUMNS)
            axes.plot(*line, color=colour, lw=0.55, alpha=alpha)
    label_lanes(axes, [stream.before.channels[column] for column in chosen])
    return size


def _level(times: Floats, values: Floats) -> Floats:
    """Take the trend out, which would carry a lane over the others."""
    known = np.isfinite(values)
    if np.count_nonzero(known) < 3:
        return values
    since = times - times[0]
    slope, level = np.polyfit(since[known], values[known], 1)
    return np.asarray(values - level - slope * since)


def _longest(summary: SignalSummary) -> float:
    return 2.5 / summary.info.sfreq if summary.info.sfreq else 10.0


def _marks(axes: Axes, stream: CollectedStream, after: SignalSamples) -> None:
    if len(after.times) == 0:
        return
    marks = stream.mark_table
    inside = (marks[:, 0] >= after.times[0]) & (marks[:, 0] <= after.times[-1])
    confidence = stream.mark_column("confidence")
    amplitude = stream.mark_column("amplitude")
    for number in np.flatnonzero(inside).tolist():
        at = float(marks[number, 0])
        height = nearest(after, at, 0.3)
        sure = not len(confidence) or confidence[number] >= _SURE
        shift = (0, -_AWAY if not len(confidence) else _AWAY)
        axes.annotate(
            "▼" if len(confidence) else "▲",
            *((at, height), shift, "data", "offset points"),
            ha="center",
            va="center",
            fontsize=6,
            color=ink("text" if sure else "faint"),
        )
        if not len(confidence):
            label = f"+{amplitude[number] * stream.view.scale:.2f}"
            write(axes, label, (at, height), (5, -9), coords="data", colour=ink("text"), size=6.5)


def draw_spectrum(stream: CollectedStream) -> Figure | None:
    """Draw the mean spectra before and after; None where there is none to draw."""
    band = stream.view.band_hz
    before = stream.before.spectrum()
    after = stream.after.spectrum() if stream.after is not None else None
    if band is None or (before is None and after is None):
        return None
    figure, axes = stacked_axes([1.7])
    for spectrum, colour in ((before, ink("faint")), (after, ink_of(stream.info.modality))):
        if spectrum is not None:
            _density(axes[0], spectrum, colour, band)
    axes[0].set_yscale("log")
    axes[0].yaxis.set_minor_locator(NullLocator())
    axes[0].set_xlim(0, min(band[1], 1.0 * _highest(before, after)))
    _limit(axes[0], before, after, band)
    axes[0].set_xlabel("Hz", fontsize=7.5, color=ink("quiet"), labelpad=1)
    unit = f"{stream.view.unit}²/Hz" if stream.view.unit else "a.u.²/Hz"
    axes[0].set_ylabel(unit, fontsize=7.5, color=ink("quiet"))
    if str(stream.info.modality) == "eeg":
        _name_bands(axes[0])
    many = len(stream.before.columns) > 2
    aside = "grey: before; colour: after" + ("; median and 5 to 95 % of channels" if many else "")
    title_row(axes[0], "Spectrum", aside)
    return figure


def _density(axes: Axes, spectrum: Spectrum, colour: str, band: tuple[float, float]) -> None:
    inside = (spectrum.frequencies >= band[0]) & (spectrum.frequencies <= band[1])
    power = np.maximum(spectrum.power[inside], 1e-30)
    frequencies = spectrum.frequencies[inside]
    axes.plot(frequencies, np.median(power, axis=1), color=colour, lw=1.2)
    if power.shape[1] > 2:
        low, high = np.percentile(power, [5, 95], axis=1)
        axes.fill_between(frequencies, low, high, color=colour, alpha=0.18, lw=0)


def _highest(*spectra: Spectrum | None) -> float:
    return max(float(each.frequencies[-1]) for each in spectra if each is not None)


def _limit(
    axes: Axes, before: Spectrum | None, after: Spectrum | None, band: tuple[float, float]
) -> None:
    """Show what is there before cleaning, and six decades at most."""
    shown = before or after
    assert shown is not None
    inside = (shown.frequencies >= band[0]) & (shown.frequencies <= band[1])
    middle: Floats = np.median(shown.power[inside], axis=1)
    known = middle[middle > 0]
    if len(known):
        top = float(known.max()) * 4
        axes.set_ylim(max(float(known.min()) / 20, top / 1e7), top)


def _name_bands(axes: Axes) -> None:
    for number, (name, (low, high)) in enumerate(BANDS.items()):
        if number % 2 == 0:
            axes.axvspan(low, high, color=ink("line"), alpha=0.35, lw=0, zorder=0)
        middle, where = ((low + high) / 2, 0.0), ("data", "axes fraction")
        quiet = ink("quiet")
        write(axes, name, middle, (0, 3), coords=where, colour=quiet, size=6.5, align="center")
