"""What `live` and `demo` share: a run with its control socket, its window or its terminal view."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

from biosense.acquisition.lsl.config import settings
from biosense.cli.console import console, print_json, say_warning
from biosense.cli.terminal import TerminalView
from biosense.core.clock import Clock
from biosense.core.errors import BiosenseError
from biosense.core.source import Source
from biosense.core.types import Event
from biosense.live.config.run_settings import RunSettings
from biosense.live.health.preflight import NotReady
from biosense.live.output.run_control import RunControl
from biosense.live.output.status import RunStatus
from biosense.live.output.summary import RunSummary
from biosense.live.run import Run

if TYPE_CHECKING:
    from biosense.models.deployment.checkpoint import Loaded


class Session:
    """Run sources with everything that a person watches them by.

    Parameters
    ----------
    clock
        Session time.
    settings
        Of the run.
    loaded
        The checkpoint, or None.
    """

    def __init__(self, *, clock: Clock, settings: RunSettings, loaded: Loaded | None) -> None:
        self._clock = clock
        self._settings = settings
        self._loaded = loaded
        self._run: Run | None = None
        self._control = RunControl()

    def preview(self, jpeg: bytes) -> None:
        """Send a picture of the camera to the windows, if there are any."""
        self._control.show_preview(jpeg)

    def run(
        self,
        sources: Sequence[Source],
        *,
        republish: Collection[Source] = (),
        optional: Collection[Source] = (),
        headless: bool,
        json: bool,
    ) -> None:
        """Run to the end, then print the summary.

        Exit code 1 when the pre-flight refused, the recording failed, or a required source was lost
        for good.
        """
        window = None if headless else open_window(self._control)
        terminal = TerminalView(console) if window is None and not json else None
        self._control.add_view(terminal or WarningView())
        try:
            with terminal or nullcontext():
                summary = asyncio.run(self._run_sources(sources, republish, optional))
        except NotReady as refused:
            for problem in refused.problems:
                say_warning(problem, about="pre-flight")
            raise
        finally:
            self._control.close()
            if window is not None:
                window.terminate()
        self._report(summary, json)

    async def _run_sources(
        self,
        sources: Sequence[Source],
        republish: Collection[Source],
        optional: Collection[Source],
    ) -> RunSummary:
        self._run = Run(
            sources,
            settings=self._settings,
            clock=self._clock,
            loaded=self._loaded,
            republish=republish,
            optional=optional,
            on_status=self._control.show_status,
            on_event=self._control.show_event,
        )
        self._control.attach(self._run)
        ends = (signal.SIGINT, signal.SIGTERM)
        previous = [signal.signal(end, lambda *_: self._stop()) for end in ends]
        try:
            return await self._run.run()
        finally:
            for end, handler in zip(ends, previous, strict=True):
                signal.signal(end, handler)

    def _stop(self) -> None:
        if self._run is not None:
            self._run.stop()

    def _report(self, summary: RunSummary, json: bool) -> None:
        if json:
            print_json(summary.to_json())
        else:
            console.print(
                f"{summary.seconds:.1f} s, {summary.estimates} estimates, "
                f"{summary.cpu_cores:.2f} cores, {summary.rss_mb:.0f} MB"
            )
            if summary.recording:
                console.print(f"recorded in {summary.recording}")
        if summary.errors:
            raise BiosenseError(summary.errors[-1])


class WarningView:
    """Print what goes wrong in a run, where nothing else shows it."""

    def show(self, status: RunStatus) -> None:
        """Show nothing: a status is for those who watch."""

    def note(self, event: Event) -> None:
        """Print an event, unless all is well."""
        if event.kind not in ("info", "connected", "marker", "ended"):
            say_warning(f"{event.stream or 'run'}: {event.text}", about=event.kind)


def has_display() -> bool:
    """Say whether a window could be shown here."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_window(control: RunControl) -> subprocess.Popen[bytes] | None:
    """Start the window as a process of its own: it may hang or die, the run goes on."""
    if not has_display():
        console.print("no display: the run shows itself in the terminal")
        return None
    # The token goes by the environment: a command line can be read by every user of the computer.
    environment = {**os.environ, "BIOSENSE_CONTROL_TOKEN": control.token}
    command = [sys.executable, "-m", "biosense", "window", control.address]
    command += ["--lan"] if settings().lan else []
    return subprocess.Popen(command, env=environment)
