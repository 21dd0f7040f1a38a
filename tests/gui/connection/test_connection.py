"""The threads of the window, over real loopback sockets and real LSL."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from biosense.acquisition.lsl import LslClock
from biosense.acquisition.lsl.discovery import FoundStream
from biosense.core.errors import BadInput
from biosense.core.types import Chunk, Event, EventKind, Modality, StreamInfo
from biosense.gui.connection.control_client import (
    CommandReply,
    ControlLink,
    Greeting,
    Message,
    PreviewImage,
)
from biosense.gui.connection.lsl_feed import LslFeed, WantedStream, matching
from biosense.live.output.control_socket import EVENT, PREVIEW, STATUS, ControlServer
from biosense.live.output.lsl_outlet import LslOutlet
from biosense.live.output.status import RunStatus
from tests.support.gui_fakes import run_status

CLOCK = LslClock()


def wait_for(enough: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not enough():
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.01)


class Desk:
    """Answer commands, and note them."""

    def __init__(self) -> None:
        self.commands: list[Mapping[str, Any]] = []

    def __call__(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self.commands.append(request)
        if request.get("text") == "refuse":
            raise BadInput("not now")
        return {"pid": 4711}


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def server(desk: Desk) -> Iterator[ControlServer]:
    server = ControlServer(desk)
    yield server
    server.close()


@pytest.fixture
def link(server: ControlServer) -> Iterator[ControlLink]:
    link = ControlLink(server.address, server.token)
    yield link
    link.close()


def _collect(link: ControlLink, kind: type[Message]) -> Message:
    found: list[Message] = []

    def found_one() -> bool:
        found.extend(message for message in link.take() if isinstance(message, kind))
        return bool(found)

    wait_for(found_one)
    return found[0]


def test_link_greets_and_brings_what_the_run_publishes(
    server: ControlServer, link: ControlLink
) -> None:
    assert _collect(link, Greeting) == Greeting(4711)
    server.publish_json(STATUS, run_status().to_json())
    server.publish_json(EVENT, {"time": 2.0, "kind": "gap", "stream": "cap", "text": "1 s"})
    server.publish(PREVIEW, b"jpeg")
    messages: list[Message] = []

    def all_here() -> bool:
        messages.extend(link.take())
        return len(messages) == 3

    wait_for(all_here)
    assert [type(message) for message in messages] == [RunStatus, Event, PreviewImage]
    assert messages[0].streams == run_status().streams
    assert messages[1] == Event(2.0, EventKind.GAP, "cap", "1 s")


def test_link_passes_commands_and_their_answers(desk: Desk, link: ControlLink) -> None:
    link.send("marker", "film")
    assert _collect(link, CommandReply) == CommandReply("marker", "film", "")
    link.send("marker", "refuse")
    refused = _collect(link, CommandReply)
    assert isinstance(refused, CommandReply)
    assert "not now" in refused.error
    assert [request["text"] for request in desk.commands if request["command"] == "marker"] == [
        "film",
        "refuse",
    ]


def test_link_that_is_closed_delivers_its_last_command_first(
    desk: Desk, server: ControlServer
) -> None:
    link = ControlLink(server.address, server.token)
    link.send("stop")
    link.close()
    assert [request["command"] for request in desk.commands][-1] == "stop"


def test_link_to_nobody_waits_and_closes() -> None:
    link = ControlLink("tcp://127.0.0.1:9", "token")
    assert link.take() == []
    assert link.failure == ""
    link.close()


def _info(name: str) -> StreamInfo:
    return StreamInfo(name, Modality.ECG, ("ecg",), 100.0, "mV", f"id-{name}", "float32")


def test_stream_that_appears_later_is_read_and_dropped_when_no_longer_wanted() -> None:
    info = _info("later")
    got: list[Chunk] = []
    feed = LslFeed(CLOCK)
    try:
        feed.want({WantedStream("ECG (2)", "id-later"): got.append})
        with LslOutlet(info) as outlet:
            assert outlet.wait_for_readers(15.0)

            def arrives() -> bool:
                outlet.push(Chunk.of(info, [CLOCK.now()], [[1.5]]))
                return len(got) > 2

            wait_for(arrives)
            assert got[0].info.name == "ECG (2)"
            assert got[0].data[0, 0] == np.float32(1.5)
            feed.want({})
            wait_for(lambda: not outlet.has_readers)
    finally:
        feed.close()
    assert feed.failure == ""


def test_failure_of_a_sink_is_named_not_swallowed() -> None:
    info = _info("broken")

    def sink(_: Chunk) -> None:
        raise ZeroDivisionError("a bug")

    feed = LslFeed(CLOCK)
    with LslOutlet(info) as outlet:
        feed.want({WantedStream("broken", "id-broken"): sink})
        assert outlet.wait_for_readers(15.0)

        def fails() -> bool:
            outlet.push(Chunk.of(info, [CLOCK.now()], [[1.0]]))
            return bool(feed.failure)

        wait_for(fails)
    assert feed.failure == "ZeroDivisionError: a bug"
    with pytest.raises(ZeroDivisionError):
        feed.close()


def _found(name: str, source_id: str, uid: str = "u") -> FoundStream:
    return FoundStream(name, "ECG", 1, 100.0, "float32", source_id, "lab", uid)


def test_namesakes_are_told_apart_or_left_alone() -> None:
    first, second = _found("ECG", "a"), _found("ECG", "b")
    assert matching(WantedStream("ECG (2)", "b"), [first, second]) is second
    assert matching(WantedStream("ECG"), [first, second]) is None
    one_device = [_found("ECG", "dev"), _found("Resp", "dev")]
    assert matching(WantedStream("Resp", "dev"), one_device) is one_device[1]
    assert matching(WantedStream("ECG", "gone"), [first]) is None


def test_no_thread_is_left_behind(server: ControlServer) -> None:
    before = set(threading.enumerate())
    link, feed = ControlLink(server.address, server.token), LslFeed(CLOCK)
    feed.want({WantedStream("nowhere", "x"): lambda _: None})
    link.close()
    feed.close()
    assert set(threading.enumerate()) <= before
