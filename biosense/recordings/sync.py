"""The fixed delay between two streams, measured by events that both of them saw.

No clock can show what a sensor, its firmware and its radio take before a sample arrives, nor how
many frames a camera holds back. An event that reaches two sensors at once can: a lamp flashed in
view of the camera and a light sensor, a tap on two accelerometers. What is measured here is what
the delay setting of a source is to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import signal, stats

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.errors import BadInput
from biosense.core.types import Chunk, Floats, StreamInfo
from biosense.recordings.sync_traces import Shape, common_grid, interval, strength

WINDOW_S = 20.0
LEAST_CORRELATION = 0.5  # of noise of 10 Hz in a window of 20 s: below 0.2
_MOST_RIVAL = 0.8  # a second peak that is higher than this share makes the first one a guess
_AGREE_S = 0.02  # by how much windows may differ from a straight line, or a sample, if that is more
_WHAT_TO_DO = (
    "let both sensors see the same sharp event five times or more, at uneven intervals and spread "
    "over the recording: flash a lamp before camera and light sensor, tap on both sensors at once "
    "with a finger. Then name the channels that show it"
)


@dataclass(frozen=True)
class WindowLag:
    """Hold the lag found around one session time, and how well the streams agree at it."""

    time: float
    lag: float
    correlation: float


@dataclass(frozen=True)
class Delay:
    """Hold by how much stream b is later than stream a (earlier, where negative).

    Parameters
    ----------
    lag
        Seconds at the middle of the windows.
    uncertainty
        Standard error of it, seconds.
    correlation
        Median of the windows' correlations at their lags.
    drift_ppm
        By how much the lag grows, in microseconds per second; NaN with less than 3 windows.
    windows
        What was found in each window with a convincing event, in order of time.
    """

    lag: float
    uncertainty: float
    correlation: float
    drift_ppm: float
    windows: tuple[WindowLag, ...]

    def __str__(self) -> str:
        text = f"{1000 * self.lag:+.1f} ms (+-{1000 * self.uncertainty:.1f} ms)"
        text += f" in {len(self.windows)} windows, correlation {self.correlation:.2f}"
        return text if np.isnan(self.drift_ppm) else f"{text}, drift {self.drift_ppm:+.1f} ppm"


def measure_delay(a: Chunk, b: Chunk, *, max_lag: float = 0.5, shape: Shape = "change") -> Delay:
    """Measure by how much the events in `b` are later than those in `a`.

    Both are put on a common fine grid and correlated window by window; the peak is found between
    grid points. Each channel counts alike; a stream of text counts its markers as events.

    Parameters
    ----------
    a, b
        Whole streams, in session time.
    max_lag
        Largest delay that is looked for, seconds.
    shape
        What is compared: "change", how fast the signals change, in either direction: for steps and
        taps; "level", how far they are from their median; "signal", the signals themselves, for two
        sensors of the same kind.

    Returns
    -------
    Delay
        In seconds, with what it rests on.

    Raises
    ------
    BadInput
        If the streams do not overlap, or show no common event that is beyond doubt.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> times = np.arange(6000) / 100
    >>> flash = np.repeat(rng.random(60) < 0.3, 100) + rng.normal(0, 0.01, 6000)
    >>> lamp = Chunk.of(StreamInfo("lamp", None, ("light",), 100.0), times, flash)
    >>> skin = Chunk.of(StreamInfo("skin", None, ("light",), 100.0), times + 0.042, flash)
    >>> round(measure_delay(lamp, skin).lag, 3)
    0.042
    """
    if not max_lag > 0:
        raise BadInput(f"max_lag={max_lag} s must be positive")
    names = f"{a.info.name!r} and {b.info.name!r}"
    pace = max(interval(a), interval(b))
    grid = common_grid(a, b, least=8 * max_lag)
    step = float(grid[1] - grid[0])
    rows = [strength(chunk, grid, shape, blur=0.5 * pace) for chunk in (a, b)]
    size, reach = round(max(WINDOW_S, 8 * max_lag) / step), round(max_lag / step)
    size = min(size, len(grid))
    found = []
    for start in range(0, len(grid) - size + 1, size):
        window = _window_lag(rows[0][start : start + size], rows[1][start : start + size], reach)
        if window is not None:
            middle = float(grid[start] + step * size / 2)
            found.append(WindowLag(middle, window[0] * step, window[1]))
    return _summary(found, pace, names, max_lag)


def measure_sync(
    path: Path,
    stream_a: str,
    stream_b: str,
    channel_a: str | None = None,
    channel_b: str | None = None,
    *,
    max_lag: float = 0.5,
    shape: Shape = "change",
) -> Delay:
    """Measure the delay of one recorded stream against another, see `measure_delay`.

    Parameters
    ----------
    path
        A recording folder, or an .xdf file of any program.
    stream_a, stream_b
        Names of the streams.
    channel_a, channel_b
        Channels that show the event; None for all.

    Returns
    -------
    Delay
        In seconds, with what it rests on.

    Raises
    ------
    BadInput
        If there is no such stream or channel, or no common event that is beyond doubt.
    """
    reader = XdfReader(path)
    wanted = {stream_a: channel_a, stream_b: channel_b}
    names = [info.name for info in reader.infos]
    if missing := [name for name in wanted if name not in names]:
        raise BadInput(
            f"no stream {missing[0]!r} in {path}; there are: {', '.join(map(repr, names))}"
        )
    parts: dict[str, list[Chunk]] = {name: [] for name in wanted}
    for item in reader.items():
        if isinstance(item, Chunk) and item.info.name in wanted:
            parts[item.info.name].append(_channel(item, wanted[item.info.name]))
    whole = [_joined(name, parts[name]) for name in (stream_a, stream_b)]
    return measure_delay(whole[0], whole[1], max_lag=max_lag, shape=shape)


def _channel(chunk: Chunk, name: str | None) -> Chunk:
    info = chunk.info
    if name is None:
        return chunk
    if name not in info.channels:
        raise BadInput(
            f"no channel {name!r} in {info.name!r}; there are: {', '.join(info.channels)}"
        )
    at = info.channels.index(name)
    narrow = StreamInfo(info.name, info.modality, (name,), info.sfreq, dtype=info.dtype)
    return Chunk(narrow, chunk.times, chunk.data[:, at : at + 1], chunk.ok)


def _joined(name: str, parts: list[Chunk]) -> Chunk:
    if not parts:
        raise BadInput(f"stream {name!r} has no samples")
    return Chunk(
        parts[0].info,
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.data for part in parts]),
        np.concatenate([part.ok for part in parts]),
    )


def _window_lag(a: Floats, b: Floats, reach: int) -> tuple[float, float] | None:
    """Return lag in grid steps and correlation; None where no lag is beyond doubt."""
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    if scale == 0:
        return None
    middle = len(a) - 1
    full = signal.correlate(b, a, method="fft") / scale
    near = full[middle - reach : middle + reach + 1]
    best = int(np.argmax(near))
    height = float(near[best])
    if height < LEAST_CORRELATION or best in (0, len(near) - 1):
        return None
    peaks, _ = signal.find_peaks(near)
    rivals = near[peaks[peaks != best]]
    if len(rivals) and rivals.max() > _MOST_RIVAL * height:
        return None
    before, after = float(near[best - 1]), float(near[best + 1])
    between = 0.5 * (before - after) / (before - 2 * height + after)
    return best - reach + between, height


def _summary(found: list[WindowLag], pace: float, names: str, max_lag: float) -> Delay:
    if not found:
        raise BadInput(
            f"{names} show no common event within +-{max_lag:g} s that is beyond doubt: "
            f"{_WHAT_TO_DO}"
        )
    times, lags = (np.array([getattr(each, key) for each in found]) for key in ("time", "lag"))
    drift = 0.0
    if len(found) > 2:
        drift = float(stats.theilslopes(lags, times)[0])
    middle = float(times.mean())
    rest = lags - drift * (times - middle)
    lag = float(np.median(rest))
    scatter = 1.4826 * float(np.median(np.abs(rest - lag)))
    if scatter > max(_AGREE_S, pace):
        raise BadInput(
            f"{names}: {len(found)} windows give lags that scatter by {1000 * scatter:.0f} ms, so "
            f"they do not show the same events: {_WHAT_TO_DO}"
        )
    # One event is known no better than the slower stream's samples lie apart.
    single = max(scatter, pace / np.sqrt(12))
    return Delay(
        lag,
        float(single / np.sqrt(len(found))),
        float(np.median([each.correlation for each in found])),
        drift * 1e6 if len(found) > 2 else float("nan"),
        tuple(found),
    )
