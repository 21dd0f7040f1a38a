"""What the page tells in numbers and words: facts, the table of streams, events."""

from __future__ import annotations

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.own_streams import OWN_PREFIX
from biosense.core.types import EventKind
from biosense.recordings.inspection import Inspection, StreamReport
from biosense.recordings.report.collect import CollectedStream, Collector
from biosense.viz.axes import MarkerLine, Span, clock

_LOUD = {
    EventKind.LOST: "error",
    EventKind.ERROR: "error",
    EventKind.GAP: "error",
    EventKind.LOW_QUALITY: "warn",
    EventKind.RECOVERED: "good",
    EventKind.MARKER: "accent",
}
_HEADINGS = ("stream", "kind", "channels", "samples", "length", "rate", "nominal", "gaps")
HEADINGS = (*_HEADINGS, "lost", "drift", "quality")


def marker_lines(collector: Collector) -> list[MarkerLine]:
    """Return the markers that are drawn into figures."""
    markers = [
        MarkerLine(each.time, each.text, _LOUD[each.kind])
        for each in collector.events
        if each.kind is EventKind.MARKER
    ]
    texts = [each for each in collector.texts if not each[1].startswith(OWN_PREFIX)]
    return markers + [MarkerLine(time, text, "accent") for time, _, text in texts]


def events_of(collector: Collector, span: Span) -> tuple[tuple[str, str, str, str, str], ...]:
    """Return (time, colour, kind, stream, text) of each event and marker, in order."""
    rows = [
        (each.time, _LOUD.get(each.kind, "quiet"), str(each.kind), each.stream, each.text)
        for each in collector.events
    ]
    rows += [(time, "accent", "marker", name, text) for time, name, text in collector.texts]
    return tuple((clock(time - span.origin), *rest) for time, *rest in sorted(rows))  # type: ignore[misc]


def facts_of(reader: XdfReader, inspection: Inspection) -> tuple[tuple[str, str], ...]:
    """Return what is said of the whole recording, by name."""
    started = reader.started
    length = (inspection.end or 0.0) - (inspection.begin or 0.0)
    return (
        ("participant", reader.sidecar.participant or "not said"),
        ("started", f"{started:%d %b %Y, %H:%M:%S}" if started else "not said"),
        ("length", clock(round(length))),
        ("streams", str(len(inspection.streams))),
        ("gaps", str(sum(each.gaps for each in inspection.streams.values()))),
        ("to look at", str(len(inspection.problems))),
    )


def stream_facts(stream: CollectedStream, report: StreamReport) -> tuple[str, ...]:
    """Return what is said beside the name of a stream."""
    channels = "1 channel" if report.channels == 1 else f"{report.channels} channels"
    rate = f"{stream.info.sfreq:g} Hz" if stream.info.sfreq else "irregular"
    unit = stream.info.unit if stream.info.unit != "1" else ""
    facts = [channels, rate, f"recorded in {unit or 'no unit'}"]
    if stream.after is not None and stream.after.info.sfreq != stream.info.sfreq:
        facts.append(f"cleaned at {stream.after.info.sfreq:g} Hz")
    if report.quality is not None:
        facts.append(f"median quality {report.quality:.2f}")
    return tuple(facts)


def row_of(name: str, report: StreamReport) -> tuple[str, ...]:
    """Return the row of a stream in the table; the columns are `HEADINGS`."""

    def markers(value: float | None, form: str) -> str:
        return "" if value is None else format(value, form)

    regular = report.nominal_hz is not None
    return (
        name,
        report.kind,
        str(report.channels),
        f"{report.samples:,}".replace(",", "\u202f"),
        "" if report.seconds is None else clock(round(report.seconds)),
        markers(report.rate_hz, ".2f"),
        markers(report.nominal_hz, "g"),
        str(report.gaps) if regular else "",
        str(report.lost) if regular else "",
        "" if report.drift_ppm is None else f"{report.drift_ppm:z.1f} ppm",
        markers(report.quality, ".2f"),
    )
