"""What the page is filled with, and the writing of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from biosense import __version__
from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.errors import BadInput
from biosense.core.own_streams import AFFECT, OWN_PREFIX
from biosense.core.types import Chunk
from biosense.estimation.chunk_joiner import joined
from biosense.estimation.estimate_stream import affect_header
from biosense.estimation.processor import ProcessorSettings
from biosense.recordings.inspect import Inspection, StreamReport, inspect_reader
from biosense.recordings.report.collect import Collector, Story
from biosense.recordings.report.draw_session import draw_estimates, draw_plain, draw_timeline
from biosense.recordings.report.draw_stream import draw_overview
from biosense.recordings.report.draw_window import draw_spectrum, draw_window
from biosense.recordings.report.pipeline_steps import Step
from biosense.recordings.report.sentences import found, left_out
from biosense.recordings.report.signal_summary import Trail
from biosense.recordings.report.tables import (
    HEADINGS,
    events_of,
    facts_of,
    happenings,
    name_of_kind,
    row_of,
    stream_facts,
)
from biosense.recordings.report.windows import Window, choose, fetch
from biosense.viz.axes import Happening, Span, clock
from biosense.viz.svg import DARK, LIGHT, name_of, styled, svg_of, variables


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
    windows: tuple[tuple[Window, str, str], ...]
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

    Raises
    ------
    BadInput
        If `out` cannot be a file, or would be the recording.
    """
    if out.is_dir() or not out.absolute().parent.is_dir() or out.suffix.lower() == ".xdf":
        raise BadInput(f"{out} cannot be written as a report: name a file, such as report.html")
    content, inspection = content_of(recording, settings or ProcessorSettings())
    out.write_text(render(content), encoding="utf-8")
    return inspection


def render(content: Content) -> str:
    """Fill the page."""
    import jinja2

    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html.j2").render(page=content, headings=HEADINGS)


def content_of(recording: Path, settings: ProcessorSettings) -> tuple[Content, Inspection]:
    """Look at a recording and draw it."""
    collector = Collector()
    reader = XdfReader(recording)
    inspection = inspect_reader(reader, settings, watch=collector)
    begin, end = inspection.begin or 0.0, inspection.end or 0.0
    span = Span(begin, max(end, begin + 1.0), begin)
    with styled():
        return _content(reader, inspection, collector, span, settings), inspection


def _content(
    reader: XdfReader,
    inspection: Inspection,
    collector: Collector,
    span: Span,
    settings: ProcessorSettings,
) -> Content:
    told = happenings(collector)
    stories = {name: story for name, story in collector.stories.items() if story.before.samples}
    windows = {name: _chosen(story, inspection.streams[name]) for name, story in stories.items()}
    raw = fetch(reader, stories, windows)
    affect = collector.others.get(AFFECT)
    return Content(
        title=reader.path.parent.name if reader.path.name == "recording.xdf" else reader.path.name,
        facts=facts_of(reader, inspection),
        problems=inspection.problems,
        rows=tuple(
            (name_of_kind(each.kind), row_of(name, each))
            for name, each in inspection.streams.items()
        ),
        timeline=svg_of(draw_timeline(inspection, stories, span, told), "streams over time"),
        estimates=_estimates(collector, span, told) if affect else "",
        estimates_by=_estimated_by(affect[0]) if affect else "",
        sections=tuple(
            _section(story, inspection.streams[name], windows[name], raw.get(name), span, told)
            for name, story in stories.items()
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
    story: Story,
    report: StreamReport,
    windows: Sequence[Window],
    raw: Trail | None,
    span: Span,
    told: Sequence[Happening],
) -> Section:
    name = story.info.name
    gaps = [(gap.start, gap.stop) for gap in report.gap_list]
    spectrum = draw_spectrum(story)
    return Section(
        name=name,
        title=story.view.title,
        colour=name_of(story.info.modality),
        facts=stream_facts(story, report),
        steps=story.steps,
        found=tuple(found(story)),
        left_out=tuple(left_out(story, report)),
        overview=svg_of(draw_overview(story, span, gaps, told), f"{name}: the whole recording"),
        caption=story.view.caption,
        windows=tuple(
            (each, _at(each, span), svg_of(draw_window(story, raw, each, span.origin), each.title))
            for each in windows
        ),
        spectrum="" if spectrum is None else svg_of(spectrum, f"{name}: spectrum"),
    )


def _chosen(story: Story, report: StreamReport) -> tuple[Window, ...]:
    return choose(story, report.first or 0.0, report.last or 0.0)


def _at(window: Window, span: Span) -> str:
    return f"{clock(window.begin - span.origin)} to {clock(window.end - span.origin)}"


def _estimates(collector: Collector, span: Span, told: Sequence[Happening]) -> str:
    affect = joined(collector.others[AFFECT])
    truth = None
    for name, parts in collector.others.items():
        if name != AFFECT and {"valence", "arousal"} <= set(parts[0].info.channels):
            truth = joined(parts)
    return svg_of(draw_estimates(affect, truth, span, told), "valence and arousal over time")


def _estimated_by(chunk: Chunk) -> str:
    header = affect_header(chunk.info)
    if header is None:
        return "recorded live; the recording does not say by which model"
    digest = header.model_digest[:12]
    return f"recorded live; model {header.model} ({digest}), mains {header.settings.mains_hz:g} Hz"
