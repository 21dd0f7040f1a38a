"""What a Polar sensor notifies, from frames to blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from biosense.acquisition.ble.driver import Block, Decoded, Report, Signal
from biosense.acquisition.ble.drivers.heart_rate.driver import HeartRateDecoder
from biosense.acquisition.ble.drivers.polar.commands import ControlPointResponse, decode_control
from biosense.acquisition.ble.drivers.polar.frames import (
    CONTROL,
    DATA,
    MeasurementType,
    PmdFrame,
    beats,
    read_frame,
    samples,
)
from biosense.acquisition.ble.drivers.timing.beat_times import BeatTimes
from biosense.acquisition.ble.drivers.timing.frame_times import FrameOrder, FrameTimes
from biosense.acquisition.ble.gatt_services import BATTERY_LEVEL, HEART_RATE_MEASUREMENT
from biosense.core.errors import PacketError
from biosense.core.types import Floats

_NS = 1e-9
_LEAST_INTERVAL_S = 1e-3


@dataclass(frozen=True)
class StartedMeasurement:
    """Hold a measurement that was started: its signal, and the factor of compressed samples."""

    signal: Signal
    factor: float = 1.0


class PolarDecoder:
    """Decode the data frames, notices and standard heart rate of one connection.

    What was not asked for is left out: it may have been started by another program.

    Parameters
    ----------
    measurements
        What was started.
    rates
        Keys of the wanted signals of the heart rate service ("hr", "rr").

    Examples
    --------
    >>> ecg = Signal("ecg", None, ("ecg",), 130.0, "uV", 0.56, "int32")
    >>> decoder = PolarDecoder({MeasurementType.ECG: StartedMeasurement(ecg)}, rates=())
    >>> packet = bytes.fromhex("00 0094357700000000 00 0280ff 028000")
    >>> [block] = decoder.feed(DATA, packet, arrived=7.0)
    >>> block.stamps.round(4).tolist(), block.data.ravel().tolist()
    ([1.9923, 2.0], [-32766, 32770])
    """

    def __init__(
        self, measurements: Mapping[MeasurementType, StartedMeasurement], rates: Sequence[str]
    ) -> None:
        self._measurements = dict(measurements)
        self._rates = frozenset(rates)
        self._heart_rate = HeartRateDecoder()
        self._times = {
            kind: FrameTimes(each.signal.sfreq)
            for kind, each in self._measurements.items()
            if kind is not MeasurementType.PPI
        }
        self._beats = _BeatFrames()

    def feed(self, uuid: str, packet: bytes, arrived: float) -> Sequence[Decoded]:
        """Take a notification; see `Decoder`."""
        if uuid == DATA:
            return self._take(read_frame(packet), arrived)
        if uuid == CONTROL:
            return self._take_notice(packet)
        if uuid not in (HEART_RATE_MEASUREMENT, BATTERY_LEVEL):
            raise PacketError(f"characteristic {uuid} is none that a Polar sensor notifies")
        decoded = self._heart_rate.feed(uuid, packet, arrived)
        return [each for each in decoded if isinstance(each, Report) or each.signal in self._rates]

    def release(self, now: float) -> Sequence[Decoded]:
        """Return nothing: nothing is held back."""
        return []

    def _take(self, frame: PmdFrame, arrived: float) -> list[Decoded]:
        measurement = self._measurements.get(frame.kind)
        if measurement is None:
            return []
        if frame.kind is MeasurementType.PPI:
            return self._beats.take(frame, measurement.signal, arrived)
        signal, times = measurement.signal, self._times[frame.kind]
        data = samples(frame, measurement.factor)
        stamps = times.stamps(frame.last_ns, len(data), arrived)
        if stamps is None:
            return []
        with np.errstate(over="ignore"):  # what is no number of any use may become infinite
            data = data.astype(signal.dtype)
        return [Block(signal.key, stamps, data, arrived, times.restarted)]

    def _take_notice(self, packet: bytes) -> list[Decoded]:
        notice = decode_control(packet)
        if isinstance(notice, ControlPointResponse):
            return []  # to a command that nobody waits for any more
        stopped = [each for kind, each in self._measurements.items() if kind in notice.kinds]
        ours = [each.signal.key for each in stopped]
        if not ours:
            return []
        return [Report(stopped=True, text=f"the sensor stopped {', '.join(ours)} by itself")]


class _BeatFrames:
    """Stamp pulse intervals: by the frame's time, or by its arrival where it has none.

    A sensor that cannot tell when its beats were sends 0 for the time (documentation of
    polar-ble-sdk, TimeSystemExplained.md).
    """

    def __init__(self) -> None:
        self._order = FrameOrder()
        self._by_arrival = BeatTimes()
        self._given = -np.inf
        self._content = b""

    def take(self, frame: PmdFrame, signal: Signal, arrived: float) -> list[Decoded]:
        """Return the block that a frame makes; none for one that came twice or too late."""
        found = beats(frame)
        is_timed = frame.last_ns > 0
        # An interval of 0 is one that the sensor could not measure.
        intervals = np.maximum(found.intervals, _LEAST_INTERVAL_S)
        stamps = (self._timed if is_timed else self._untimed)(frame, intervals, arrived)
        if stamps is None:
            return []
        columns = (found.intervals, found.errors, found.moved, found.contact)
        data = np.column_stack(columns).astype(signal.dtype)
        restarted = is_timed and self._order.restarted
        return [Block(signal.key, stamps, data, arrived, restarted, by_arrival=not is_timed)]

    def _timed(self, frame: PmdFrame, intervals: Floats, arrived: float) -> Floats | None:
        if not self._order.take(frame.last_ns, arrived):
            return None
        given = -np.inf if self._order.restarted else self._given
        stamps: Floats = frame.last_ns * _NS - np.append(np.cumsum(intervals[:0:-1])[::-1], 0.0)
        # Intervals overlap by what they are wrong: beats rise all the same.
        step = _LEAST_INTERVAL_S * np.arange(1, len(stamps) + 1)
        stamps = np.maximum(np.maximum.accumulate(stamps - step), given) + step
        self._given = float(stamps[-1])
        return stamps

    def _untimed(self, frame: PmdFrame, intervals: Floats, arrived: float) -> Floats | None:
        is_repeated, self._content = frame.content == self._content, frame.content
        if is_repeated and not self._by_arrival.could_follow(intervals, arrived):
            return None
        return self._by_arrival.place(intervals, arrived)
