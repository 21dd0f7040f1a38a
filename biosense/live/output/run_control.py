"""What a run says to its windows and other views, and what it does for them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Protocol

from biosense.core.errors import BadInput
from biosense.core.types import Event
from biosense.live.output.control_socket import EVENT, PREVIEW, STATUS, ControlServer
from biosense.live.output.status import RunStatus


class ControlledRun(Protocol):
    """What a window can ask of a run; see `Run`."""

    def mark(self, text: str) -> None:
        """Set a marker now; from any thread."""
        ...

    def stop(self) -> None:
        """End in good order; from any thread."""
        ...


class RunView(Protocol):
    """Show a run within its own process, a terminal for instance; called in the event loop."""

    def show(self, status: RunStatus) -> None:
        """Show how the run is now."""
        ...

    def note(self, event: Event) -> None:
        """Take an event."""
        ...


class RunControl:
    """Serve the views of a run: statuses, events and previews go out, commands of windows come in.

    There may be no window at all: nothing is made for nobody, and nothing waits. Until a run is
    attached, windows are greeted and told that it has not started.

    Attributes
    ----------
    address, token
        What a window connects with.

    Examples
    --------
    >>> control = RunControl()
    >>> control.address.startswith("tcp://127.0.0.1:"), len(control.token) > 16
    (True, True)
    >>> control.close()
    """

    def __init__(self) -> None:
        self._run: ControlledRun | None = None
        self._views: list[RunView] = []
        self._server = ControlServer(self._command)
        self.address, self.token = self._server.address, self._server.token

    def attach(self, run: ControlledRun) -> None:
        """Do what windows ask with this run from now on."""
        self._run = run

    def add_view(self, view: RunView) -> None:
        """Show the run to one more within this process."""
        self._views.append(view)

    def show_status(self, status: RunStatus) -> None:
        """Send a status to every window and view."""
        if self._server.has_clients:
            self._server.publish_json(STATUS, status.to_json())
        for view in self._views:
            view.show(status)

    def show_event(self, event: Event) -> None:
        """Send an event to every window and view."""
        values = {
            "time": event.time,
            "kind": event.kind.value,
            "stream": event.stream,
            "text": event.text,
        }
        self._server.publish_json(EVENT, values)
        for view in self._views:
            view.note(event)

    def show_preview(self, jpeg: bytes) -> None:
        """Send a picture of the camera, a JPEG file, to every window."""
        if self._server.has_clients:
            self._server.publish(PREVIEW, jpeg)

    def close(self) -> None:
        """End the conversation with all windows."""
        self._server.close()

    def _command(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        command = request.get("command")
        if command == "hello":
            return {"pid": os.getpid()}
        if self._run is None:
            raise BadInput("the run has not started yet")
        if command == "marker":
            self._run.mark(str(request.get("text", "")))
            return {}
        if command == "stop":
            self._run.stop()
            return {}
        raise BadInput(f"no command {command!r}; there are: hello, marker, stop")
