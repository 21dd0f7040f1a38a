"""The page that shows a recording: what it is made from, what it says, what it weighs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from biosense.acquisition.simulated import simulate
from biosense.acquisition.xdf.events import EVENTS, event_chunk
from biosense.acquisition.xdf.reader import XdfReader
from biosense.acquisition.xdf.writer import XdfWriter
from biosense.core.errors import BadInput
from biosense.core.stage import Pipeline
from biosense.core.types import Chunk, Epoch, Event, EventKind, Modality, StreamInfo
from biosense.estimation.estimate_stream import EstimateHeader, estimate_info
from biosense.estimation.interleave import interleave
from biosense.estimation.processor import Processor, ProcessorSettings
from biosense.processing.pipelines import feature_pipeline
from biosense.recordings.inspect import inspect, inspect_reader
from biosense.recordings.report.collect import Collector
from biosense.recordings.report.page import write_report
from biosense.viz.palette import DARK, LIGHT

BEGIN, SECONDS = 500.0, 45.0
GAP = (BEGIN + 30.0, BEGIN + 34.0)
VOID = {"meta", "br", "img", "link", "hr"}


class Page(HTMLParser):
    """Check that tags close in order, and keep what is looked for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.sources += [v or "" for k, v in attrs if k in ("src", "href", "xlink:href")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [v or "" for k, v in attrs if k in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def write(path: Path, streams: Sequence[Chunk], events: Sequence[Event] = ()) -> Path:
    items = [(float(chunk.times[-1]), chunk) for chunk in interleave(streams)]
    items += [(event.time, event_chunk(event)) for event in events]
    with XdfWriter(path) as writer:
        for stream in streams:
            writer.add_stream(stream.info)
        writer.add_stream(EVENTS)
        for _, chunk in sorted(items, key=lambda item: item[0]):
            writer.write(chunk)
    return path


def estimates() -> Chunk:
    """Make a stream of estimates as a run records it."""
    header = EstimateHeader(ProcessorSettings(), "some-model", "abc123", {})
    info = estimate_info((Modality.ECG, Modality.EDA), header)
    times = BEGIN + np.arange(20, 160) / 4
    wave = 0.5 * np.sin(times / 9)
    rows = np.column_stack(
        [wave, -wave, 0.2 + 0 * wave, 0.3 + 0 * wave, 0.6 + 0 * wave, 0.4 + 0 * wave]
    )
    return Chunk.of(info, times, rows)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kinds = [Modality.ECG, Modality.EDA]
    person = simulate(3, SECONDS, modalities=kinds, start=BEGIN)
    ecg, eda = person.streams
    there = (eda.times < GAP[0]) | (eda.times > GAP[1])
    eda = replace(eda, times=eda.times[there], data=eda.data[there], ok=eda.ok[there])
    gaze = StreamInfo("gaze <x>", None, ("x", "y"), 10.0, "px", content_type="Gaze")
    looks = Chunk.of(gaze, BEGIN + np.arange(400) / 10, np.arange(800).reshape(400, 2))
    said = [Event(BEGIN + 12.0, EventKind.MARKER, "", "film <1> & more")]
    path = tmp_path_factory.mktemp("report") / "recording.xdf"
    return write(path, [ecg, eda, looks, estimates()], said)


@pytest.fixture(scope="module")
def page(recording: Path) -> str:
    out = recording.with_name("report.html")
    write_report(recording, out)
    return out.read_text(encoding="utf-8")


def test_the_page_is_whole_and_needs_no_other_file(page: str) -> None:
    parsed = Page(page)
    assert parsed.open == []
    assert all(source.startswith(("#", "data:")) for source in parsed.sources)
    assert not re.search(r"url\((?!#)|@import|<script|https?://(?!www\.w3\.org)", page)


def test_the_page_shows_every_stream_before_and_after_with_marks(page: str) -> None:
    words = " ".join(Page(page).words)
    for expected in (
        *("Before cleaning", "After cleaning", "all are alike", "after cleaning", "Spectrum"),
        *("R peak", "SCR", "0.5 Hz, high 40 Hz", "known within", "1 gap, 4.0 s"),
        *("mV", "µS", "beats/min", "quality below 0.6"),
    ):
        assert expected in words, expected


def test_the_page_shows_estimates_with_their_model(page: str) -> None:
    words = " ".join(Page(page).words)
    assert "some-model (abc123)" in words
    assert "90 % interval" in words
    assert "from below: ecg, eda" in words


def test_words_of_people_cannot_break_the_page(page: str) -> None:
    words = " ".join(Page(page).words)
    assert "film <1> & more" in words
    assert "gaze <x>" in words
    assert "<1>" not in page


def test_figures_take_their_colours_from_the_page(page: str) -> None:
    assert "#0100" not in page
    assert set(re.findall(r"var\(--(\w+)\)", page)) <= set(LIGHT)
    assert set(LIGHT) == set(DARK)


def test_the_page_is_light_for_its_streams(page: str) -> None:
    assert len(page) < 1_000_000


@pytest.mark.gui
def test_the_dark_colours_are_those_of_the_window() -> None:
    theme = pytest.importorskip("biosense.gui.widgets.theme")
    for modality, colour in theme.MODALITIES.items():
        assert DARK[str(modality)] == colour
    for name in ("ground", "panel", "line", "text", "quiet", "accent", "good", "warn", "error"):
        assert DARK[name] == getattr(theme, name.upper())


def test_taps_change_no_number(recording: Path) -> None:
    watched, plain = Collector(), []
    inspect_reader(XdfReader(recording), watch=watched)

    class Plain:
        def wrap(self, info: StreamInfo, pipeline: Pipeline) -> Pipeline:
            return pipeline

        def take(self, item: object) -> None:
            pass

        def note(self, outcome: object) -> None:
            plain.extend([outcome] if isinstance(outcome, Epoch) else [])

    inspect_reader(XdfReader(recording), watch=Plain())
    seen = [epoch for stream in watched.collected.values() for epoch in stream.epochs]
    assert len(plain) == len(seen) > 200
    by_place = {(epoch.info.name, epoch.index): epoch for epoch in plain}
    for epoch in seen:
        other = by_place[epoch.info.name, epoch.index]
        np.testing.assert_array_equal(epoch.data, other.data)
        assert epoch.quality == other.quality


def test_what_inspect_finds_is_the_same_with_longer_chunks(recording: Path) -> None:
    processor, qualities = Processor(ProcessorSettings()), []
    ecg = next(s for s in simulate(3, SECONDS, modalities=[Modality.ECG], start=BEGIN).streams)
    processor.add_stream(ecg.info)
    for chunk in interleave([ecg], 0.1):
        qualities += [o.quality for o in processor.push(chunk) if isinstance(o, Epoch)]
    assert inspect(recording).streams["sim-ecg"].quality == pytest.approx(np.median(qualities))


def test_taps_keep_the_fingerprint() -> None:
    info = StreamInfo("chest", Modality.ECG, ("ecg",), 130.0, "V")
    pipeline = feature_pipeline(info)
    before = pipeline.fingerprint
    assert Collector().wrap(info, pipeline).fingerprint == before


def test_the_cleaned_ecg_is_shifted_by_the_delay_so_that_marks_lie_on_peaks(
    recording: Path,
) -> None:
    collector = Collector()
    inspect_reader(XdfReader(recording), watch=collector)
    stream = collector.collected["sim-ecg"]
    assert stream.after is not None
    samples = stream.after.window(BEGIN + 20, BEGIN + 30)
    times, values = samples.times - stream.late, samples.values[:, 0]
    for beat in stream.mark_table[:, 0]:
        if BEGIN + 21 < beat < BEGIN + 29:
            near = np.abs(times - beat) < 0.1
            assert abs(times[near][np.argmax(values[near])] - beat) < 0.012


@pytest.mark.parametrize("name", ["report.xdf", "."])
def test_a_file_that_cannot_be_a_report_is_refused(
    recording: Path, tmp_path: Path, name: str
) -> None:
    with pytest.raises(BadInput, match="name a file, such as"):
        write_report(recording, tmp_path / name)


def test_a_recording_without_a_sample_gives_a_page(tmp_path: Path) -> None:
    ecg = StreamInfo("chest", Modality.ECG, ("ecg",), 130.0, "uV")
    path = tmp_path / "empty.xdf"
    with XdfWriter(path) as writer:
        writer.add_stream(ecg)
    write_report(path, tmp_path / "out.html")
    assert "no sample at all" in (tmp_path / "out.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("fill", [0.0, np.nan, 1e9], ids=["flat", "missing", "clipped"])
def test_bad_signals_give_a_page(tmp_path: Path, fill: float) -> None:
    info = StreamInfo("cap", Modality.EEG, ("F3", "F4", "Pz"), 128.0, "uV")
    data = np.full((128 * 6, 3), fill)
    path = write(tmp_path / "bad.xdf", [Chunk.of(info, np.arange(128 * 6) / 128, data)])
    write_report(path, tmp_path / "out.html")
    assert Page((tmp_path / "out.html").read_text(encoding="utf-8")).open == []


@pytest.mark.parametrize(
    ("modality", "sfreq", "unit"),
    [(Modality.RESP, 25.0, "a.u."), (Modality.TEMP, 4.0, "C"), (Modality.EMG, 500.0, "mV")],
)
def test_streams_without_a_drawing_of_their_own_are_drawn_before_and_after(
    tmp_path: Path, modality: Modality, sfreq: float, unit: str
) -> None:
    info = StreamInfo("other", modality, ("one",), sfreq, unit)
    times = np.arange(round(12 * sfreq)) / sfreq
    stream = Chunk.of(info, times, 30 + np.sin(2 * np.pi * 0.3 * times))
    write_report(write(tmp_path / "other.xdf", [stream]), tmp_path / "out.html")
    words = " ".join(Page((tmp_path / "out.html").read_text(encoding="utf-8")).words)
    assert "Before cleaning" in words
    assert "After cleaning" in words
