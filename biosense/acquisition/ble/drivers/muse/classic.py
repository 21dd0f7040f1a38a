"""Muse 2016, Muse 2 and Muse S of the first two generations: signals, presets and decoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from biosense.acquisition.ble.driver import Block, Decoded, Decoder, Gatt, Report, Signal
from biosense.acquisition.ble.drivers.muse import classic_packets as packets
from biosense.acquisition.ble.drivers.muse.control import ControlReply, MuseControl, Replies
from biosense.acquisition.ble.drivers.timing.counted_signal import CountedSignal
from biosense.core.errors import DeviceLost, DeviceRefused, PacketError
from biosense.core.types import Floats, Modality

HOLD_S = 0.2  # packets were seen to overtake each other by up to 90 ms (OpenMuse)
PRESETS = ("p20", "p21", "p50", "p51", "p60", "p61")
_COUNTER = 2**16
_AUX = "AUX"  # the electrode that can be plugged in


@dataclass(frozen=True)
class Classic:
    """What a headband of this kind has and sends, once it is known.

    Parameters
    ----------
    model
        As users say it.
    preset
        What was chosen of `PRESETS`; even ones enable the auxiliary electrode, those from 50 on PPG
        (brainflow-dev/brainflow, urish/muse-js).
    aux, light
        True where the auxiliary electrode and the optical sensor are used.
    """

    model: str
    preset: str
    aux: bool
    light: bool

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The signals that it sends."""
        electrodes = (*packets.EEG, _AUX) if self.aux else tuple(packets.EEG)
        eeg_interval = packets.EEG_SAMPLES / packets.EEG_HZ
        imu_interval = packets.IMU_SAMPLES / packets.IMU_HZ
        eeg = Signal("eeg", Modality.EEG, electrodes, packets.EEG_HZ, "uV", eeg_interval)
        acc = Signal("acc", None, ("x", "y", "z"), packets.IMU_HZ, "g", imu_interval)
        gyro = Signal("gyro", None, ("x", "y", "z"), packets.IMU_HZ, "deg/s", imu_interval)
        return (_held(eeg), _held(acc), _held(gyro), *(self._light() if self.light else ()))

    async def start(self, gatt: Gatt) -> None:
        """Subscribe to all that is used, and have it sent."""
        for uuid in MuseDecoder(self).uuids:
            if gatt.has(uuid):
                await gatt.subscribe(uuid)
        await MuseControl(gatt).send("d")

    def decoder(self) -> Decoder:
        """Make the decoder of a connection."""
        return MuseDecoder(self)

    def _light(self) -> tuple[Signal, ...]:
        interval = packets.PPG_SAMPLES / packets.PPG_HZ
        optics = Signal("optics", None, tuple(packets.PPG), packets.PPG_HZ, "counts", interval)
        # Infrared is the light that reaches deepest and is least disturbed by the room's.
        ppg = Signal("ppg", Modality.PPG, ("infrared",), packets.PPG_HZ, "counts", interval)
        return (_held(ppg), _held(optics))


async def identify(
    gatt: Gatt, control: MuseControl, preset: str, aux: bool
) -> tuple[Classic, ControlReply]:
    """Ask a headband what it is, and choose its preset.

    Raises
    ------
    DeviceRefused
        If it does not know the preset.
    DeviceLost
        If it shows no electrodes: it must be connected once more.
    """
    if not all(gatt.has(uuid) for uuid in packets.EEG.values()):
        await control.send("h")
        # Some show everything from their second connection on; a link connects again when lost.
        raise DeviceLost(
            "this Muse shows no electrodes yet (some do so after they slept): connect once more; "
            "if that does not help, turn it off and on"
        )
    version, status = await control.ask("v1"), await control.ask("s")
    await control.ask("h")
    light = all(gatt.has(uuid) for uuid in packets.PPG.values())
    soft = status.name.startswith("MuseS")
    chosen = _preset(preset, light=light, soft=soft, aux=aux)
    await control.choose(chosen)
    model = ("Muse S" if soft else "Muse 2") if light else "Muse 2016 or S (first generation)"
    found = Classic(model, chosen, aux, light and int(chosen[1:]) >= 50)
    return found, status.filled(version)


