"""Streams of ours that other programs can read."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Any, Self
from xml.etree.ElementTree import Element

import numpy as np

from biosense.acquisition.header_xml import header_xml
from biosense.acquisition.lsl.config import settings
from biosense.acquisition.stream_xml import parse_xml
from biosense.core.errors import BadInput
from biosense.core.types import Chunk, StreamInfo

_KEEP_S = 360  # for readers that are late; LSL's own default


class LslOutlet:
    """Publish a stream with its full description.

    Each sample is sent with its own time stamp: LSL's shortcut, one stamp per chunk, lets readers
    count back at the nominal rate, which is wrong as soon as a sample is missing.

    Without a source_id readers could not find the stream again after a restart, so one is made from
    the name where `info` has none. Samples of type int64 are sent as float64, because LabRecorder
    refuses int64.

    Parameters
    ----------
    info
        The stream.
    chunk_hint
        Samples in which LSL sends; 0 sends what each `push` brings at once.

    Raises
    ------
    BadInput
        If LSL refuses the stream, or was in use before it was configured.

    Examples
    --------
    >>> info = StreamInfo("affect", None, ("valence", "arousal"), 4.0)
    >>> with LslOutlet(info) as outlet:
    ...     outlet.push(Chunk.of(info, [10.0, 10.25], [[0.1, 0.2], [0.1, 0.3]]))
    ...     outlet.has_readers
    False
    """

    def __init__(self, info: StreamInfo, *, chunk_hint: int = 0) -> None:
        import pylsl

        if chunk_hint < 0:
            raise BadInput(f"chunk_hint={chunk_hint} of {info.name!r} must not be negative")
        wanted = settings()
        self.info = _published(info)
        self._outlet: Any = pylsl.StreamOutlet(_declaration(self.info), chunk_hint, _KEEP_S)
        session = self._outlet.get_info().session_id()
        if not wanted.lan and session != wanted.session:
            self.close()
            raise BadInput(
                f"LSL runs in session {session!r} instead of {wanted.session!r}: it was used "
                f"before it was configured; call configure() before anything else uses pylsl"
            )

    @property
    def has_readers(self) -> bool:
        """True while some program reads the stream."""
        return bool(self._open().have_consumers())

    def wait_for_readers(self, seconds: float) -> bool:
        """Wait until some program reads the stream: what is pushed before that reaches nobody.

        Blocks the calling thread; False where `seconds` have passed without a reader.
        """
        return bool(self._open().wait_for_consumers(seconds))

    def push(self, chunk: Chunk) -> None:
        """Send samples, stamped with their session times.

        Parameters
        ----------
        chunk
            Samples of this stream; the name and rate in its info are not looked at.

        Raises
        ------
        BadInput
            If the channels are not those of the stream, numbers meet a stream of text, a time is
            not a positive number (LSL takes 0 for "now" and -1 for "deduce it"), or the outlet is
            closed.
        """
        outlet = self._open()
        self._check(chunk)
        if chunk.n == 0:
            return
        if self.info.is_text:
            texts = [[_encoded(text) for text in row] for row in chunk.data]
            outlet.push_chunk(texts, chunk.times.tolist())
        else:
            values = np.ascontiguousarray(chunk.data, dtype=self.info.dtype)
            outlet.push_chunk(values, chunk.times.tolist())

    def close(self) -> None:
        """Withdraw the stream; what readers have not taken by now is gone."""
        self._outlet = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self) -> Any:
        if self._outlet is None:
            raise BadInput(f"the outlet of {self.info.name!r} is closed")
        return self._outlet

    def _check(self, chunk: Chunk) -> None:
        name = self.info.name
        if chunk.info.n_channels != self.info.n_channels or chunk.info.is_text != self.info.is_text:
            raise BadInput(
                f"outlet {name!r} sends {self.info.n_channels} channels of {self.info.dtype}, got "
                f"{chunk.info.n_channels} channels of {chunk.info.dtype} from {chunk.info.name!r}"
            )
        if not bool(np.all(np.isfinite(chunk.times) & (chunk.times > 0))):
            raise BadInput(
                f"times of {name!r} must be positive session times, got "
                f"{chunk.times.min()} to {chunk.times.max()} s"
            )


def _published(info: StreamInfo) -> StreamInfo:
    kind = "" if info.modality is None else info.modality.upper()
    return replace(
        info,
        source_id=info.source_id or f"biosense:{info.name}",
        dtype="float64" if info.dtype == "int64" else info.dtype,
        content_type=info.content_type or kind,
    )


def _declaration(info: StreamInfo) -> Any:
    import pylsl

    header = parse_xml(header_xml(info))
    declaration = pylsl.StreamInfo(
        header.findtext("name"),
        header.findtext("type"),
        info.n_channels,
        info.sfreq,
        header.findtext("channel_format"),
        header.findtext("source_id"),
    )
    description = header.find("desc")
    if description is not None:
        _copy(description, declaration.desc())
    return declaration


def _copy(element: Element, node: Any) -> None:
    for child in element:
        if len(child):
            _copy(child, node.append_child(child.tag))
        else:
            node.append_child_value(child.tag, child.text or "")


def _encoded(text: object) -> bytes:
    return str(text).encode("utf-8", "replace")
