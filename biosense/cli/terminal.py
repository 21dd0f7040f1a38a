"""The run in a terminal: the estimate as two bars, the health of each stream, the last events."""

from __future__ import annotations

import math
from collections import deque
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from biosense.core.own_streams import OWN_MARKERS
from biosense.core.stream_status import StreamState, StreamStatus, device_words
from biosense.core.types import Event
from biosense.live.output.status import RunStatus

_STYLES = {
    StreamState.WAITING: "dim",
    StreamState.GOOD: "green",
    StreamState.POOR: "yellow",
    StreamState.LOST: "bold red",
    StreamState.ENDED: "dim",
}
_WIDTH = 41
_EVENTS = 5


class TerminalView:
    """Show a run on a rich console; used as a context manager."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=False)
        self._events: deque[Event] = deque(maxlen=_EVENTS)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.stop()
        if not self._live.console.is_terminal:  # rich ends the line on terminals only
            self._live.console.line()

    def note(self, event: Event) -> None:
        """Keep an event for the next picture."""
        self._events.append(event)

    def show(self, status: RunStatus) -> None:
        """Draw the run as it is now."""
        parts: list[Text | Table] = [_headline(status), *_bars(status), _streams(status)]
        parts += [Text(f"{e.kind}  {e.stream}  {e.text}", "yellow") for e in self._events]
        self._live.update(Group(*parts), refresh=True)


def _headline(status: RunStatus) -> Text:
    minutes, seconds = divmod(int(status.elapsed), 60)
    text = Text(f"biosense  {minutes:02d}:{seconds:02d}  ", "bold")
    if status.recording_failed:
        text.append(f"RECORDING FAILED: {status.recording_failed}", "bold white on red")
    elif status.preflight is not None:
        text.append(f"checking signals, {status.preflight:.0f} s", "cyan")
    elif status.recording:
        text.append("● recording", "bold red").append(f"  {status.recording}", "dim")
    else:
        text.append("not recording", "dim")
    load = "" if math.isnan(status.cpu_cores) else f"   {status.cpu_cores:.2f} cores"
    load += "" if math.isnan(status.rss_mb) else f"  {status.rss_mb:.0f} MB"
    return text.append(f"{load}   Ctrl-C ends", "dim")


def _bars(status: RunStatus) -> list[Text]:
    if status.estimate is None:
        return [Text("no estimate yet", "dim")]
    values = status.estimate
    return [
        _bar("valence", values["valence"], values["sd_valence"]),
        _bar("arousal", values["arousal"], values["sd_arousal"]),
    ]


def _bar(name: str, value: float, sd: float) -> Text:
    """Draw -1 to 1 with the value as a block and one standard deviation as a line."""
    centre = _WIDTH // 2
    text = Text(f"{name:8s} -1 ")
    for column in range(_WIDTH):
        at = (column - centre) / centre
        if abs(at - value) <= 0.5 / centre:
            text.append("█", "bold cyan")
        elif abs(at - value) <= sd:
            text.append("━", "cyan")
        else:
            text.append("┼" if column == centre else "─", "dim")
    return text.append(f" +1  {value:+.2f} ± {sd:.2f}")


def _streams(status: RunStatus) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("stream")
    headings = ["state", "Hz", "samples", "gaps", "lost", "age s", "quality", ""]
    if any(device_words(stream)[0] for stream in status.streams):
        headings.append("device")
    for heading in headings:
        table.add_column(heading, justify="right")
    for stream in status.streams:
        if stream.name == OWN_MARKERS and not stream.samples:
            continue  # our own: nothing has been marked
        table.add_row(*_row(stream, status)[: len(headings) + 1])
    return table


def _row(stream: StreamStatus, status: RunStatus) -> list[str | Text]:
    features = status.features.get(stream.modality, {})
    rate = features.get("heart_rate", math.nan)
    device, is_well = device_words(stream)
    return [
        stream.name,
        Text(stream.state, _STYLES[stream.state]),
        _number(stream.rate_hz, ".1f"),
        str(stream.samples),
        str(stream.gaps),
        str(stream.lost),
        _number(stream.age, ".1f"),
        _number(stream.quality, ".2f"),
        "" if math.isnan(rate) else f"{rate:.0f} bpm",
        Text(device, "" if is_well else "yellow"),
    ]


def _number(value: float, form: str) -> str:
    return "" if math.isnan(value) else format(value, form)