def _preset(asked: str, *, light: bool, soft: bool, aux: bool) -> str:
    if asked == "auto":
        group = 2 if not light else 6 if soft else 5
        return f"p{group}{0 if aux else 1}" if group != 5 else "p50"
    if asked not in PRESETS:
        raise DeviceRefused(f"preset {asked!r} is none of this Muse: it knows {PRESETS}")
    if aux and asked.endswith("1"):
        raise DeviceRefused(f"preset {asked!r} leaves the auxiliary electrode out, but it is asked")
    return asked


def _held(signal: Signal) -> Signal:
    return replace(signal, hold=HOLD_S)


_Reader = Callable[[bytes], tuple[int, Floats]]


def _column(read: Callable[[bytes], tuple[int, Any]]) -> _Reader:
    def as_column(packet: bytes) -> tuple[int, Floats]:
        counter, values = read(packet)
        return counter, values[:, None].astype(np.float64)

    return as_column


@dataclass(frozen=True)
class _Route:
    signal: CountedSignal
    part: int
    read: _Reader


class MuseDecoder:
    """Decode what the characteristics of a headband send.

    Each electrode has packets of its own with a common counter: they are joined by it, however they
    arrive. All other signals are counted on their own.

    Examples
    --------
    >>> decoder = MuseDecoder(Classic("Muse 2016", "p21", aux=False, light=False))
    >>> packet = bytes.fromhex("0102 800800 7ff7ff 800800 7ff7ff 800800 7ff7ff")
    >>> blocks = [decoder.feed(uuid, packet, 0.0) for uuid in packets.EEG.values()]
    >>> [block.data.shape for block in blocks[-1]]
    [(12, 4)]
    """

    def __init__(self, headband: Classic) -> None:
        self._replies = Replies()
        self._signals: list[CountedSignal] = []
        self._routes: dict[str, list[_Route]] = {}
        signals = {signal.key: signal for signal in headband.signals}
        electrodes = {**packets.EEG, **({_AUX: packets.AUX_RIGHT} if headband.aux else {})}
        self._route(
            signals["eeg"], packets.EEG_SAMPLES, tuple(electrodes.values()), _column(packets.eeg)
        )
        acc, gyro = (partial(packets.imu, unit=unit) for unit in (packets.ACC_G, packets.GYRO_DPS))
        self._route(signals["acc"], packets.IMU_SAMPLES, [packets.ACC], acc)
        self._route(signals["gyro"], packets.IMU_SAMPLES, [packets.GYRO], gyro)
        if headband.light:
            light, infrared = _column(packets.ppg), [packets.PPG["infrared"]]
            self._route(signals["ppg"], packets.PPG_SAMPLES, infrared, light)
            self._route(signals["optics"], packets.PPG_SAMPLES, tuple(packets.PPG.values()), light)

    @property
    def uuids(self) -> tuple[str, ...]:
        """The characteristics to subscribe to."""
        return (*self._routes, packets.TELEMETRY)

    def feed(self, uuid: str, packet: bytes, arrived: float) -> Sequence[Decoded]:
        """Take a notification; return what became complete with it, and what waited too long."""
        if uuid == packets.TELEMETRY:
            return [Report(battery=packets.telemetry(packet).battery)]
        if uuid == packets.CONTROL:
            reply = self._replies.feed(packet)
            return [] if reply is None else [reply.report()]
        if uuid not in self._routes:
            raise PacketError(f"no packets are expected from characteristic {uuid}")
        blocks: list[Decoded] = []
        for route in self._routes[uuid]:
            counter, data = route.read(packet)
            blocks += route.signal.feed(counter, data, arrived, route.part)
        return blocks

    def release(self, now: float) -> Sequence[Decoded]:
        """Return what waited too long."""
        blocks: list[Block] = []
        for signal in self._signals:
            blocks += signal.release(now)
        return blocks

    def _route(self, signal: Signal, samples: int, uuids: Sequence[str], read: _Reader) -> None:
        counted = CountedSignal(signal, _COUNTER, samples, parts=len(uuids))
        self._signals.append(counted)
        for part, uuid in enumerate(uuids):
            self._routes.setdefault(uuid, []).append(_Route(counted, part, read))
