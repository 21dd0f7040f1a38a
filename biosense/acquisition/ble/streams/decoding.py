"""From what happens on a link to the items of its streams, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from biosense.acquisition.ble.driver import Block, Decoded, Decoder, Report
from biosense.acquisition.ble.link.inbox import (
    DeviceReport,
    DeviceStarted,
    LinkChanged,
    Message,
    Packet,
    PacketsLost,
    Tick,
)
from biosense.acquisition.ble.link.states import LinkState
from biosense.acquisition.ble.streams.raw_packets import PacketLog
from biosense.acquisition.ble.streams.signal_stream import SignalStream
from biosense.core.device_state import DeviceState
from biosense.core.errors import PacketError
from biosense.core.types import Event, EventKind, Item, StreamInfo

STATE_EVERY_S = 1.0
_REPEAT_S = 10.0  # of errors about bytes that are no packet


class AskRestart(Protocol):
    """Have the device started again; see `Supervisor.ask_restart`."""

    def __call__(self, reason: str, *, reconnect: bool) -> None:
        """Return at once."""
        ...


@dataclass
class ErrorCounter:
    """Count something that goes wrong often, and say so now and then."""

    count: int = 0
    last: str = ""
    said_at: float = float("-inf")

    def add(self, error: str) -> None:
        """Count one more."""
        self.count += 1
        self.last = error

    def due(self, time: float) -> str:
        """Return what to say now, or nothing."""
        if not self.count or time - self.said_at < _REPEAT_S:
            return ""
        text = f"{self.count} packets could not be decoded; the last: {self.last}"
        self.count, self.said_at = 0, time
        return text


class LinkDecoder:
    """Decode what arrives and put it into session time; no waiting, no threads.

    Parameters
    ----------
    streams
        The signals taken, by key.
    packets
        Where raw packets go, or None.
    ask_restart
        Called when the device stopped by itself, or one of its signals is silent.
    """

    def __init__(
        self, streams: dict[str, SignalStream], packets: PacketLog | None, ask_restart: AskRestart
    ) -> None:
        self._streams = streams
        self._packets = packets
        self._ask_restart = ask_restart
        self._decoder: Decoder | None = None
        self._connected = False
        self._lost = False
        self._heard = self._previous = float("nan")
        self._refusal = ""
        self._errors = ErrorCounter()
        self._state = DeviceState(float("-inf"), "")
        self._longest_pause = min((each.limit for each in streams.values()), default=np.inf)
        self._longest_hold = max((each.signal.hold for each in streams.values()), default=0.0)

    @property
    def infos(self) -> tuple[StreamInfo, ...]:
        """All streams: the signals, then the raw packets."""
        own = tuple(each.info for each in self._streams.values())
        return own if self._packets is None else (*own, self._packets.info)

    def take(self, message: Message) -> list[Item]:
        """Return the items that a message makes."""
        items: list[Item] = []
        match message:
            case Packet():
                items += self._packet(message)
            case DeviceStarted():
                items += self._begin(message)
            case LinkChanged():
                items += self._change(message)
            case DeviceReport():
                items += self._take_report(message.report, message.time)
            case Tick():
                items += self._tick(message.time)
            case PacketsLost():
                text = f"{message.count} packets lost: this program reads them too slowly"
                items.append(self._note(message.time, EventKind.OVERRUN, text))
        return items

    def finish(self, time: float) -> list[Item]:
        """Return what was held back: nothing follows."""
        items = self._release(time + self._longest_hold + 1.0, time)
        return items + self._take_packets()

    def _packet(self, packet: Packet) -> list[Item]:
        items: list[Item] = []
        self._allow_pause(packet.arrived - self._previous)
        self._heard = self._previous = packet.arrived
        if self._packets is not None:
            self._packets.add(packet)
        if self._decoder is None:
            return items
        try:
            decoded = self._decoder.feed(packet.uuid, packet.data, packet.arrived)
        except PacketError as error:
            self._errors.add(str(error))
        else:
            items += self._items_of(decoded, packet.arrived)
        if text := self._errors.due(packet.arrived):
            items.append(self._note(packet.arrived, EventKind.ERROR, text))
        return items + self._watch(packet.arrived)

    def _allow_pause(self, pause: float) -> None:
        if pause > self._longest_pause:
            for stream in self._streams.values():
                stream.allow_pause(pause - self._longest_pause)

    def _watch(self, time: float) -> list[Item]:
        items: list[Item] = []
        for stream in self._streams.values():
            items += stream.watch(time)
            if times := stream.restart_due(time):
                # The second try is the thorough one; more of that would only hurt the others.
                self._ask_restart(f"no {stream.signal.key}", reconnect=times == 2)
        return items

    def _begin(self, message: DeviceStarted) -> list[Item]:
        items = self.finish(message.time)
        self._decoder = message.decoder
        self._refusal = ""
        self._previous = message.time
        self._heard = message.time if np.isnan(self._heard) else self._heard
        for stream in self._streams.values():
            stream.begin(message.time)
        if not self._connected:
            self._connected = True
            words = [self._state.model, self._state.firmware and f"firmware {self._state.firmware}"]
            text = ", ".join(["connected over Bluetooth", *filter(None, words)])
            items += [
                Event(message.time, EventKind.CONNECTED, each.name, text) for each in self.infos
            ]
        return items

    def _change(self, message: LinkChanged) -> list[Item]:
        items: list[Item] = []
        self._state = replace(self._state, link=message.state, rssi=message.rssi)
        if message.state is LinkState.STREAMING:
            items += self._resume(message.time)
        elif message.state in (LinkState.STALLED, LinkState.BACKING_OFF):
            items += self._lose(message)
        return items + self._device_states(message.time)

    def _lose(self, message: LinkChanged) -> list[Item]:
        items = self._take_packets()
        if self._lost:
            if message.state is LinkState.BACKING_OFF and message.reason != self._refusal:
                self._refusal = message.reason
                items.append(self._note(message.time, EventKind.INFO, message.reason))
            return items
        self._lost, self._refusal = True, message.reason
        for stream in self._streams.values():
            items += stream.lose(message.time, self._heard, message.reason)
        if self._packets is not None:
            name = self._packets.info.name
            items.append(Event(message.time, EventKind.LOST, name, message.reason))
        return items

    def _resume(self, time: float) -> list[Item]:
        was_lost, self._lost = self._lost, False
        items: list[Item] = []
        for stream in self._streams.values():
            items += stream.resume(time)
        if was_lost and self._packets is not None:
            text = f"back after {time - self._heard:.1f} s"
            items.append(Event(time, EventKind.RECOVERED, self._packets.info.name, text))
        return items

    def _tick(self, time: float) -> list[Item]:
        items = self._release(time, time) + self._take_packets()
        if time - self._state.time >= STATE_EVERY_S:
            items += self._device_states(time)
        return items

    def _release(self, until: float, time: float) -> list[Item]:
        if self._decoder is None:
            return []
        return self._items_of(self._decoder.release(until), time)

    def _items_of(self, decoded: Sequence[Decoded], time: float) -> list[Item]:
        items: list[Item] = []
        for each in decoded:
            if isinstance(each, Report):
                items += self._take_report(each, time)
            elif isinstance(each, Block) and each.signal in self._streams:
                items += self._streams[each.signal].take(each)
        return items

    def _take_report(self, report: Report, time: float) -> list[Item]:
        known = self._state
        self._state = replace(
            known,
            battery=known.battery if report.battery is None else report.battery,
            contact=known.contact if report.contact is None else report.contact,
            firmware=report.firmware or known.firmware,
            model=report.model or known.model,
        )
        if report.stopped:
            self._ask_restart("the device stopped by itself", reconnect=False)
        return [self._note(time, EventKind.INFO, report.text)] if report.text else []

    def _device_states(self, time: float) -> list[Item]:
        self._state = replace(self._state, time=time)
        states: list[Item] = [
            replace(self._state, stream=each.info.name, clock=each.clock)
            for each in self._streams.values()
        ]
        if self._packets is not None:
            states.append(replace(self._state, stream=self._packets.info.name))
        return states

    def _take_packets(self) -> list[Item]:
        return [] if self._packets is None else list(self._packets.take())

    def _note(self, time: float, kind: EventKind, text: str) -> Event:
        return Event(time, kind, self.infos[-1].name, text)
