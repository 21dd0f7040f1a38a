"""Short synthetic streams with a gap and bad samples: what the contract tests feed to stages."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from biosense.core.grid import HOP
from biosense.core.types import Chunk, Epoch, Floats, Modality, StreamInfo

START_S = 100.3  # not on the session grid, so that nothing can lean on a stream that begins at 0
Signal = Callable[[Floats, int], Floats]


def mixed_waves(times: Floats, channels: int) -> Floats:
    """Return slow and fast waves with noise, different in every channel, shape (n, channels)."""
    rng = np.random.default_rng(5)
    number = np.arange(1, channels + 1)
    slow = np.sin(2 * np.pi * 0.7 * times[:, None] + number)
    fast = np.sin(2 * np.pi * (3.0 + number) * times[:, None])
    return 20.0 * slow + 5.0 * fast + rng.standard_normal((len(times), channels)) + 100.0


def grid_stream(
    info: StreamInfo,
    *,
    seconds: float = 6.0,
    gap: tuple[float, float] = (2.6, 3.9),
    signal: Signal = mixed_waves,
) -> Chunk:
    """Make a regularised stream (samples at n / sfreq) as one chunk.

    Parameters
    ----------
    info
        The stream.
    seconds
        Its length.
    gap
        From and to, seconds from the beginning: samples between are missing, and some before are
        not ok.
    signal
        Maps session times (n,) and a number of channels to data (n, channels), in `info.unit`.

    Returns
    -------
    Chunk
        From session time 100.3 s on, equal at each call.
    """
    n = np.arange(round(START_S * info.sfreq), round((START_S + seconds) * info.sfreq))
    since = n / info.sfreq - START_S
    n = n[(since < gap[0]) | (since >= gap[1])]
    times = n / info.sfreq
    since = times - START_S
    ok = (since < 0.2 * gap[0]) | (since >= 0.3 * gap[0])
    return Chunk(info, times, signal(times, info.n_channels), ok)


def raw_stream(
    info: StreamInfo,
    *,
    seconds: float = 6.0,
    gap: tuple[float, float] = (2.6, 3.9),
    jitter: float = 0.1,
    signal: Signal = mixed_waves,
) -> Chunk:
    """Make a stream as a driver delivers it, as one chunk: jitter, loss, a repeat, NaN, a gap.

    Parameters
    ----------
    info
        The stream; one of an integer dtype has no NaN.
    seconds
        Its length.
    gap
        From and to, seconds from the beginning: samples between are missing.
    jitter
        Standard deviation of the time stamps, in sample intervals; the device runs 300 ppm fast.
    signal
        Maps session times (n,) and a number of channels to data (n, channels), in `info.unit`.

    Returns
    -------
    Chunk
        From session time 100.3 s on, equal at each call.
    """
    rng = np.random.default_rng(6)
    exact = np.arange(round(seconds * info.sfreq)) / (info.sfreq * 1.0003)
    kept = (exact < gap[0]) | (exact >= gap[1])
    kept[round(0.12 * len(exact)) : round(0.12 * len(exact)) + 2] = False  # two lost samples
    exact = exact[kept] + START_S
    data = signal(exact, info.n_channels)
    if not info.dtype.startswith("int"):
        data[round(0.7 * len(exact)) : round(0.7 * len(exact)) + 3] = np.nan
        data[round(0.2 * len(exact)), 0] = np.nan
    times = exact + rng.standard_normal(len(exact)) * jitter / info.sfreq
    times = np.maximum.accumulate(times)
    repeated = round(0.85 * len(exact))
    times[repeated] = times[repeated - 1]
    return Chunk(info, times, data.astype(info.dtype), np.ones(len(times), bool))


def feature_epochs(
    modality: Modality, names: tuple[str, ...], *, seconds: float = 8.0
) -> list[Epoch]:
    """Make epochs of features on the session grid: some NaN, one of quality 0, and a gap.

    Parameters
    ----------
    modality
        What they are features of.
    names
        Of the features.
    seconds
        Length of the stream, an epoch each 0.25 s.

    Returns
    -------
    list of Epoch
        `data` has the shape (features,); equal at each call.
    """
    info = StreamInfo(f"{modality}-features", modality, names, 1.0 / HOP)
    rng = np.random.default_rng(7)
    first, count = int(START_S / HOP) + 1, round(seconds / HOP)
    epochs = []
    for number in (n for n in range(count) if not 10 <= n < 14):
        data = 3.0 + 2.0 * rng.standard_normal(len(names))
        data[0] = np.nan if number % 9 == 4 else data[0]
        quality = 0.0 if number == 6 else float(rng.uniform(0.2, 1.0))
        k = first + number
        epochs.append(Epoch(info, k, k * HOP - 2.0, k * HOP, data, quality))
    return epochs


def window_epochs(info: StreamInfo, *, length: float = 1.0, seconds: float = 4.0) -> list[Epoch]:
    """Make windows of samples on the session grid, one with missing rows.

    Parameters
    ----------
    info
        The stream that they are cut from.
    length
        Of a window, seconds.
    seconds
        Length of the stream, a window each 0.25 s.

    Returns
    -------
    list of Epoch
        `data` has the shape (samples, channels); equal at each call.
    """
    count, width = round(seconds / HOP), round(length * info.sfreq)
    first = int(START_S / HOP) + 1
    epochs = []
    for number in range(count):
        stop = (first + number) * HOP
        times = stop - np.arange(width)[::-1] / info.sfreq
        data = mixed_waves(times, info.n_channels)
        quality = 1.0
        if number == 3:
            data[: width // 5] = np.nan
            quality = 0.8
        epochs.append(Epoch(info, first + number, stop - length, stop, data, quality))
    return epochs
