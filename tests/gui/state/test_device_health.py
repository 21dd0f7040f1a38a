"""What devices say of themselves, in the window: seen where there is something, else no clutter."""

from __future__ import annotations

import math

import pytest
from PySide6.QtGui import QImage

from biosense.core.own_streams import AFFECT
from biosense.core.stream_status import StreamState, StreamStatus
from biosense.gui.connection.lsl_feed import WantedStream
from biosense.gui.state.banners import Level
from biosense.gui.state.stream_rows import StreamRow, rows_of
from biosense.gui.state.window_state import WindowState
from biosense.gui.widgets import theme
from biosense.gui.widgets.stream_table import StreamTable
from tests.support.gui_fakes import FakeClock, run_status, stream

WELL = {"battery": 0.84, "contact": True, "link": "streaming"}


def row(**changes: object) -> StreamRow:
    (only,) = rows_of(run_status(stream(**changes)), {})
    return only


@pytest.mark.parametrize(
    ("said", "words", "is_well"),
    [
        ({}, "", True),
        (WELL, "84 %", True),
        (WELL | {"battery": 0.12}, "12 %", False),
        (WELL | {"contact": False}, "84 %, no contact", False),
        ({"contact": False}, "no contact", False),
        (WELL | {"link": "scanning"}, "scanning", False),
    ],
)
def test_a_device_is_described_in_few_words(
    said: dict[str, object], words: str, is_well: bool
) -> None:
    shown = row(**said)
    assert (shown.device, shown.device_ok) == (words, is_well)


def test_a_stream_that_ended_is_no_alarm() -> None:
    ended = row(state=StreamState.ENDED, age=20.0)
    assert (ended.state, ended.age_ok, ended.reading) == ("ended", True, "")
    assert math.isnan(ended.quality)
    state = WindowState(FakeClock())
    state.take(run_status(stream(state=StreamState.ENDED, age=20.0)))
    assert state.banners() == ()


def test_the_estimates_of_this_run_are_read_and_of_no_other() -> None:
    state = WindowState(FakeClock())
    state.take(run_status(model="demo", run="5e0c"))
    assert WantedStream(AFFECT, "biosense-affect-5e0c") in state.wanted()


def test_meanwhile_the_top_bar_says_that_it_looks() -> None:
    state = WindowState(FakeClock())
    state.take(run_status(preflight=3.2))
    headline = state.headline()
    assert (headline.recording, headline.recording_level) == ("checking signals, 3 s", Level.QUIET)


def picture(*streams: StreamStatus) -> QImage:
    table = StreamTable()
    table.set_rows(rows_of(run_status(*streams), {}))
    table.resize(942, table.sizeHint().height())
    return table.grab().toImage()


def colours(image: QImage) -> set[str]:
    return {
        image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())
    }


@pytest.mark.gui
@pytest.mark.usefixtures("qapp")
def test_the_column_is_there_only_where_a_device_speaks() -> None:
    plain, silent = picture(stream()), picture(stream("other"), stream())
    assert picture(stream(), stream("other", **WELL)) != silent
    assert theme.WARN not in colours(plain)
    assert theme.WARN in colours(picture(stream(**WELL | {"battery": 0.1})))
