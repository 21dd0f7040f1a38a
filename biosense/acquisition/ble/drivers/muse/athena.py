"""Muse S Athena: presets, signals and how to start it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from biosense.acquisition.ble.driver import Decoder, Gatt, Signal
from biosense.acquisition.ble.drivers.muse import athena_packets as packets
from biosense.acquisition.ble.drivers.muse.athena_decoder import HOLD_S, AthenaDecoder
from biosense.acquisition.ble.drivers.muse.control import ControlReply, MuseControl
from biosense.core.errors import DeviceRefused
from biosense.core.types import Modality

DEFAULT_PRESET = "p1041"
# Numbers of EEG channels and optodes (OpenMuse, brainflow-dev/brainflow).
PRESETS: Final = {
    **dict.fromkeys(("p20", "p21", "p50", "p51", "p60", "p61"), (4, 0)),
    **dict.fromkeys(("p1034", "p1043", "p1044"), (8, 8)),
    "p1035": (4, 4),
    **dict.fromkeys(("p1041", "p1042"), (8, 16)),
    **dict.fromkeys(("p1045", "p1046"), (8, 4)),
}
_OPTICS = {  # channels by the number of optodes
    4: packets.LAYOUTS[0x34].channels,
    8: packets.LAYOUTS[0x35].channels,
    16: packets.LAYOUTS[0x36].channels,
}
_PULSE = "LI_IR"  # in the middle of the forehead, and of a light that all presets have
_BETWEEN_S = 0.2  # between commands
_INTERVALS = {"eeg": 0.14, "optics": 0.1, "motion": 0.1}  # how often sensors are read, seconds


@dataclass(frozen=True)
class Athena:
    """What an Athena sends with a preset.

    Parameters
    ----------
    preset
        One of `PRESETS`.
    aux
        True to give the auxiliary EEG channels too, where the preset has them.
    """

    preset: str = DEFAULT_PRESET
    aux: bool = False
    model: str = "Muse S Athena"

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The signals that it sends."""
        electrodes, optodes = PRESETS[self.preset]
        names = packets.EEG_CHANNELS[: electrodes if self.aux else 4]
        found = [
            _signal("eeg", Modality.EEG, names, 256.0, "uV", "eeg"),
            _signal("acc", None, ("x", "y", "z"), 52.0, "g", "motion"),
            _signal("gyro", None, ("x", "y", "z"), 52.0, "deg/s", "motion"),
        ]
        if optodes:
            found += [
                _signal("ppg", Modality.PPG, (_PULSE,), 64.0, "counts", "optics"),
                _signal("optics", None, _OPTICS[optodes], 64.0, "counts", "optics"),
            ]
        return tuple(found)

    async def start(self, gatt: Gatt) -> None:
        """Subscribe, and have it sent."""
        for uuid in packets.DATA:
            if gatt.has(uuid):
                await gatt.subscribe(uuid)
        control = MuseControl(gatt)
        await control.send("dc001")
        await gatt.sleep(0.05)
        await control.send("dc001")  # it does not start at the first
        await gatt.sleep(0.1)
        await control.send("L1")  # low latency
        await gatt.sleep(0.3)
        await control.send("s")

    def decoder(self) -> Decoder:
        """Make the decoder of a connection."""
        return AthenaDecoder(self.signals)


async def identify(
    gatt: Gatt, control: MuseControl, preset: str, aux: bool
) -> tuple[Athena, ControlReply]:
    """Ask a headband what it is, and choose its preset.

    Raises
    ------
    DeviceRefused
        If it does not know the preset.
    """
    chosen = DEFAULT_PRESET if preset == "auto" else preset
    if chosen not in PRESETS:
        raise DeviceRefused(f"preset {chosen!r} is none of an Athena: it knows {tuple(PRESETS)}")
    version, status = await control.ask("v6"), await control.ask("s")
    await control.ask("h")
    await gatt.sleep(_BETWEEN_S)
    await control.choose(chosen)
    await control.ask("s")
    return Athena(chosen, aux), status.filled(version)


def _signal(
    key: str,
    modality: Modality | None,
    channels: tuple[str, ...],
    sfreq: float,
    unit: str,
    sensor: str,
) -> Signal:
    return Signal(key, modality, channels, sfreq, unit, _INTERVALS[sensor], hold=HOLD_S)
