"""One LSL inlet, with what is not obvious about it in one place.

References
----------
Kothe et al., "The Lab Streaming Layer for Synchronized Multimodal Recording", Imaging Neuroscience,
2025; https://labstreaminglayer.readthedocs.io
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosense.acquisition.lsl.discovery import FoundStream
from biosense.acquisition.stream_xml import parse_info
from biosense.core.errors import BadInput, DeviceLost, StreamNotFound
from biosense.core.types import TEXT, Floats, StreamInfo

MAX_SAMPLES = 1024
"""Samples of one `pull` at most; a full pull means that there is more."""

BUFFER_S = 360
"""Seconds (of an irregular stream: hundreds of samples) that LSL keeps for us. Older ones are
dropped silently."""
_SLICE_S = 0.2  # longest wait inside LSL before looking whether to give up


class Inlet:
    """Receive one stream with its sender's raw stamps.

    Nothing of LSL's own post-processing is used: dejittering counts samples, so each lost one
    shifts all that follow, and clock correction would not be known to the recording.

    Parameters
    ----------
    found
        The stream.
    unique
        False where another stream answers to all that LSL looks for in a lost one: LSL would take
        that one for it.

    Raises
    ------
    BadInput
        If the stream has no channels or no type of samples that can be read.
    """

    def __init__(self, found: FoundStream, *, unique: bool = True) -> None:
        import pylsl
        from pylsl.util import LostError, TimeoutError

        if found.n_channels < 1 or not found.dtype:
            raise BadInput(
                f"LSL stream {found} cannot be read: it needs at least 1 channel and samples of "
                f"numbers or text, got {found.n_channels} channels of {found.dtype or 'no type'}"
            )
        self.found = found
        self.recovers = unique and _can_recover(found)
        """Whether LSL finds the sender again by itself; it keeps what was not pulled only then."""
        self._timeout_error, self._lost_error = TimeoutError, LostError
        self._inlet: Any = pylsl.StreamInlet(
            found.handle, max_buflen=BUFFER_S, recover=self.recovers, processing_flags=0
        )
        self._is_text = found.dtype == TEXT
        self._buffer: NDArray[Any] = np.empty(
            (0 if self._is_text else MAX_SAMPLES, found.n_channels),
            object if self._is_text else found.dtype,
        )

    def open(self, timeout: float) -> StreamInfo | None:
        """Subscribe and read the full description; None where that takes longer than `timeout`.

        What is sent from the first success on is buffered. May be called again after None.

        Raises
        ------
        StreamNotFound
            If the sender is gone.
        BadInput
            If the description cannot be read.
        """
        try:
            self._inlet.open_stream(timeout)
        except self._timeout_error:
            return None
        except self._lost_error as error:
            raise StreamNotFound(f"{self._gone()}: start it again") from error
        return self.read_stream_info(timeout)

    def read_stream_info(self, timeout: float) -> StreamInfo | None:
        """Read the full description, without subscribing; None, and errors, as from `open`."""
        try:
            return parse_info(self._inlet.info(timeout).as_xml())
        except self._timeout_error:
            return None
        except self._lost_error as error:
            raise StreamNotFound(f"{self._gone()}: start it again") from error

    def pull(self) -> tuple[Floats, NDArray[Any]]:
        """Take what is there: raw stamps (n,) and samples (n, channels), both ours to keep.

        Raises
        ------
        DeviceLost
            If the sender is gone and LSL cannot find it again by itself.
        """
        try:
            if self._is_text:
                values, stamps = self._inlet.pull_chunk(
                    timeout=0.0, max_samples=MAX_SAMPLES, as_numpy=True
                )
                return stamps, _decoded(values)
            view, stamps = self._inlet.pull_chunk(
                timeout=0.0, max_samples=MAX_SAMPLES, dest_obj=self._buffer, as_numpy=True
            )
        except self._lost_error as error:
            raise self._gone() from error
        # Both are views of full-size buffers; the next pull overwrites the samples.
        return stamps.copy(), view.copy()

    def offset(self) -> float | None:
        """Return what is to be added to the sender's clock now; None while that is not known.

        LSL measures in the background, begun by the first call and again after each reconnection.
        """
        try:
            return float(self._inlet.time_correction(timeout=0.0))
        except self._timeout_error:
            return None
        except self._lost_error as error:
            raise self._gone() from error

    def reconnected(self) -> bool:
        """Tell whether LSL has found the sender again since the last call.

        That is known only where an offset had been measured before.
        """
        return bool(self._inlet.was_clock_reset())

    def close(self) -> None:
        """Unsubscribe and release the stream's threads and sockets."""
        if self._inlet is not None:
            self._inlet.close_stream()
            self._inlet = None

    def _gone(self) -> DeviceLost:
        return DeviceLost(f"the sender of LSL stream {self.found} is gone")


def open_inlet(
    found: FoundStream,
    timeout: float,
    *,
    unique: bool = True,
    give_up: Callable[[], bool] = lambda: False,
) -> tuple[Inlet, StreamInfo]:
    """Open a stream within `timeout` seconds; blocks, and asks now and then whether to `give_up`.

    Parameters
    ----------
    found
        The stream.
    timeout
        Seconds in which it must answer.
    unique
        As of `Inlet`.
    give_up
        Asked now and then; True ends the wait.

    Returns
    -------
    tuple of Inlet and StreamInfo
        The open inlet, and what its sender says of the stream.

    Raises
    ------
    StreamNotFound
        If it does not answer.
    BadInput
        If its samples or its description cannot be read.
    """
    inlet = Inlet(found, unique=unique)
    deadline = time.monotonic() + timeout
    try:
        while time.monotonic() < deadline and not give_up():
            info = inlet.open(_SLICE_S)
            if info is not None:
                return inlet, info
        raise StreamNotFound(
            f"LSL stream {found} announces itself but does not answer within {timeout:g} s: "
            f"restart its sender, or let the firewall of {found.hostname!r} pass TCP and UDP from "
            f"16572 on"
        )
    except BaseException:
        inlet.close()
        raise


def read_stream_info(found: FoundStream, timeout: float) -> StreamInfo:
    """Read the full description of a stream; a sender that waits for readers does not see one.

    Parameters
    ----------
    found
        The stream.
    timeout
        Seconds in which it must answer.

    Returns
    -------
    StreamInfo
        What its sender says of the stream.

    Raises
    ------
    StreamNotFound
        If it does not answer.
    BadInput
        If the description cannot be read.
    """
    inlet = Inlet(found, unique=False)
    try:
        info = inlet.read_stream_info(timeout)
    finally:
        inlet.close()
    if info is None:
        raise StreamNotFound(f"LSL stream {found} does not answer within {timeout:g} s")
    return info


def _can_recover(found: FoundStream) -> bool:
    # LSL looks for a lost stream by an XPath query that it does not quote, and only by source_id.
    fields = (found.name, found.content_type, found.source_id)
    return bool(found.source_id) and not any("'" in text for text in fields)


def _decoded(values: NDArray[Any]) -> NDArray[Any]:
    texts = np.empty(values.shape, object)
    # Text from other programs is not always UTF-8, and a marker with a wrong letter is still one.
    texts.ravel()[:] = [value.decode("utf-8", "replace") for value in values.ravel()]
    return texts
