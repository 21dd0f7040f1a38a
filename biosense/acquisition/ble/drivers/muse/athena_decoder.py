"""Decoding of what a Muse S Athena sends: order, sample numbers and times of its sensors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from biosense.acquisition.ble.driver import Block, Decoded, Report, Signal
from biosense.acquisition.ble.drivers.muse import athena_packets as packets
from biosense.acquisition.ble.drivers.muse.athena_packets import AthenaPacket, RawBlock
from biosense.acquisition.ble.drivers.muse.classic_packets import CONTROL
from biosense.acquisition.ble.drivers.muse.control import Replies
from biosense.acquisition.ble.drivers.timing.packet_counter import Held, Reorder, Unwrapper
from biosense.acquisition.ble.drivers.timing.sample_clock import SETTLE_S, SampleClock
from biosense.core.errors import PacketError
from biosense.core.types import Floats

HOLD_S = 0.2  # packets were seen to overtake each other by up to 90 ms (OpenMuse)
_PACKETS = 2**16
_PACKETS_HZ = 40.0  # 14 to 36 were seen
_BLOCKS = 2**8
_MOST_WAITING = 512  # blocks; EEG has 64 in the time that they may wait


class AthenaSensor:
    """Make blocks of the signals of one sensor from what its processor read of it.

    Parameters
    ----------
    signals
        The signals, each with the names of its channels as `athena_packets` has them.
    sfreq
        Nominal rate of the sensor, Hz.
    """

    def __init__(self, signals: Sequence[tuple[Signal, tuple[str, ...]]], sfreq: float) -> None:
        self._signals = signals
        self._sfreq = sfreq
        self._tag = -1
        self._places = Unwrapper(_BLOCKS, sfreq)
        self._clock = SampleClock(sfreq)
        self._waiting: list[tuple[int, Floats, tuple[str, ...]]] = []
        self._next: int | None = None
        self._restarted = False
        self._since = self._arrived = 0.0

    def add(self, block: RawBlock, time: float, arrived: float) -> list[Block]:
        """Take a block of a packet of device time `time`; return what must go before it."""
        layout = packets.LAYOUTS[block.tag]
        before: list[Block] = []
        if block.tag != self._tag:
            before = self._restart()
            self._tag = block.tag
            self._places = Unwrapper(_BLOCKS, self._sfreq / layout.samples)
        place = self._places.place(block.counter, time)
        if place.restarted:
            before += self._restart()
        number = place.number * layout.samples
        if self._next is not None and number < self._next:
            return before
        if not self._waiting:
            self._since = arrived
        self._next, self._arrived = number + layout.samples, arrived
        self._waiting.append((number, packets.samples(block), layout.channels))
        self._clock.add(self._next - 1, block.read)
        return before

    def take(self, now: float) -> list[Block]:
        """Return what was added, once it can be stamped, or waited too long by time `now`."""
        if not self._waiting:
            return []
        if not self._clock.is_settled:
            if now - self._since < SETTLE_S + HOLD_S and len(self._waiting) < _MOST_WAITING:
                return []
            self._clock.settle()
        numbers = np.concatenate([n + np.arange(len(data)) for n, data, _ in self._waiting])
        stamps = self._clock.stamps(numbers)
        blocks = [
            Block(signal.key, stamps, self._data(signal, names), self._arrived, self._restarted)
            for signal, names in self._signals
        ]
        self._waiting.clear()
        self._restarted = False
        return blocks

    def _restart(self) -> list[Block]:
        rest = self.take(np.inf)
        self._restarted = self._next is not None
        self._clock, self._next = SampleClock(self._sfreq), None
        return rest

    def _data(self, signal: Signal, names: tuple[str, ...]) -> Floats:
        parts = []
        for _, data, channels in self._waiting:
            part = np.full((len(data), len(names)), np.nan, dtype=signal.dtype)
            for column, name in enumerate(names):
                if name in channels:
                    part[:, column] = data[:, channels.index(name)]
            parts.append(part)
        return np.concatenate(parts)


class AthenaDecoder:
    """Decode what an Athena sends.

    Packets are put in order by their counter. Each sensor has a counter of its own, which tells its
    samples' numbers and thereby what is lost, and a clock of its own (`SampleClock`), because its
    rate is that of its own oscillator: in public captures EEG came at 256.2 to 256.4 Hz, optics at
    64.2 Hz and motion at 51.97 Hz of the device's time. Stamps are in that time, which goes on over
    reconnections. The first samples are held back for half a second, until the clock is known.

    Examples
    --------
    >>> xyz = [Signal(key, None, ("x", "y", "z"), 52.0, "", 0.1) for key in ("acc", "gyro")]
    >>> decoder = AthenaDecoder([Signal("eeg", None, ("TP9", "AF7"), 256.0, "uV", 0.1), *xyz])
    >>> header = bytes.fromhex("2a 0000 00e93fa29301 11 00 000000")
    >>> decoder.feed(packets.DATA[0], header + bytes(28), 5.0)
    []
    >>> [block.data.shape for block in decoder.release(6.0)]
    [(4, 2)]
    """

    def __init__(self, announced: Sequence[Signal]) -> None:
        self.unknown: Counter[int] = Counter()
        self._replies = Replies()
        self._places = Unwrapper(_PACKETS, _PACKETS_HZ)
        self._order: Reorder[AthenaPacket] = Reorder(HOLD_S)
        signals = {signal.key: signal for signal in announced}
        eeg, acc, gyro = signals["eeg"], signals["acc"], signals["gyro"]
        motion = [(acc, packets.MOTION_CHANNELS[:3]), (gyro, packets.MOTION_CHANNELS[3:])]
        light = [
            (signals[key], signals[key].channels) for key in ("ppg", "optics") if key in signals
        ]
        self._sensors = {packets.MOTION: AthenaSensor(motion, acc.sfreq)}
        self._sensors |= dict.fromkeys((0x11, 0x12), AthenaSensor([(eeg, eeg.channels)], eeg.sfreq))
        if light:
            sensor = AthenaSensor(light, light[0][0].sfreq)
            self._sensors |= dict.fromkeys((0x34, 0x35, 0x36), sensor)

    def feed(self, uuid: str, packet: bytes, arrived: float) -> Sequence[Decoded]:
        """Take a notification; return what is in order."""
        if uuid == CONTROL:
            reply = self._replies.feed(packet)
            return [] if reply is None else [reply.report()]
        if uuid not in packets.DATA:
            raise PacketError(f"no packets are expected from characteristic {uuid}")
        ready: list[Held[AthenaPacket]] = []
        for each in packets.packets(packet):
            place = self._places.place(each.counter, arrived)
            if place.restarted:
                ready += self._order.restart()
            ready += self._order.push(place.number, each, arrived)
        return self._read(ready, arrived)

    def release(self, now: float) -> Sequence[Decoded]:
        """Return what was held back for too long."""
        return self._read(self._order.release(now), now)

    def _read(self, ready: Sequence[Held[AthenaPacket]], now: float) -> list[Decoded]:
        decoded: list[Decoded] = []
        for held in ready:
            packet = held.parts[0]
            for block in packet.blocks:
                if block.tag in packets.BATTERIES:
                    decoded += _battery(block)
                elif block.tag in self._sensors:
                    decoded += self._sensors[block.tag].add(block, packet.time, held.arrived)
            if packet.unknown is not None:
                decoded += self._skipped(packet.unknown)
        for sensor in dict.fromkeys(self._sensors.values()):
            decoded += sensor.take(now)
        return decoded

    def _skipped(self, tag: int) -> list[Decoded]:
        self.unknown[tag] += 1
        if self.unknown[tag] > 1:
            return []
        text = (
            f"the Athena sends blocks {tag:#x}, which are not known (newer firmware?): they and "
            "what follows them in a packet are left out"
        )
        return [Report(text=text)]


def _battery(block: RawBlock) -> list[Decoded]:
    share = packets.battery(block)
    return [] if share is None else [Report(battery=share)]
