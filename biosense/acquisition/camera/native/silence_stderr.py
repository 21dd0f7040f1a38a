"""Keep the start-up messages of C++ libraries, which no setting can stop, off the terminal."""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_LOG = logging.getLogger(__name__)
_STDERR = 2
# TensorFlow Lite's and Abseil's own lines; anything else was written by somebody else.
_NOISE = re.compile(
    rb"INFO: Created TensorFlow Lite|WARNING: All log messages before absl|[IWE]\d{4} \d\d:\d\d:"
)


@contextmanager
def quiet_start() -> Iterator[None]:
    """Hold back standard error while a library starts: its chatter goes to the log, at DEBUG.

    Standard error belongs to the whole process, so what others write meanwhile is passed on
    afterwards, unchanged. For start-up only (tens of milliseconds), never around steady work.
    """
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        kept = os.dup(_STDERR)
    except OSError:  # a windowed program without a terminal has no standard error
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(kept, _STDERR)
            os.close(kept)
            held.seek(0)
            _pass_on(held.read())


def _pass_on(text: bytes) -> None:
    for line in text.splitlines(keepends=True):
        if _NOISE.match(line):
            _LOG.debug("%s", line.decode(errors="replace").rstrip())
        else:
            os.write(_STDERR, line)
