"""Muse 2016, Muse 2, Muse S of the first generations: one characteristic a signal.

Sources: alexandrebarachant/muse-lsl, brainflow-dev/brainflow, urish/muse-js.
"""

from __future__ import annotations

import numpy as np

from biosense.core.clock import Clock
from biosense.core.types import Floats, Ints
from tests.support.ble import packets_muse as packets
from tests.support.fake_bluez.devices.stream import sample
from tests.support.fake_bluez.peripheral import Characteristic, Peripheral, Service


def muse_uuid(number: int) -> str:
    return f"273e00{number:02x}-4c4d-454d-96be-f03bac821358"


SERVICE = "0000fe8d-0000-1000-8000-00805f9b34fb"
CONTROL, GYRO, ACC, TELEMETRY = (muse_uuid(number) for number in (0x01, 0x09, 0x0A, 0x0B))
TP9, AF7, AF8, TP10, AUX = (muse_uuid(number) for number in (3, 4, 5, 6, 7))
LIGHTS = tuple(muse_uuid(number) for number in (0x0F, 0x10, 0x11))
PRESETS = ("p20", "p21", "p50", "p51", "p60", "p61")
EEG_HZ, IMU_HZ, PPG_HZ = 256.0, 52.0, 64.0
TELEMETRY_S = 10.0


def control_service(*others: str) -> Service:
    """Describe the service of all Muses: the control point, and what notifies."""
    control = Characteristic(CONTROL, ("write-without-response", "notify"))
    return Service(SERVICE, (control, *(Characteristic(uuid, ("notify",)) for uuid in others)))


class MuseControl(Peripheral):
    """What every Muse has: commands, replies, falling asleep. `begin` starts its signals.

    Attributes
    ----------
    commands
        What it was told, in order.
    """

    presets: tuple[str, ...] = PRESETS
    firmware = "1.2.13"
    asleep_after = 150.0  # seconds without a keep-alive: some headbands stop then

    def __init__(
        self, name: str, address: str, service: Service, *, clock: Clock, ppm: float
    ) -> None:
        super().__init__(name, address, (service,), clock=clock, advertised=(SERVICE,), ppm=ppm)
        self.commands: list[str] = []
        self.preset = self.presets[0]
        self.alive = 0.0
        self.streaming = False

    async def on_connect(self) -> None:
        self.streaming = False

    async def on_write(self, uuid: str, data: bytes) -> None:
        if uuid != CONTROL or data[:1] != bytes([len(data) - 1]) or data[-1:] != b"\n":
            return  # a headband ignores what it cannot read
        command = packets.read_command(data)
        self.commands.append(command)
        self.alive = self.clock.now()
        self._obey(command)
        reply = self._reply(command)
        if reply is not None:
            for part in packets.control_packets(reply):
                self.notify(CONTROL, part)

    def begin(self) -> None:
        """Start to measure what the preset says."""

    def is_starting(self, command: str) -> bool:
        """Tell whether a command makes it send."""
        return command == "d"

    @property
    def sends(self) -> bool:
        """Whether it sends now: it was started, and is awake."""
        return self.streaming and self.clock.now() - self.alive < self.asleep_after

    def _obey(self, command: str) -> None:
        if self.is_starting(command) and not self.streaming:
            self.streaming = True
            self.begin()
        elif command == "h":
            self.streaming = False
            self.stop_running()
        elif command in self.presets:
            self.preset = command

    def _reply(self, command: str) -> dict[str, object] | None:
        if command in ("v1", "v4", "v6"):
            return {
                "fw": self.firmware,
                "hw": "19.7",
                "pv": int(command[1]),
                "tp": "consumer",
                "rc": 0,
            }
        if command == "s":
            identity = {"hn": self.name, "sn": "2031-AB12-0001", "ma": self.address}
            return {**identity, "bp": 82, "ps": int(self.preset[1:]), "rc": 0}
        if command.startswith("p") and command not in self.presets:
            return {"rc": 69}
        return {"rc": 0}


class Muse(MuseControl):
    """A Muse 2 (or 2016, S). Raw EEG of sample n on electrode e is (n + 512 e) modulo 4096.

    Parameters
    ----------
    light
        It has the optical sensor: a Muse 2 or S.
    """

    def __init__(
        self, clock: Clock, number: int = 1, *, light: bool = True, ppm: float = 0.0
    ) -> None:
        signals = (TP9, AF7, AF8, TP10, AUX, GYRO, ACC, TELEMETRY, *(LIGHTS if light else ()))
        service = control_service(*signals)
        address = f"00:55:DA:B0:00:{number:02X}"
        super().__init__(f"Muse-{number:04X}", address, service, clock=clock, ppm=ppm)
        self.preset = "p21"
        self._counted_from = 0.0

    def restart_counters(self) -> None:
        """Count packets from 0 again, as after it was switched off and on."""
        self._counted_from = self.crystal.time()

    def begin(self) -> None:
        number = int(self.preset[1:])
        electrodes = (TP9, AF7, AF8, TP10, *((AUX,) if number % 10 == 0 else ()))
        self._measure(EEG_HZ, 12, lambda count, n: self._eeg(electrodes, count, n))
        self._measure(IMU_HZ, 3, self._imu)
        if number >= 50:
            self._measure(PPG_HZ, 6, self._light)
        self._measure(1 / TELEMETRY_S, 1, self._telemetry)

    def _measure(self, rate, per_packet, send) -> None:
        def packet(numbers: Ints) -> None:
            if self.sends:
                counted = numbers[0] - np.ceil(self._counted_from * rate)
                send(int(counted // per_packet), numbers)

        self.run(sample(self.crystal, rate, per_packet, packet))

    def _eeg(self, electrodes: tuple[str, ...], count: int, numbers: Ints) -> None:
        for number, uuid in enumerate(electrodes):
            self.notify(uuid, packets.eeg_packet(count, eeg_uv(numbers, number)))

    def _imu(self, count: int, numbers: Ints) -> None:
        rows = motion(numbers)
        self.notify(ACC, packets.acc_packet(count, rows[:, :3]))
        self.notify(GYRO, packets.gyro_packet(count, rows[:, 3:]))

    def _light(self, count: int, numbers: Ints) -> None:
        for number, uuid in enumerate(LIGHTS):
            self.notify(uuid, packets.ppg_packet(count, (numbers + 1000 * number) % 2**24))

    def _telemetry(self, count: int, _: Ints) -> None:
        self.notify(TELEMETRY, packets.telemetry_packet(count, 0.82))


def eeg_uv(numbers: Ints, electrode: int) -> Floats:
    """Return the microvolt of samples, which tell their number modulo 4096."""
    return packets.EEG_UV * ((numbers + 512 * electrode) % 4096 - 2048.0)


def motion(numbers: Ints) -> Floats:
    """Return acceleration (g) and rotation (degrees per second) of samples, shape (n, 6)."""
    steps = (numbers[:, None] + 100 * np.arange(6)) % 1000.0
    return steps * np.repeat([packets.ACC_G, packets.GYRO_DPS], 3)
