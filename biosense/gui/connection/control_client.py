"""A thread that speaks with the run, so that no run can make the window hang. No Qt."""

from __future__ import annotations

import json
import queue
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from biosense.core.types import Event, EventKind
from biosense.live.output.control_socket import PREVIEW, STATUS, ControlClient, ControlRefused
from biosense.live.output.status import RunStatus

_WAIT_S = 0.05
_SILENCE_S = 1.0  # then the run is greeted again: it may have forgotten this client
_HELLO_S = 0.5
_KEPT = 1000  # messages that nobody took


@dataclass(frozen=True)
class Greeting:
    """Hold the run's answer to the first word."""

    pid: int


@dataclass(frozen=True)
class PreviewImage:
    """Hold a picture of the camera, a JPEG file."""

    jpeg: bytes


@dataclass(frozen=True)
class CommandReply:
    """Hold what became of a command; `error` is empty where it was done."""

    command: str
    text: str
    error: str


Message = RunStatus | Event | PreviewImage | Greeting | CommandReply


class ControlLink:
    """Speak with a run from a thread of its own.

    Parameters
    ----------
    address, token
        As the run gave them.
    """

    def __init__(self, address: str, token: str) -> None:
        self._commands: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._inbox: deque[Message] = deque(maxlen=_KEPT)
        self._stopping = False
        self._pool = ThreadPoolExecutor(1, "link")
        self._work: Future[None] = self._pool.submit(self._run, address, token)

    def send(self, command: str, text: str = "") -> None:
        """Ask the run for something; the `CommandReply` comes with the other messages."""
        self._commands.put((command, text))

    def take(self) -> list[Message]:
        """Return what has come since the last call, without waiting."""
        messages = []
        while self._inbox:
            messages.append(self._inbox.popleft())
        return messages

    @property
    def failure(self) -> str:
        """What ended the thread, in words; empty while it works."""
        if not self._work.done() or (error := self._work.exception()) is None:
            return ""
        return f"{type(error).__name__}: {error}"

    def close(self) -> None:
        """Send what was asked for, end the thread; raises the error that ended it, if any."""
        self._stopping = True
        self._pool.shutdown()
        self._work.result()

    # What follows runs in the thread.

    def _run(self, address: str, token: str) -> None:
        client = ControlClient(address, token)
        heard = -float("inf")
        try:
            while not self._stopping:
                if time.monotonic() - heard > _SILENCE_S:
                    self._greet(client)
                    heard = time.monotonic()
                self._pass_commands(client)
                messages = client.receive(wait=_WAIT_S)
                if messages:
                    heard = time.monotonic()
                self._inbox.extend(parse_message(*message) for message in messages)
            self._pass_commands(client)
        finally:
            client.close()

    def _greet(self, client: ControlClient) -> None:
        try:
            self._inbox.append(Greeting(int(client.request("hello", timeout=_HELLO_S)["pid"])))
        except ControlRefused:
            return  # not ready yet, or gone: the state says so from the silence

    def _pass_commands(self, client: ControlClient) -> None:
        while not self._commands.empty():
            command, text = self._commands.get()
            error = ""
            try:
                client.request(command, text=text)
            except ControlRefused as refusal:
                error = str(refusal)
            self._inbox.append(CommandReply(command, text, error))


def parse_message(topic: bytes, payload: bytes) -> Message:
    """Read one published message.

    Parameters
    ----------
    topic
        Of the message.
    payload
        JSON, or a JPEG file.

    Returns
    -------
    Message
        What was said.

    Examples
    --------
    >>> event = b'{"time": 1.0, "kind": "gap", "stream": "cap", "text": "0.5 s"}'
    >>> parse_message(b"event", event).stream
    'cap'
    """
    if topic == PREVIEW:
        return PreviewImage(payload)
    values = json.loads(payload)
    if topic == STATUS:
        return RunStatus.from_json(values)
    return Event(values["time"], EventKind(values["kind"]), values["stream"], values["text"])
