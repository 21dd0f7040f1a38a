"""A program that sends LSL streams, to be killed, stopped and started again by tests.

It obeys lines of JSON on standard input: {"add": {..}} opens an outlet, {"drop": source_id} closes
one.
Sample k of a stream holds `first` + k in every channel, stamped at its own moment.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any, Self

PACKET_S = 0.02


@dataclass(frozen=True)
class Sent:
    """Describe a stream to send."""

    name: str
    source_id: str
    content_type: str = "Raw"
    channels: int = 2
    sfreq: float = 100.0
    first: int = 0
    sends: bool = True


class Sender:
    """Control such a program; leaving the context kills it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.communicate()

    def add(self, *streams: Sent) -> None:
        """Open outlets; they can be found when this returns."""
        for stream in streams:
            self._tell({"add": asdict(stream)})

    def drop(self, source_id: str) -> None:
        """Close the outlet of that source_id."""
        self._tell({"drop": source_id})

    def _tell(self, order: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(order), file=self.process.stdin, flush=True)
        assert self.process.stdout.readline() == "done\n"


class _Outlet:
    def __init__(self, sent: Sent) -> None:
        import pylsl

        self._sent = sent
        self._clock = pylsl.local_clock
        self._outlet = pylsl.StreamOutlet(
            pylsl.StreamInfo(
                sent.name, sent.content_type, sent.channels, sent.sfreq, "int32", sent.source_id
            )
        )
        self._began, self._pushed = self._clock(), 0

    def push(self) -> None:
        import numpy as np

        due = int((self._clock() - self._began) * self._sent.sfreq) if self._sent.sends else 0
        numbers = np.arange(self._pushed, due)
        if len(numbers):
            block = np.repeat(self._sent.first + numbers[:, None], self._sent.channels, axis=1)
            stamps = self._began + numbers / self._sent.sfreq
            self._outlet.push_chunk(block.astype(np.int32), stamps.tolist())
            self._pushed = due


def main() -> None:
    """Send until killed."""
    from biosense.acquisition.lsl import configure

    configure()
    outlets: dict[str, _Outlet] = {}

    def obey() -> None:
        for line in sys.stdin:
            order = json.loads(line)
            if "drop" in order:
                del outlets[order["drop"]]
            else:
                sent = Sent(**order["add"])
                outlets[sent.source_id] = _Outlet(sent)
            print("done", flush=True)

    threading.Thread(target=obey, daemon=True).start()
    while True:
        time.sleep(PACKET_S)
        for outlet in list(outlets.values()):
            outlet.push()


if __name__ == "__main__":
    main()
