"""Driver of Polar sensors: H10, Verity Sense, OH1, and those with a heart rate only (H9, H7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

from biosense.acquisition.ble.driver import Advertisement, Gatt, Report, Signal
from biosense.acquisition.ble.drivers.heart_rate.driver import HR, RR, subscribe_heart_rate
from biosense.acquisition.ble.drivers.polar.commands import Settings, choose_settings
from biosense.acquisition.ble.drivers.polar.control import PolarControl
from biosense.acquisition.ble.drivers.polar.decoder import PolarDecoder, StartedMeasurement
from biosense.acquisition.ble.drivers.polar.frames import CONTROL, MeasurementType
from biosense.acquisition.ble.gatt_services import HEART_RATE_MEASUREMENT, read_device
from biosense.core.errors import BadInput, DeviceRefused
from biosense.core.types import Modality

ACC_HZ = 50.0
_XYZ = ("x", "y", "z")
NOMINAL: Mapping[MeasurementType, Signal] = MappingProxyType(
    {
        # Packet intervals: an H10 fills its packets (73 samples of ECG, 36 of acceleration at
        # 130 and 50 Hz); how many compressed samples fit depends on the signal, up to about these.
        MeasurementType.ECG: Signal("ecg", Modality.ECG, ("ecg",), 130.0, "uV", 73 / 130, "int32"),
        MeasurementType.PPG: Signal(
            "ppg", Modality.PPG, ("ppg0", "ppg1", "ppg2", "ambient"), 55.0, "", 1.0
        ),
        MeasurementType.ACC: Signal("acc", None, _XYZ, ACC_HZ, "mg", 1.5),
        MeasurementType.GYRO: Signal("gyro", None, _XYZ, 52.0, "deg/s", 1.5),
        MeasurementType.MAG: Signal("mag", None, _XYZ, 50.0, "G", 1.5),
        MeasurementType.PPI: Signal(
            "ppi", None, ("ppi", "ppi_error", "movement", "contact"), 0.0, "s", 0.0
        ),
    }
)
_BY_DEFAULT = (MeasurementType.ECG, MeasurementType.PPG, MeasurementType.ACC, MeasurementType.PPI)
# What is delivered where another rate is announced (documentation/KnownIssues.md): an OH1 says 130,
# a Verity Sense of firmware 1.1.5 to 2.0 says 135. Neither says so and means it.
_PPG_HZ = MappingProxyType({130: 135.0, 135: 55.0})


@dataclass(frozen=True)
class _Plan:
    """What one measurement is started with, and the signal that it gives."""

    signal: Signal
    chosen: Settings


class Polar:
    """Know Polar's chest straps and arm bands.

    An H10 sends ECG, acceleration, heart rate and the intervals between beats; Verity Sense and OH1
    send PPG, acceleration, heart rate and pulse intervals; others heart rate and intervals.
    While a Verity Sense or OH1 measures pulse intervals, its heart rate comes every 5 s only, the
    first intervals come after about 25 s, and a training that it records ends (polar-ble-sdk,
    documentation/products): leave "ppi" out of `keys` where that matters.

    Parameters
    ----------
    keys
        Keys of the wanted signals ("ecg", "acc", "ppg", "ppi", "gyro", "mag", "hr", "rr"); empty
        for those above.
    acc_rate
        Wanted rate of acceleration in Hz: the lowest that the sensor offers from this on.

    Examples
    --------
    >>> Polar.recognises(Advertisement("a", "Polar H10 12345678"))
    True
    """

    family: ClassVar[str] = "Polar"
    keep_alive_every: ClassVar[float] = 0.0

    def __init__(self, keys: Sequence[str] = (), *, acc_rate: float = ACC_HZ) -> None:
        known = {each.key for each in (*NOMINAL.values(), HR, RR)}
        if wrong := [key for key in keys if key not in known]:
            raise BadInput(f"keys={wrong} are no signals of a Polar sensor; there are {known}")
        if not acc_rate > 0:
            raise BadInput(f"acc_rate={acc_rate} Hz must be positive")
        self._keys, self._acc_rate = tuple(keys), acc_rate
        self._plans: dict[MeasurementType, _Plan] | None = None
        self._rates: tuple[Signal, ...] = ()
        self._control: PolarControl | None = None
        self._started: dict[MeasurementType, StartedMeasurement] = {}

    @classmethod
    def recognises(cls, advertisement: Advertisement) -> bool:
        """Tell whether an advertisement is a Polar sensor's."""
        return advertisement.name.startswith("Polar ")

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The signals that the sensor will send; none before `prepare`."""
        plans = {} if self._plans is None else self._plans
        return (*(plan.signal for plan in plans.values()), *self._rates)

    async def prepare(self, gatt: Gatt) -> Sequence[Report]:
        """Ask the sensor what it is, what it measures and with which settings."""
        report = await read_device(gatt)
        self._control = PolarControl(gatt) if gatt.has(CONTROL) else None
        features: frozenset[MeasurementType] = frozenset()
        if self._control is not None:
            await self._control.open()
            features = await self._control.features()
        if self._plans is None:
            rates = self._choose_rates(gatt, features)
            kinds = self._choose_kinds(features, rates)
            self._plans = {kind: await self._plan(kind) for kind in kinds}
            self._rates = rates
        return [report]

    async def start(self, gatt: Gatt) -> None:
        """Subscribe and start every measurement."""
        self._started = {}
        if self._plans and self._control is None:
            raise DeviceRefused("the sensor has lost its measurement service: switch it off and on")
        if self._rates:
            await subscribe_heart_rate(gatt)
        if self._control is None:
            return
        await self._control.open()
        for kind, plan in (self._plans or {}).items():
            added = await self._control.start(kind, plan.chosen)
            self._started[kind] = StartedMeasurement(plan.signal, added.factor)
        self._control.check_running(self._started)
        await self._control.hand_over()

    async def keep_alive(self, gatt: Gatt) -> None:
        """Do nothing: a sensor that measures stays awake."""

    async def stop(self, gatt: Gatt) -> None:
        """Stop every measurement: an H10 that goes on empties its battery, even off the strap."""
        if self._control is None:
            return
        await self._control.open()
        refused: list[str] = []
        for kind in self._plans or {}:
            try:
                await self._control.stop(kind)
            except DeviceRefused as error:
                refused.append(str(error))
        if refused:
            raise DeviceRefused("; ".join(refused))

    def decoder(self) -> PolarDecoder:
        """Make the decoder of a new connection."""
        return PolarDecoder(self._started, [each.key for each in self._rates])

    def _choose_rates(self, gatt: Gatt, features: frozenset[MeasurementType]) -> tuple[Signal, ...]:
        if not gatt.has(HEART_RATE_MEASUREMENT):
            return ()
        # Sensors with light send no intervals in the heart rate service: theirs are "ppi".
        offered = (HR,) if MeasurementType.PPG in features else (HR, RR)
        return tuple(each for each in offered if not self._keys or each.key in self._keys)

    def _choose_kinds(
        self, features: frozenset[MeasurementType], rates: Sequence[Signal]
    ) -> list[MeasurementType]:
        if not self._keys:
            kinds = [kind for kind in _BY_DEFAULT if kind in features]
            if not kinds and not rates:
                raise DeviceRefused("this Polar device measures nothing that can be used here")
            return kinds
        kinds = [kind for kind in features if NOMINAL[kind].key in self._keys]
        found = {NOMINAL[kind].key for kind in kinds} | {each.key for each in rates}
        if missing := [key for key in self._keys if key not in found]:
            offered = [NOMINAL[kind].key for kind in sorted(features)]
            raise DeviceRefused(f"this sensor has no {missing}; it measures {offered} and {HR.key}")
        return sorted(kinds)

    async def _plan(self, kind: MeasurementType) -> _Plan:
        signal = NOMINAL[kind]
        if kind is MeasurementType.PPI:  # it has no settings
            return _Plan(signal, Settings())
        assert self._control is not None, "a sensor without control point has no features"
        offered = await self._control.settings(kind)
        chosen = choose_settings(offered, self._acc_rate if kind is MeasurementType.ACC else None)
        if not chosen.rates or not chosen.rates[0]:
            return _Plan(signal, chosen)
        sfreq = float(chosen.rates[0])
        if kind is MeasurementType.PPG:
            sfreq = _PPG_HZ.get(chosen.rates[0], sfreq)
        interval = min(signal.packet_interval * signal.sfreq / sfreq, 3.0)
        return _Plan(replace(signal, sfreq=sfreq, packet_interval=interval), chosen)
