"""What any program of this computer may send to a run's port: nothing of it harms the run."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
import zmq

from biosense.live.output.control_socket import ControlClient, ControlServer

NONSENSE = {
    "no json": [b"hello"],
    "no object": [b"[1, 2]"],
    "no text at all": [b"\xff\xfe\x00"],
    "no token": [json.dumps({"command": "stop", "number": 1}).encode()],
    "no number": [json.dumps({"command": "stop", "token": "guess"}).encode()],
    "half a character": [b'{"command": "stop", "token": "\\ud800", "number": 1}'],
    "a number for a token": [b'{"command": "stop", "token": 12, "number": 1}'],
    "too many frames": [b"a", b"b", b"c"],
    "an empty frame": [b""],
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_nonsense_is_not_answered_and_harms_nothing(kind: str) -> None:
    commands: list[object] = []

    def command(request: object) -> dict[str, object]:
        commands.append(request)
        return {"fine": True}

    server = ControlServer(command)
    with closing(server), zmq.Context() as context, context.socket(zmq.DEALER) as stranger:
        stranger.setsockopt(zmq.LINGER, 0)
        stranger.connect(server.address)
        stranger.send_multipart(NONSENSE[kind])
        with closing(ControlClient(server.address, server.token)) as client:
            assert client.request("hello") == {"fine": True}
            assert client.request("hello") == {"fine": True}
        assert not stranger.poll(0)
        assert len(commands) == 2
