"""What the page is filled with, and the writing of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from biosense import __version__
from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.own_streams import AFFECT, OWN_PREFIX
from biosense.core.types import Chunk
from biosense.estimation.chunk_joiner import joined
from biosense.estimation.estimate_stream import estimate_header
from biosense.estimation.processor import ProcessorSettings
from biosense.recordings.inspect import inspect_reader
from biosense.recordings.inspection import Inspection, StreamReport
from biosense.recordings.report.collect import CollectedStream, Collector
from biosense.recordings.report.draw_session import draw_estimates, draw_plain, draw_timeline
from biosense.recordings.report.draw_stream import draw_overview
from biosense.recordings.report.draw_window import draw_spectrum, draw_window
from biosense.recordings.report.pipeline_steps import Step
from biosense.recordings.report.sentences import findings, omissions
from biosense.recordings.report.signal_summary import SignalSummary
from biosense.recordings.report.tables import (
    HEADINGS,
    events_of,
    facts_of,
    marker_lines,
    row_of,
    stream_facts,
)
from biosense.recordings.report.windows import ReportWindow, choose_windows, fetch
from biosense.viz.axes import MarkerLine, Span, clock
from biosense.viz.page import check_page, fill_page
from biosense.viz.palette import DARK, LIGHT, colour_name
from biosense.viz.svg import figure_style, svg_of, variables

_TEMPLATE = Path(__file__).with_name("page.html.j2")


@dataclass(frozen=True)
class Section:
    """Hold what the page says of one stream; figures are <svg> elements."""

    name: str
    title: str
    colour: str
    facts: tuple[str, ...]
    steps: tuple[Step, ...]
    found: tuple[str, ...]
    left_out: tuple[str, ...]
    overview: str
    caption: str
    windows: tuple[tuple[ReportWindow, str, str], ...]
    spectrum: str


@dataclass(frozen=True)
class Content:
    """Hold everything that the page says."""

    title: str
    facts: tuple[tuple[str, str], ...]
    problems: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    timeline: str
    estimates: str
    estimates_by: str
    sections: tuple[Section, ...]
    plain: tuple[tuple[str, str], ...]
    events: tuple[tuple[str, str, str, str, str], ...]
    mains_hz: float
    light: str = variables(LIGHT)
    dark: str = variables(DARK)
    version: str = __version__


def write_report(
    recording: Path, out: Path, settings: ProcessorSettings | None = None
) -> Inspection:
    """Write one HTML file that shows a recording, and return what `inspect` found.

    The numbers and signals are those of the live pipelines: taps listen to them while the recording
    passes through. The file needs no other file and no network.

    Parameters
    ----------
    recording
        A recording folder, or an .xdf file of any program.
    out
        The file to write; one that is there is replaced.
    settings
        Of the processor.

    Returns
    -------
    Inspection
        What `inspect` finds.

    Raises
    ------
    BadInput
        If `out` cannot be a file, or would be the recording.
    """
    check_page(out)
    content, inspection = content_of(recording, settings or ProcessorSettings())
    out.write_text(render(content), encoding="utf-8")
    return inspection


def render(content: Content) -> str:
    """Fill the page."""
    return fill_page(_TEMPLATE, page=content, headings=HEADINGS)


def content_of(recording: Path, settings: ProcessorSettings) -> tuple[Content, Inspection]:
    """Look at a recording and draw it."""
    collector = Collector()
    reader = XdfReader(recording)
    inspection = inspect_reader(reader, settings, watch=collector)
    begin, end = inspection.begin or 0.0, inspection.end or 0.0
    span = Span(begin, max(end, begin + 1.0), begin)
    with figure_style():
        return _content(reader, inspection, collector, span, settings), inspection


def _content(
    reader: XdfReader,
    inspection: Inspection,
    collector: Collector,
    span: Span,
    settings: ProcessorSettings,
) -> Content:
    markers = marker_lines(collector)
    collected = {
        name: stream for name, stream in collector.collected.items() if stream.before.samples
    }
    windows = {
        name: _chosen(stream, inspection.streams[name]) for name, stream in collected.items()
    }
    raw = fetch(reader, collected, windows)
    affect = collector.others.get(AFFECT)
    return Content(
        title=reader.path.parent.name if reader.path.name == "recording.xdf" else reader.path.name,
        facts=facts_of(reader, inspection),
        problems=inspection.problems,
        rows=tuple(
            (colour_name(each.kind), row_of(name, each))
            for name, each in inspection.streams.items()
        ),
        timeline=svg_of(draw_timeline(inspection, collected, span, markers), "streams over time"),
        estimates=_estimates(collector, span, markers) if affect else "",
        estimates_by=_estimated_by(affect[0]) if affect else "",
        sections=tuple(
            _section(stream, inspection.streams[name], windows[name], raw.get(name), span, markers)
            for name, stream in collected.items()
        ),
        plain=tuple(
            (name, svg_of(draw_plain(parts, span), name))
            for name, parts in collector.others.items()
            if not name.startswith(OWN_PREFIX)
        ),
        events=events_of(collector, span),
        mains_hz=settings.mains_hz,
    )


def _section(
    stream: CollectedStream,
    report: StreamReport,
    windows: Sequence[ReportWindow],
    raw: SignalSummary | None,
    span: Span,
    markers: Sequence[MarkerLine],
) -> Section:
    name = stream.info.name
    gaps = [(gap.start, gap.stop) for gap in report.gap_list]
    spectrum = draw_spectrum(stream)
    return Section(
        name=name,
        title=stream.view.title,
        colour=colour_name(stream.info.modality),
        facts=stream_facts(stream, report),
        steps=stream.steps,
        found=tuple(findings(stream)),
        left_out=tuple(omissions(stream, report)),
        overview=svg_of(draw_overview(stream, span, gaps, markers), f"{name}: the whole recording"),
        caption=stream.view.caption,
        windows=tuple(
            (each, _at(each, span), svg_of(draw_window(stream, raw, each, span.origin), each.title))
            for each in windows
        ),
        spectrum="" if spectrum is None else svg_of(spectrum, f"{name}: spectrum"),
    )


def _chosen(stream: CollectedStream, report: StreamReport) -> tuple[ReportWindow, ...]:
    return choose_windows(stream, report.first or 0.0, report.last or 0.0)


def _at(window: ReportWindow, span: Span) -> str:
    return f"{clock(window.begin - span.origin)} to {clock(window.end - span.origin)}"


def _estimates(collector: Collector, span: Span, markers: Sequence[MarkerLine]) -> str:
    affect = joined(collector.others[AFFECT])
    truth = None
    for name, parts in collector.others.items():
        if name != AFFECT and {"valence", "arousal"} <= set(parts[0].info.channels):
            truth = joined(parts)
    return svg_of(draw_estimates(affect, truth, span, markers), "valence and arousal over time")


def _estimated_by(chunk: Chunk) -> str:
    header = estimate_header(chunk.info)
    if header is None:
        return "recorded live; the recording does not say by which model"
    digest = header.model_digest[:12]
    return f"recorded live; model {header.model} ({digest}), mains {header.settings.mains_hz:g} Hz"
