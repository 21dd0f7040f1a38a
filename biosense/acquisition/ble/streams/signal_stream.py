"""One signal of a device as a stream: its clock, its gaps, its silence."""

from __future__ import annotations

import numpy as np

from biosense.acquisition.ble.driver import Block, Signal
from biosense.acquisition.ble.link.states import LinkTimes
from biosense.core.device_clock import DeviceClock
from biosense.core.device_state import ClockState
from biosense.core.grid import GAP_INTERVALS, MIN_GAP_S
from biosense.core.types import Chunk, Event, EventKind, Floats, Item, StreamInfo

_REPEAT_S = 10.0  # lost packets are reported no more often
_SAME_CLOCK_S = (-0.05, 0.2)  # how late the first packet of a clock that went on may be
_RISE_S = 1e-6
_RESTARTS_S = (10.0, 300.0)  # least and longest pause between two restarts for a silent signal
_TRIES = 2  # for a signal that never came: it seems that the device has none


class SignalStream:
    """Turn the blocks of one signal into items of its stream.

    Parameters
    ----------
    info
        The stream.
    signal
        The signal.
    delay
        Seconds that sensor and firmware need; taken off the times.
    times
        What counts as silence.
    """

    def __init__(self, info: StreamInfo, signal: Signal, delay: float, times: LinkTimes) -> None:
        self.info = info
        self.signal = signal
        self.is_silent = False
        self._clock = DeviceClock(delay=delay)
        self._delay = delay
        self._times = times
        self._newest = float("nan")
        self._heard = float("nan")
        self._fresh = True
        self._lost = ""
        self._lost_at = float("nan")
        self._reconnected = self._began_again = False
        self._missed, self._missed_s, self._reported = 0, 0.0, -np.inf
        self._restarts = 0
        self._restart_at, self._not_before = np.inf, -np.inf

    @property
    def clock(self) -> ClockState | None:
        """How the device's clock is mapped; None where it has none."""
        state = self._clock.state
        return None if np.isnan(state.updated) else state

    @property
    def limit(self) -> float:
        """Longest time between two packets that is no silence; infinite for an irregular signal."""
        interval = self.signal.packet_interval
        return self._times.limit(interval) if interval > 0 else np.inf

    def begin(self, time: float) -> None:
        """Expect samples of a new decoder from session time `time` on."""
        self._fresh = True
        self._reconnected, self._began_again = bool(self._lost), not self._lost
        self._heard = time + self._times.first_packet
        self.is_silent, self._restart_at = False, np.inf

    def lose(self, time: float, heard: float, reason: str) -> list[Item]:
        """Note that nothing comes any more, since the packet that arrived at `heard`."""
        if self._lost:
            return []
        self._lost, self._lost_at = reason or "the connection is gone", heard
        return [self._event(time, EventKind.LOST, self._lost)]

    def resume(self, time: float) -> list[Item]:
        """Note that packets come again; a regular signal waits for its own first sample."""
        if not self._lost or self.signal.packet_interval > 0:
            return []
        items: list[Item] = []
        if self._reconnected:
            items.append(self._gap(time, self._lost_at, time, self._lost))
        return [*items, self._recovered(time)]

    def take(self, block: Block) -> list[Item]:
        """Return the items that a block makes."""
        if len(block.stamps) == 0:
            return []
        items: list[Item] = []
        times = self._rising(self._to_session(block, items))
        # A decoder may still hold samples of before: with them the signal is not back.
        is_back = bool(self._lost) and block.arrived > self._lost_at
        items += self._gaps(times, block.arrived, is_back=is_back)
        if is_back:
            items.append(self._recovered(block.arrived))
        self._newest = float(times[-1])
        self._heard = block.arrived
        self._began_again = False
        self.is_silent, self._restarts = False, 0
        items.append(Chunk.of(self.info, times, block.data, arrived=block.arrived))
        return items

    def watch(self, time: float) -> list[Item]:
        """Look for silence at the arrival of another signal's packet."""
        limit = self.limit + self.signal.hold
        if self.is_silent or time - self._heard <= limit:
            return []
        self.is_silent = True
        self._restart_at = max(time + max(limit, self._times.patience), self._not_before)
        text = f"no {self.signal.key} for {time - self._heard:.1f} s, while others go on"
        return self.lose(time, self._heard, text)

    def allow_pause(self, seconds: float) -> None:
        """Let time pass that says nothing of this signal, since nothing else came either."""
        self._heard += seconds

    def restart_due(self, time: float) -> int:
        """Return how many times a silent signal was to be restarted, this time included; or 0."""
        is_absent = np.isnan(self._newest) and self._restarts >= _TRIES
        if not self.is_silent or is_absent or time < self._restart_at:
            return 0
        least, most = _RESTARTS_S
        self._restart_at = self._not_before = time + min(least * 2.0**self._restarts, most)
        self._restarts += 1
        return self._restarts

    def _to_session(self, block: Block, items: list[Item]) -> Floats:
        if block.by_arrival:
            return block.stamps - self._delay
        newest, is_known = float(block.stamps[-1]), self.clock is not None
        fresh, self._fresh = self._fresh, False
        if is_known and (block.restarted or (fresh and not self._goes_on(newest, block.arrived))):
            self._clock.restart()
            items.append(self._clock_reset(block.arrived, "the device's clock began anew"))
        if self._clock.add(newest, block.arrived):
            items.append(self._clock_reset(block.arrived, "the device's clock jumped"))
        return self._clock.to_session(block.stamps)

    def _goes_on(self, newest: float, arrived: float) -> bool:
        """Tell whether a clock of after a restart is that of before."""
        late = arrived - self._delay - newest - self._clock.state.offset
        return _SAME_CLOCK_S[0] <= late <= _SAME_CLOCK_S[1]

    def _rising(self, times: Floats) -> Floats:
        """Lift times that would not rise, as where a new clock begins before the old one ended."""
        start = -np.inf if np.isnan(self._newest) else self._newest + _RISE_S
        if times[0] >= start and (np.diff(times) > 0).all():
            return times
        step = _RISE_S * np.arange(len(times))
        lifted: Floats = np.maximum(np.maximum.accumulate(times - step), start) + step
        return lifted

    def _gaps(self, times: Floats, now: float, *, is_back: bool) -> list[Item]:
        if np.isnan(self._newest) or self.info.sfreq == 0:
            return []
        interval = 1 / self.info.sfreq
        edges = np.concatenate(([self._newest], times))
        wide = np.flatnonzero(np.diff(edges) > max(GAP_INTERVALS * interval, MIN_GAP_S))
        if len(wide) == 0:
            return []
        if is_back or self._began_again:
            reason = self._lost or "the device was started again"
            return [self._gap(now, edges[wide[0]], edges[wide[0] + 1], reason)]
        self._missed += len(wide)
        self._missed_s += float((np.diff(edges)[wide] - interval).sum())
        if now - self._reported < _REPEAT_S:
            return []
        text = f"packets lost on the way: {self._missed} times, {self._missed_s:.2f} s of samples"
        self._missed, self._missed_s, self._reported = 0, 0.0, now
        return [self._gap(now, edges[wide[-1]], edges[wide[-1] + 1], text)]

    def _gap(self, now: float, start: float, stop: float, reason: str) -> Event:
        text = f"no samples from {start:.3f} to {stop:.3f} s ({stop - start:.2f} s): {reason}"
        return self._event(now, EventKind.GAP, text)

    def _recovered(self, now: float) -> Event:
        text = f"back after {now - self._lost_at:.1f} s"
        self._lost, self._reconnected = "", False
        return self._event(now, EventKind.RECOVERED, text)

    def _clock_reset(self, now: float, text: str) -> Event:
        return self._event(now, EventKind.CLOCK_RESET, text)

    def _event(self, now: float, kind: EventKind, text: str) -> Event:
        return Event(now, kind, self.info.name, text)
