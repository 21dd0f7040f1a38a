"""Cut a whole stream into epochs around markers, and say of every marker what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.recording import Marker
from biosense.core.types import Bools, Chunk, Epoch, Floats, Ints, StreamInfo
from biosense.processing.offline.on_grid import Gridded, gridded
from biosense.processing.offline.rejection import EpochVerdict, RejectionReport

PAST_THE_END, GAP, UNTRUSTED = "past the end", "gap", "untrusted"
NO_VALUES, FLAT, TOO_LARGE = "no values", "flat", "too large"


@dataclass(frozen=True, eq=False)
class MarkerEpochs:
    """Hold epochs around markers: those that were kept, and a report on all.

    Parameters
    ----------
    info
        The stream; `sfreq` is the rate of the epochs.
    times
        Seconds from the sample nearest to the marker, shape (samples,).
    data
        Shape (epochs, samples, channels).
    markers
        The marker of each epoch.
    positions
        Position on the sample grid of the sample nearest to each marker, shape (epochs,).
    quality
        Share of each epoch that can be trusted, 0 to 1, shape (epochs,).
    report
        A verdict for every marker that was asked for.

    Examples
    --------
    >>> info = StreamInfo("eda", None, ("eda",), 4.0, "S")
    >>> stream = Chunk.of(info, np.arange(40) / 4, np.arange(40.0))
    >>> epochs = epochs_around(stream, [Marker(5.1, "image")], tmin=-0.5, tmax=0.5)
    >>> epochs.times.tolist(), epochs.data[0, :, 0].tolist()
    ([-0.5, -0.25, 0.0, 0.25, 0.5], [18.0, 19.0, 20.0, 21.0, 22.0])
    """

    info: StreamInfo
    times: Floats
    data: Floats
    markers: tuple[Marker, ...]
    positions: Ints
    quality: Floats
    report: RejectionReport

    def __post_init__(self) -> None:
        wanted = (len(self.markers), len(self.times), self.info.n_channels)
        if self.data.shape != wanted:
            raise BadInput(
                f"epochs of {self.info.name!r} have shape {self.data.shape}, wanted {wanted}: "
                "(epochs, samples, channels)"
            )

    def __len__(self) -> int:
        return len(self.markers)

    @property
    def texts(self) -> tuple[str, ...]:
        """The text of each epoch's marker."""
        return tuple(marker.text for marker in self.markers)

    def of(self, *texts: str) -> MarkerEpochs:
        """Return the epochs of markers with one of these texts, and the verdicts on them.

        Raises
        ------
        BadInput
            If no marker was asked for under one of the texts.
        """
        verdicts = tuple(v for v in self.report.verdicts if v.text in texts)
        if unknown := set(texts) - {verdict.text for verdict in verdicts}:
            known = ", ".join(map(repr, self.report.by_text)) or "none"
            raise BadInput(f"no marker {', '.join(map(repr, sorted(unknown)))}; there are: {known}")
        return self.rows(np.isin(self.texts, texts), RejectionReport(verdicts))

    def rows(self, rows: Bools, report: RejectionReport) -> MarkerEpochs:
        """Return some of the epochs, `rows` of shape (epochs,), under another report."""
        chosen = np.flatnonzero(rows).tolist()
        return replace(
            self,
            data=self.data[chosen],
            markers=tuple(self.markers[row] for row in chosen),
            positions=self.positions[chosen],
            quality=self.quality[chosen],
            report=report,
        )


class _Limits(NamedTuple):
    """What an epoch is judged by."""

    min_ok: float
    max_peak_to_peak: float | None
    flat: float | None


def epochs_around(
    stream: Chunk | Sequence[Epoch],
    markers: Iterable[Marker],
    *,
    tmin: float,
    tmax: float,
    baseline: tuple[float | None, float | None] | None = None,
    min_ok: float = 0.9,
    max_peak_to_peak: float | None = None,
    flat: float | None = None,
) -> MarkerEpochs:
    """Cut a stream into epochs around markers.

    Samples are chosen by their positions: of a marker at t, the zero sample is that at position
    round(t * sfreq), and all epochs have the same samples around it, both ends included, as MNE
    cuts them.

    Parameters
    ----------
    stream
        A whole stream on its sample grid (`put_on_grid`), or the 4 Hz features of one stream.
    markers
        One epoch each is asked for, in this order.
    tmin, tmax
        From when to when around the marker, seconds.
    baseline
        Span around the marker whose mean is taken off each channel, seconds, both ends included;
        None in its place is the end of the epoch. None takes nothing off.
    min_ok
        Least share of trusted samples; of features, the least mean quality.
    max_peak_to_peak
        Most that any channel may range over, in the unit of the stream.
    flat
        Least that every channel must range over, in the unit of the stream.

    Returns
    -------
    MarkerEpochs
        The report holds the reason of each epoch that is not there: "past the end", "gap",
        "untrusted", "no values", "too large", "flat".

    Raises
    ------
    BadInput
        If the stream is not on its grid, or a span or limit cannot be used.
    """
    grid = gridded(stream)
    first, last = _span(grid, tmin, tmax)
    times = np.arange(first, last + 1) / grid.sfreq
    base = None if baseline is None else _baseline(times, baseline)
    limits = _checked(_Limits(min_ok, max_peak_to_peak, flat))
    asked = tuple(markers)
    if not np.isfinite([marker.time for marker in asked]).all():
        raise BadInput("the time of a marker is not finite: leave it out")
    centres = np.rint([marker.time * grid.sfreq for marker in asked]).astype(np.int64)
    rows = [_rows(grid.positions, centre + first, centre + last) for centre in centres.tolist()]
    verdicts = [_judge(grid, marker, row, limits) for marker, row in zip(asked, rows, strict=True)]
    kept = [number for number, verdict in enumerate(verdicts) if verdict.is_kept]
    cut = [grid.data[row] for number in kept if isinstance(row := rows[number], slice)]
    data = np.array(cut, np.float64).reshape(len(kept), len(times), grid.info.n_channels)
    return MarkerEpochs(
        grid.info,
        times,
        data if base is None else data - _means(data[:, base]),
        tuple(asked[number] for number in kept),
        centres[kept],
        np.array([verdicts[number].quality for number in kept], np.float64),
        RejectionReport(tuple(verdicts)),
    )


