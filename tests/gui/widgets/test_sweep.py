"""The sweep, pixel by pixel, off screen."""

import numpy as np
import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from biosense.core.types import Bools, Floats, Modality
from biosense.gui.state.trace import Trace
from biosense.gui.widgets import gutter, theme
from biosense.gui.widgets.sweep import AHEAD, LATE_S, Sweep
from tests.support.gui_fakes import INFO, chunk, plain_trace

pytestmark = pytest.mark.gui

WIDTH, HEIGHT, SPAN, SFREQ = 500, 200, 10.0, 100.0
START = 1000.0  # a multiple of the span: the left edge
PER_SECOND = WIDTH / SPAN


@pytest.fixture
def trace() -> Trace:
    return plain_trace(SPAN)


@pytest.fixture
def sweep(qtbot: QtBot, trace: Trace) -> Sweep:
    widget = Sweep(SPAN)
    qtbot.addWidget(widget)
    widget.resize(WIDTH + gutter.WIDTH, HEIGHT)
    widget.set_traces([trace])
    widget.show()
    return widget


def times(first: float, last: float) -> Floats:
    return START + np.arange(round(first * SFREQ), round(last * SFREQ)) / SFREQ


def add(trace: Trace, at: Floats, values: Floats) -> None:
    trace.buffer.append(chunk(INFO, at, values))


def pixels(widget: Sweep) -> np.ndarray:
    """Return the traces as an array of RGB, (height, width, 3)."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    whole = rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
    return whole[:, gutter.WIDTH :].astype(int)


def drawn(widget: Sweep) -> Bools:
    """Tell which pixels are of the trace: nearer to its colour than to all that lies behind."""
    hue = theme.colour(theme.MODALITIES[Modality.ECG])
    distance = np.abs(pixels(widget) - [hue.red(), hue.green(), hue.blue()]).sum(axis=2)
    return distance < 200


def test_ramp_is_where_its_samples_are(sweep: Sweep, trace: Trace) -> None:
    at = times(0.0, 8.0)
    add(trace, at, (at - START) / 10.0)
    sweep.advance(START + 8.0)
    there = drawn(sweep)
    for second in (0.5, 2.0, 5.3, 7.9):
        (rows,) = np.nonzero(there[:, int(second * PER_SECOND)])
        assert rows.mean() == pytest.approx(HEIGHT * (1.0 - second / 10.0), abs=2.5)


def test_single_sample_is_never_lost_between_columns(sweep: Sweep, trace: Trace) -> None:
    at = times(0.0, 6.0)
    values = np.full(len(at), 0.1)
    values[437] = 0.95
    add(trace, at, values)
    sweep.advance(START + 6.0)
    there = drawn(sweep)
    columns = np.flatnonzero(there[: HEIGHT // 4].any(axis=0))
    assert columns.tolist() == [int(4.37 * PER_SECOND)]


def test_gap_is_a_break(sweep: Sweep, trace: Trace) -> None:
    at = np.concatenate([times(0.0, 2.0), times(4.0, 6.0)])
    add(trace, at, np.full(len(at), 0.75))
    sweep.advance(START + 6.0)
    there = drawn(sweep).any(axis=0)
    first, last = int(2.0 * PER_SECOND), int(4.0 * PER_SECOND)
    assert there[first - 3]
    assert not there[first + 1 : last - 1].any()
    assert there[last + 1]


def test_missing_value_is_a_break(sweep: Sweep, trace: Trace) -> None:
    at = times(0.0, 6.0)
    values = np.full(len(at), 0.75)
    values[200:400] = np.nan
    add(trace, at, values)
    sweep.advance(START + 6.0)
    assert not drawn(sweep)[:, 102:198].any()


def test_painting_piece_by_piece_gives_the_same_picture_as_all_at_once(
    sweep: Sweep, trace: Trace
) -> None:
    at = times(3.0, 14.0)  # over the right edge
    values = 0.5 + 0.4 * np.sin(5.0 * at) * np.sin(0.7 * at)
    values[500:520] = np.nan
    sizes = [1, 2, 3, 17, 40, 9]
    first = 0
    for n in range(1000):
        last = min(first + sizes[n % len(sizes)], len(at))
        add(trace, at[first:last], values[first:last])
        sweep.advance(at[last - 1])
        first = last
        if first == len(at):
            break
    pieces = pixels(sweep)
    sweep._forget()
    sweep.advance(at[-1])
    assert (np.abs(pieces - pixels(sweep)).max(axis=2) > 40).mean() < 1e-3


def test_oldest_columns_ahead_of_the_newest_are_blank(sweep: Sweep, trace: Trace) -> None:
    at = times(0.0, 13.0)
    add(trace, at, np.full(len(at), 0.75))
    sweep.advance(START + 13.0)
    there = drawn(sweep).any(axis=0)
    newest = int(12.99 * PER_SECOND) - WIDTH
    assert there[newest]
    assert not there[newest + 2 : newest + AHEAD].any()
    assert there[newest + AHEAD + 2]


def test_trace_of_a_dead_stream_is_swept_away(sweep: Sweep, trace: Trace) -> None:
    at = times(0.0, 5.0)
    add(trace, at, np.full(len(at), 0.75))
    now = START + 5.0
    while now < START + 15.0 + LATE_S:
        sweep.advance(now)
        now += 0.25
    assert not drawn(sweep).any()


def test_nothing_new_costs_no_painting(sweep: Sweep, trace: Trace) -> None:
    add(trace, times(0.0, 3.0), np.full(300, 0.5))
    sweep.advance(START + 3.0)
    painted: list[int] = []
    sweep._paint = lambda *_: painted.append(1)  # type: ignore[method-assign]
    sweep.advance(START + 3.0)
    assert painted == []


def test_only_the_newest_columns_are_painted(sweep: Sweep, trace: Trace) -> None:
    add(trace, times(0.0, 9.0), np.full(900, 0.5))
    sweep.advance(START + 9.0)
    painted: list[tuple[int, int]] = []
    paint = sweep._paint

    def watch(strip, columns, first, newest):  # type: ignore[no-untyped-def]
        painted.append((first, newest))
        paint(strip, columns, first, newest)

    sweep._paint = watch  # type: ignore[method-assign]
    add(trace, times(9.0, 9.04), np.full(4, 0.5))
    sweep.advance(START + 9.04)
    ((first, newest),) = painted
    assert newest - first <= 3


def test_marker_is_drawn_at_its_time_over_all_streams(sweep: Sweep, trace: Trace) -> None:
    add(trace, times(0.0, 6.0), np.full(600, 0.5))
    sweep.advance(START + 6.0)
    before = pixels(sweep)
    sweep.mark(START + 4.0, "film")
    sweep.advance(START + 6.0)
    changed = (np.abs(pixels(sweep) - before).max(axis=2) > 40).any(axis=0)
    assert changed[int(4.0 * PER_SECOND)]
    assert not changed[: int(4.0 * PER_SECOND) - 2].any()


def test_new_size_draws_everything_again(sweep: Sweep, trace: Trace) -> None:
    add(trace, times(0.0, 8.0), np.full(800, 0.5))
    sweep.advance(START + 8.0)
    sweep.resize(WIDTH // 2 + gutter.WIDTH, HEIGHT)
    sweep.advance(START + 8.0)
    assert drawn(sweep)[:, 10 : WIDTH // 2 - 60].any(axis=0).all()


def test_badge_stands_beside_the_trace(sweep: Sweep, trace: Trace) -> None:
    before = sweep.grab().toImage()
    sweep.set_badges({"plain": "lost 4 s"})
    assert sweep.grab().toImage() != before
