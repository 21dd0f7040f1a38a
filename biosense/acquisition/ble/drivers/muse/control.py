"""Talking to a Muse: commands to its control characteristic, and its replies in JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass

from biosense.acquisition.ble.driver import Gatt, Report
from biosense.acquisition.ble.drivers.muse.classic_packets import CONTROL, command, reply_part
from biosense.core.errors import DeviceRefused, PacketError

ANSWER_S = 1.0  # a headband answers within 0.1 s
_POLL_S = 0.02
_MOST_CHARACTERS = 2048  # the longest known reply has about 200


@dataclass(frozen=True)
class ControlReply:
    """Hold a reply; None and empty where it says nothing. `code` is 0 where all went well."""

    code: int | None = None
    name: str = ""
    serial: str = ""
    firmware: str = ""
    battery: float | None = None

    def filled(self, other: ControlReply) -> ControlReply:
        """Return this reply, with what it leaves open taken from another."""
        return ControlReply(
            code=self.code if self.code is not None else other.code,
            name=self.name or other.name,
            serial=self.serial or other.serial,
            firmware=self.firmware or other.firmware,
            battery=self.battery if self.battery is not None else other.battery,
        )

    def report(self, model: str | None = None) -> Report:
        """Return what is of interest to the user."""
        return Report(
            battery=self.battery,
            firmware=self.firmware or None,
            serial=self.serial or None,
            model=model,
        )


class Replies:
    r"""Put replies together: the headband spreads their text over packets.

    Examples
    --------
    >>> replies = Replies()
    >>> replies.feed(b'\x09{"bp":82,' + bytes(10))
    >>> replies.feed(b'\x07"rc":0}' + bytes(12))
    ControlReply(code=0, name='', serial='', firmware='', battery=0.82)
    """

    def __init__(self) -> None:
        self._text = ""

    def feed(self, packet: bytes) -> ControlReply | None:
        """Take a packet; return the reply that it completes.

        Raises
        ------
        PacketError
            If it is no part of a reply; the next reply is read as usual.
        """
        text, self._text = self._text + reply_part(packet), ""
        if not text.rstrip().endswith("}"):
            if len(text) > _MOST_CHARACTERS:
                raise PacketError(f"a Muse reply of over {_MOST_CHARACTERS} characters has no end")
            self._text = text
            return None
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise PacketError(f"a Muse reply is JSON, got {text[:80]!r}") from error
        if not isinstance(fields, dict):
            raise PacketError(f"a Muse reply is a JSON object, got {text[:80]!r}")
        return ControlReply(
            code=_number(fields.get("rc")),
            name=_text(fields.get("hn")),
            serial=_text(fields.get("sn")),
            firmware=_text(fields.get("fw")),
            battery=_share(fields.get("bp")),
        )


class MuseControl:
    """The control characteristic of one connection.

    Commands and preset names are from alexandrebarachant/muse-lsl and brainflow-dev/brainflow.
    """

    def __init__(self, gatt: Gatt) -> None:
        self._gatt = gatt
        self._replies = Replies()
        self._heard: list[ControlReply] = []

    async def open(self) -> None:
        """Have replies sent."""
        await self._gatt.subscribe(CONTROL, self._hear)

    async def send(self, text: str) -> None:
        """Send a command."""
        await send(self._gatt, text)

    async def ask(self, text: str) -> ControlReply:
        """Send a command and wait for its reply; an empty one where none comes."""
        self._heard.clear()
        await self.send(text)
        waited = 0.0
        while not self._heard and waited < ANSWER_S:
            await self._gatt.sleep(_POLL_S)
            waited += _POLL_S
        return self._heard[-1] if self._heard else ControlReply()

    async def choose(self, preset: str) -> None:
        """Choose what the headband sends.

        Raises
        ------
        DeviceRefused
            If it does not know the preset.
        """
        reply = await self.ask(preset)
        if reply.code:
            raise DeviceRefused(
                f"the Muse refused preset {preset!r} (its code is {reply.code}): "
                "choose another preset, or 'auto'"
            )

    def _hear(self, packet: bytes) -> None:
        try:
            reply = self._replies.feed(packet)
        except PacketError:
            return  # as good as none: who asked waits no longer than for that
        if reply is not None:
            self._heard.append(reply)


async def send(gatt: Gatt, text: str) -> None:
    """Send a command to a Muse."""
    await gatt.write(CONTROL, command(text), response=False)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _share(percent: object) -> float | None:
    if isinstance(percent, bool) or not isinstance(percent, (int, float)):
        return None
    return percent / 100 if 0 <= percent <= 100 else None
