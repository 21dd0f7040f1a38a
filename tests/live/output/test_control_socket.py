"""The control socket between a run and its windows, over real loopback sockets."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from biosense.core.errors import BadInput
from biosense.core.stream_status import StreamState, StreamStatus
from biosense.live.output.control_socket import STATUS, ControlClient, ControlRefused, ControlServer
from biosense.live.output.status import RunStatus


def _command(request: Mapping[str, Any]) -> Mapping[str, Any]:
    if request["command"] == "refuse":
        raise BadInput("not now")
    return {"echo": request}


@pytest.fixture
def server() -> Iterator[ControlServer]:
    server = ControlServer(_command)
    yield server
    server.close()


@pytest.fixture
def client(server: ControlServer) -> Iterator[ControlClient]:
    client = ControlClient(server.address, server.token)
    yield client
    client.close()


def test_command_reaches_the_run_and_its_reply_comes_back(client: ControlClient) -> None:
    reply = client.request("marker", text="stimulus 1")
    assert reply == {"echo": {"command": "marker", "text": "stimulus 1"}}


def test_refused_command_says_why(client: ControlClient) -> None:
    with pytest.raises(ControlRefused, match="not now"):
        client.request("refuse")


def test_wrong_token_gets_no_answer_and_no_status(server: ControlServer) -> None:
    stranger = ControlClient(server.address, "guess")
    with pytest.raises(ControlRefused, match="did not answer"):
        stranger.request("hello", timeout=0.2)
    server.publish(STATUS, b"{}")
    assert stranger.receive(wait=0.2) == []
    assert not server.has_clients
    stranger.close()


def test_published_status_reaches_an_authenticated_window(
    server: ControlServer, client: ControlClient
) -> None:
    client.request("hello")
    server.publish_json(STATUS, {"time": 1.0})
    ((topic, payload),) = client.receive(wait=2.0)
    assert topic == STATUS
    assert json.loads(payload) == {"time": 1.0}


def test_window_that_does_not_read_costs_dropped_frames_and_never_blocks(
    server: ControlServer, client: ControlClient
) -> None:
    client.request("hello")
    for _ in range(3000):
        server.publish(STATUS, b"x" * 100_000)
    assert server.dropped > 0
    assert len(client.receive(wait=1.0)) > 0


def test_status_survives_json() -> None:
    stream = StreamStatus(
        "ecg",
        "ecg",
        ("ecg",),
        "uV",
        130.0,
        130.1,
        10,
        0.1,
        0,
        0,
        0.0,
        1.0,
        0.0,
        0.9,
        StreamState.GOOD,
    )
    status = RunStatus(1.0, 2.0, (stream,), {"ecg": {"heart_rate": 61.5}}, estimates=4)
    assert RunStatus.from_json(json.loads(json.dumps(status.to_json()))).streams == (stream,)
