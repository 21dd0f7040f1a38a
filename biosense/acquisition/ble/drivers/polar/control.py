"""Talking to a Polar sensor: commands to its control point, and waiting for the answers."""

from __future__ import annotations

from collections.abc import Collection

from biosense.acquisition.ble.driver import Gatt
from biosense.acquisition.ble.drivers.polar.commands import (
    ALREADY_IN_STATE,
    REFUSALS,
    Command,
    ControlPointResponse,
    MeasurementStopped,
    Settings,
    decode_control,
    decode_features,
    decode_settings,
    request,
)
from biosense.acquisition.ble.drivers.polar.frames import CONTROL, DATA, MeasurementType
from biosense.core.errors import DeviceRefused, PacketError

ANSWER_S = 3.0  # a sensor answers within 0.2 s
STOP_ANSWER_S = 0.8  # what counts is that the command went out: a run that ends cannot wait long
_POLL_S = 0.02
_MOST_PARTS = 16  # packets of one answer; all that is known fits into one


class PolarControl:
    """The control point of one connection.

    Answers come here from `open` until `hand_over`, and to the decoder after that.
    """

    def __init__(self, gatt: Gatt) -> None:
        self._gatt = gatt
        self._heard: list[ControlPointResponse] = []
        self._stopped: set[int] = set()

    async def open(self) -> None:
        """Have answers sent here; and data, which must be subscribed before any command."""
        await self._gatt.subscribe(CONTROL, self._hear)
        await self._gatt.subscribe(DATA)

    async def hand_over(self) -> None:
        """Have notices of stopped measurements sent to the decoder from now on."""
        await self._gatt.subscribe(CONTROL)

    async def features(self) -> frozenset[MeasurementType]:
        """Ask what the sensor can measure."""
        value = await self._gatt.read(CONTROL)
        try:
            return decode_features(value)
        except PacketError as error:
            raise DeviceRefused(f"this is no sensor that can be used: {error}") from error

    async def settings(self, kind: MeasurementType) -> Settings:
        """Ask what the sensor offers for a measurement."""
        answer = await self._ask(Command.GET_SETTINGS, kind)
        _check(answer, Command.GET_SETTINGS, kind)
        return _settings(kind, answer)

    async def start(self, kind: MeasurementType, chosen: Settings) -> Settings:
        """Start a measurement, a new one where it runs already; return what the sensor adds.

        Raises
        ------
        DeviceRefused
            If the sensor says no, does not answer, or ends the measurement at once.
        """
        self._stopped.discard(kind)
        answer = await self._ask(Command.START, kind, chosen)
        if answer.status == ALREADY_IN_STATE:
            await self._ask(Command.STOP, kind)
            self._stopped.discard(kind)
            answer = await self._ask(Command.START, kind, chosen)
        _check(answer, Command.START, kind)
        return _settings(kind, answer)

    async def stop(self, kind: MeasurementType) -> None:
        """Stop a measurement; one that does not run is stopped."""
        answer = await self._ask(Command.STOP, kind, limit=STOP_ANSWER_S)
        if answer.status != ALREADY_IN_STATE:
            _check(answer, Command.STOP, kind)

    def check_running(self, kinds: Collection[MeasurementType]) -> None:
        """Raise `DeviceRefused` where the sensor ended one of them since it was started."""
        if ended := [kind.name for kind in kinds if kind in self._stopped]:
            raise DeviceRefused(f"the sensor stopped {', '.join(ended)} as soon as it began")

    async def _ask(
        self,
        command: Command,
        kind: MeasurementType,
        chosen: Settings | None = None,
        *,
        limit: float = ANSWER_S,
    ) -> ControlPointResponse:
        self._heard.clear()
        await self._gatt.write(CONTROL, request(command, kind, chosen), response=True)
        answer = await self._next(command, kind, limit)
        parameters, parts = answer.parameters, 1
        while answer.more:
            if parts == _MOST_PARTS:
                raise DeviceRefused(f"the sensor's answer on {kind.name} has no end")
            answer = await self._next(command, kind, limit)
            parameters, parts = parameters + answer.parameters, parts + 1
        return ControlPointResponse(command, kind, answer.status, False, parameters)

    async def _next(
        self, command: Command, kind: MeasurementType, limit: float
    ) -> ControlPointResponse:
        waited = 0.0
        while True:
            while self._heard:
                answer = self._heard.pop(0)
                if (answer.command, answer.kind) == (command, kind):
                    return answer
            if waited >= limit:
                raise DeviceRefused(
                    f"the sensor did not answer within {limit:g} s when asked to "
                    f"{_words(command)} {kind.name}: switch it off and on"
                )
            await self._gatt.sleep(_POLL_S)
            waited += _POLL_S

    def _hear(self, packet: bytes) -> None:
        try:
            heard = decode_control(packet)
        except PacketError:
            return  # as good as none: who asked waits no longer than for that
        if isinstance(heard, MeasurementStopped):
            self._stopped.update(heard.kinds)
        else:
            self._heard.append(heard)


def _check(answer: ControlPointResponse, command: Command, kind: MeasurementType) -> None:
    if answer.status:
        why = REFUSALS.get(answer.status, f"its code is {answer.status}, which is not documented")
        raise DeviceRefused(f"the sensor refused to {_words(command)} {kind.name}: {why}")


def _settings(kind: MeasurementType, answer: ControlPointResponse) -> Settings:
    try:
        return decode_settings(answer.parameters)
    except PacketError as error:
        raise DeviceRefused(
            f"what the sensor says of {kind.name} is not understood: {error}"
        ) from error


def _words(command: Command) -> str:
    return {
        Command.GET_SETTINGS: "tell the settings of",
        Command.START: "start",
        Command.STOP: "stop",
    }[command]
