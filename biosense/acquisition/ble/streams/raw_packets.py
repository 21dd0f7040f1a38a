"""Raw packets as text, so that a recording can be decoded again by a better decoder."""

from __future__ import annotations

import numpy as np

from biosense.acquisition.ble.link.inbox import Packet
from biosense.core.own_streams import RAW_PACKETS
from biosense.core.types import TEXT, Chunk, StreamInfo

KEY = "packets"
_BASE = "-0000-1000-8000-00805f9b34fb"  # Bluetooth SIG: the rest of a UUID that it assigned


def packets_info(device: str, source_id: str) -> StreamInfo:
    """Describe the stream of a device's raw packets: one text per notification.

    Parameters
    ----------
    device
        Name of the sensor.
    source_id
        Of the stream.

    Returns
    -------
    StreamInfo
        A stream of text.
    """
    return StreamInfo(
        f"{device} {KEY}",
        None,
        ("packet",),
        0.0,
        "",
        source_id,
        TEXT,
        lossy=True,
        content_type=RAW_PACKETS,
    )


def format_packet(uuid: str, data: bytes) -> str:
    """Write a notification as characteristic and bytes.

    A characteristic that the Bluetooth SIG assigned has four digits, any other its whole UUID.

    Parameters
    ----------
    uuid
        Of the characteristic, long form.
    data
        The notification.

    Returns
    -------
    str
        Characteristic, a space, and the bytes in hex.

    Examples
    --------
    >>> format_packet("00002a37-0000-1000-8000-00805f9b34fb", bytes([0x16, 60]))
    '2a37 163c'
    """
    short = uuid[4:8] if uuid.startswith("0000") and uuid.endswith(_BASE) else uuid
    return f"{short} {data.hex()}"


class PacketLog:
    """Collect packets into chunks of their text stream.

    Examples
    --------
    >>> log = PacketLog(packets_info("Polar H10", "polar-1-packets"))
    >>> log.add(Packet(5.0, "00002a37-0000-1000-8000-00805f9b34fb", bytes([0x16, 60])))
    >>> [chunk.data.tolist() for chunk in log.take()]
    [[['2a37 163c']]]
    """

    def __init__(self, info: StreamInfo) -> None:
        self.info = info
        self._packets: list[Packet] = []

    def add(self, packet: Packet) -> None:
        """Add a packet."""
        self._packets.append(packet)

    def take(self) -> list[Chunk]:
        """Return what was added since the last call, in one chunk, stamped with its arrival."""
        if not self._packets:
            return []
        packets, self._packets = self._packets, []
        texts = [[format_packet(each.uuid, each.data)] for each in packets]
        times = np.array([each.arrived for each in packets])
        return [Chunk.of(self.info, times, texts, arrived=packets[-1].arrived)]
