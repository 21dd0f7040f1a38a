"""What windows can ask of a run, and what they are told, over a real socket on this computer."""

import json
import os
from collections.abc import Iterator

import pytest

from biosense.core.types import Event, EventKind
from biosense.live.output.control_socket import (
    EVENT,
    PREVIEW,
    STATUS,
    ControlClient,
    ControlRefused,
)
from biosense.live.output.run_control import RunControl
from biosense.live.output.status import RunStatus


class NotedRun:
    """A run that notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def mark(self, text: str) -> None:
        self.asked.append(f"mark {text}")

    def stop(self) -> None:
        self.asked.append("stop")


@pytest.fixture
def control() -> Iterator[RunControl]:
    control = RunControl()
    yield control
    control.close()


@pytest.fixture
def client(control: RunControl) -> Iterator[ControlClient]:
    client = ControlClient(control.address, control.token)
    yield client
    client.close()


def test_a_command_before_the_run_is_refused(client: ControlClient) -> None:
    assert client.request("hello") == {"pid": os.getpid()}
    with pytest.raises(ControlRefused, match="has not started yet"):
        client.request("stop")


def test_commands_reach_the_run(control: RunControl, client: ControlClient) -> None:
    run = NotedRun()
    control.attach(run)
    client.request("marker", text="film")
    client.request("stop")
    assert run.asked == ["mark film", "stop"]


def test_a_command_that_there_is_not_names_those_that_there_are(
    control: RunControl, client: ControlClient
) -> None:
    control.attach(NotedRun())
    with pytest.raises(ControlRefused, match="no command 'dance'; there are: hello, marker, stop"):
        client.request("dance")


def test_a_window_that_greeted_is_told_everything(
    control: RunControl, client: ControlClient
) -> None:
    client.request("hello")
    control.show_status(RunStatus(3.0, 1.0, (), participant="P1"))
    control.show_event(Event(2.0, EventKind.GAP, "cap", "1 s"))
    control.show_preview(b"jpeg")
    told: dict[bytes, bytes] = {}
    while len(told) < 3:
        told |= dict(client.receive(wait=5.0))
    assert RunStatus.from_json(json.loads(told[STATUS])).participant == "P1"
    event = {"time": 2.0, "kind": "gap", "stream": "cap", "text": "1 s"}
    assert json.loads(told[EVENT]) == event
    assert told[PREVIEW] == b"jpeg"


def test_nothing_is_made_for_nobody(control: RunControl) -> None:
    class Unasked(RunStatus):
        def to_json(self) -> dict[str, object]:
            raise AssertionError("there is no window")

    control.show_status(Unasked(3.0, 1.0, ()))
