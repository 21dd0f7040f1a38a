"""The socket between a run and its windows: status, events and preview out, commands in.

A ROUTER socket on the loopback address speaks to every client that showed the run's token. A client
that does not read loses frames of status and preview, which are counted, and nothing else: the run
never waits for a window.
"""

from __future__ import annotations

import hmac
import json
import queue
import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Any

import zmq

from biosense.core.errors import BiosenseError

Command = Callable[[Mapping[str, Any]], Mapping[str, Any]]

STATUS, EVENT, PREVIEW, REPLY = b"status", b"event", b"preview", b"reply"
_POLL_MS = 50
_QUEUED = (
    64  # messages waiting for the socket's thread; display may lose frames, the run may not wait
)
_HIGH_WATER = 16  # messages waiting for one client


class ControlRefused(BiosenseError):
    """Raise when a run refused a command, or did not answer."""


class ControlServer:
    """Serve the windows of a run.

    Parameters
    ----------
    command
        Called in the server's thread with each authenticated command, a mapping with "command" and
        its arguments; returns the reply. `BiosenseError` becomes a reply {"error": ...}.
    """

    def __init__(self, command: Command) -> None:
        self.token = secrets.token_urlsafe(16)
        self.dropped = 0
        self._command = command
        self._outgoing: queue.Queue[tuple[bytes, bytes]] = queue.Queue(_QUEUED)
        self._clients: set[bytes] = set()
        self._stop = threading.Event()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self._socket.setsockopt(zmq.SNDHWM, _HIGH_WATER)
        self._socket.setsockopt(zmq.LINGER, 0)
        port = self._socket.bind_to_random_port("tcp://127.0.0.1")
        self.address = f"tcp://127.0.0.1:{port}"
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)
        self._thread.start()

    def publish(self, topic: bytes, payload: bytes) -> None:
        """Send a message to every window, or count it as dropped; never waits."""
        try:
            self._outgoing.put_nowait((topic, payload))
        except queue.Full:
            self.dropped += 1

    def publish_json(self, topic: bytes, values: Mapping[str, Any]) -> None:
        """Send plain values to every window."""
        self.publish(topic, json.dumps(values).encode())

    @property
    def has_clients(self) -> bool:
        """True while a window listens, so that previews need not be made for nobody."""
        return bool(self._clients)

    def close(self) -> None:
        """Stop the thread and close the socket."""
        self._stop.set()
        self._thread.join()
        self._socket.close()
        self._context.term()

    def _serve(self) -> None:
        while not self._stop.is_set():
            self._send_waiting()
            if self._socket.poll(_POLL_MS):
                self._answer(self._socket.recv_multipart())
        self._send_waiting()

    def _send_waiting(self) -> None:
        while True:
            try:
                topic, payload = self._outgoing.get_nowait()
            except queue.Empty:
                return
            for client in tuple(self._clients):
                self._send(client, topic, payload)

    def _send(self, client: bytes, topic: bytes, payload: bytes) -> None:
        try:
            self._socket.send_multipart([client, topic, payload], zmq.NOBLOCK)
        except zmq.Again:
            self.dropped += 1
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            self._clients.discard(client)

    def _answer(self, frames: list[bytes]) -> None:
        if len(frames) != 2:
            return
        client, payload = frames
        try:
            request = json.loads(payload)
            token = str(request.pop("token")).encode()
            number = request.pop("number")
        except (ValueError, KeyError, AttributeError, TypeError):
            return  # not one of ours: an answer would tell a stranger what this port is
        if not hmac.compare_digest(token, self.token.encode()):
            return
        self._clients.add(client)
        try:
            reply = dict(self._command(request))
        except BiosenseError as error:
            reply = {"error": str(error)}
        self._send(client, REPLY, json.dumps({**reply, "number": number}).encode())


class ControlClient:
    """Speak to a run; for one thread.

    Parameters
    ----------
    address, token
        As the run gave them.
    """

    def __init__(self, address: str, token: str) -> None:
        self._token = token
        self._number = 0
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVHWM, _HIGH_WATER)
        self._socket.connect(address)
        self._waiting: list[tuple[bytes, bytes]] = []

    def request(self, command: str, timeout: float = 2.0, **arguments: object) -> dict[str, Any]:
        """Send a command and wait for its reply; raises `ControlRefused`."""
        self._number += 1
        message = {
            "command": command,
            "token": self._token,
            "number": self._number,
            **arguments,
        }
        self._socket.send(json.dumps(message).encode())
        while self._socket.poll(int(timeout * 1000)):
            topic, payload = self._socket.recv_multipart()
            if topic != REPLY:
                self._waiting.append((topic, payload))
                continue
            reply: dict[str, Any] = json.loads(payload)
            if reply.pop("number") != self._number:
                continue
            if "error" in reply:
                raise ControlRefused(f"the run refused {command!r}: {reply['error']}")
            return reply
        raise ControlRefused(f"the run did not answer {command!r} within {timeout:g} s")

    def receive(self, wait: float = 0.0) -> list[tuple[bytes, bytes]]:
        """Return the messages (topic, payload) that have come, waiting up to `wait` s for one."""
        messages, self._waiting = self._waiting, []
        if not messages and not self._socket.poll(int(wait * 1000)):
            return messages
        while self._socket.poll(0):
            topic, payload = self._socket.recv_multipart()
            if topic != REPLY:
                messages.append((topic, payload))
        return messages

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
        self._context.term()