def _span(grid: Gridded, tmin: float, tmax: float) -> tuple[int, int]:
    if not (np.isfinite([tmin, tmax]).all() and tmin <= tmax):
        raise BadInput(f"an epoch from tmin={tmin} to tmax={tmax} s: both finite, tmin first")
    return round(tmin * grid.sfreq), round(tmax * grid.sfreq)


def _baseline(times: Floats, baseline: tuple[float | None, float | None]) -> Bools:
    start = times[0] if baseline[0] is None else baseline[0]
    stop = times[-1] if baseline[1] is None else baseline[1]
    half = 0.5 * (times[1] - times[0]) if len(times) > 1 else np.inf
    if not times[0] - half <= start <= stop <= times[-1] + half:
        raise BadInput(
            f"baseline={baseline} s must lie within the epoch, {times[0]:g} to {times[-1]:g} s"
        )
    # Forgives rounding of n / sfreq: an end that is meant to be a sample includes it.
    slack = 1e-3 * half if len(times) > 1 else 0.0
    within: Bools = (times >= start - slack) & (times <= stop + slack)
    if not within.any():
        raise BadInput(f"baseline={baseline} s holds no sample: the stream is slower than that")
    return within


def _checked(limits: _Limits) -> _Limits:
    if not 0 <= limits.min_ok <= 1:
        raise BadInput(f"min_ok={limits.min_ok} must be a share of 0 to 1")
    for name, value in (("max_peak_to_peak", limits.max_peak_to_peak), ("flat", limits.flat)):
        if value is not None and not value >= 0:
            raise BadInput(f"{name}={value} must be 0 or more, in the unit of the stream")
    return limits


def _rows(positions: Ints, first: int, last: int) -> slice | str:
    """Return where positions first..last lie, or the reason why not all of them are there."""
    if len(positions) == 0 or first < positions[0] or last > positions[-1]:
        return PAST_THE_END
    start = int(np.searchsorted(positions, first))
    stop = start + last - first + 1
    # Positions rise, so that both ends in place leave no room for a jump between them.
    is_whole = stop <= len(positions) and positions[start] == first and positions[stop - 1] == last
    return slice(start, stop) if is_whole else GAP


def _judge(grid: Gridded, marker: Marker, rows: slice | str, limits: _Limits) -> EpochVerdict:
    if isinstance(rows, str):
        return EpochVerdict(marker.time, marker.text, rows, 0.0)
    quality = float(grid.trust[rows].mean())
    if not quality >= limits.min_ok:
        detail = f"{100 * quality:.0f} % trusted"
        return EpochVerdict(marker.time, marker.text, UNTRUSTED, quality, detail)
    reason, detail = _look(grid.data[rows], grid.info, limits)
    return EpochVerdict(marker.time, marker.text, reason, quality, detail)


def _look(data: Floats, info: StreamInfo, limits: _Limits) -> tuple[str, str]:
    """Return why the values of an epoch, shape (samples, channels), are no good, and where."""
    has_values = np.isfinite(data).any(axis=0)
    if not has_values.any():
        return NO_VALUES, ""
    ranges = np.full(data.shape[1], np.nan)
    ranges[has_values] = np.ptp(_filled(data[:, has_values]), axis=0)
    largest, least = int(np.nanargmax(ranges)), int(np.nanargmin(ranges))
    if limits.max_peak_to_peak is not None and ranges[largest] > limits.max_peak_to_peak:
        return TOO_LARGE, f"{info.channels[largest]} {ranges[largest]:.3g} {info.unit}".strip()
    if limits.flat is not None and ranges[least] < limits.flat:
        return FLAT, f"{info.channels[least]} {ranges[least]:.3g} {info.unit}".strip()
    return "", ""


def _filled(data: Floats) -> Floats:
    """Return the values with a mean in place of each missing one: the range stays as it is."""
    missing = np.isnan(data)
    return np.where(missing, np.nanmean(data, axis=0), data) if missing.any() else data


def _means(data: Floats) -> Floats:
    """Return the mean of each channel over the samples it has, shape (epochs, 1, channels)."""
    counts = np.isfinite(data).sum(axis=1, keepdims=True)
    sums = np.where(np.isfinite(data), data, 0.0).sum(axis=1, keepdims=True)
    means: Floats = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    return means
