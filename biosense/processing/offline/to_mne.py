"""Streams and epochs as MNE objects: the same numbers, with channel types, places and gaps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.extras import need
from biosense.core.recording import Marker
from biosense.core.types import Bools, Chunk, Floats, Ints, Modality, StreamInfo
from biosense.processing.eeg.montage import read_montage
from biosense.processing.offline.eeg_positions import channel_positions, standard_montage
from biosense.processing.offline.epochs import MarkerEpochs
from biosense.processing.offline.on_grid import gridded
from biosense.processing.signal.units import ToSI

if TYPE_CHECKING:
    import mne

BAD_GAP, BAD_UNTRUSTED = "BAD_gap", "BAD_untrusted"
_TYPES = {
    Modality.EEG: "eeg",
    Modality.ECG: "ecg",
    Modality.EDA: "gsr",
    Modality.PPG: "bio",
    Modality.RESP: "resp",
    Modality.TEMP: "temperature",
    Modality.EMG: "emg",
}
_UNITS = {
    **dict.fromkeys((Modality.EEG, Modality.ECG, Modality.EMG), "V"),
    Modality.EDA: "S",
    Modality.TEMP: "degC",
}
LONGEST_GAP_S = 4 * 3600.0
"""A longer gap is no pause but a wrong clock, or belongs between two files; seconds."""

# Annotations begin and end within a sample interval of what they mean, so that rounding of times,
# in MNE or in a file, never touches the samples on either side.
_INSET = 0.25


def to_raw(
    stream: Chunk,
    markers: Iterable[Marker] = (),
    *,
    started: datetime | None = None,
    begin: float | None = None,
    montage: str | None = "standard_1005",
) -> mne.io.RawArray:
    """Return a stream as an MNE recording.

    Samples are those of the stream, in SI units. Gaps are bridged by straight lines, since MNE
    knows no missing samples, and annotated as BAD_gap; samples that are not trusted are annotated
    as BAD_untrusted. MNE leaves out epochs that touch either.

    Parameters
    ----------
    stream
        A whole stream on its sample grid (see `put_on_grid`).
    markers
        Become annotations; those outside the stream are left out, as MNE cannot hold them.
    started
        Wall time of session time `begin`; needs a time zone. None leaves the date out.
    begin
        Session time that `started` belongs to; the first sample of the stream if it is not given.
    montage
        Whose places channels of EEG get by their names; unknown names get none. None gives none.

    Returns
    -------
    mne.io.RawArray
        The same numbers; gaps are bridged and annotated as bad.

    Raises
    ------
    BadInput
        If the stream is empty, not on its grid, or has a gap of more than four hours.
    MissingExtra
        If MNE is not installed.

    Examples
    --------
    >>> info = StreamInfo("cap", Modality.EEG, ("Fz", "Cz"), 250.0, "uV")
    >>> raw = to_raw(Chunk.of(info, np.arange(250, 500) / 250, np.ones((250, 2))))
    >>> raw.ch_names, len(raw.times), float(raw.get_data()[0, 0])
    (['Fz', 'Cz'], 250, 1e-06)
    """
    mne = _mne()
    stages = ToSI()
    stages.start(stream.info)
    converted = stages.push(stream)
    if not converted:
        raise BadInput(f"{stream.info.name!r} holds no sample: there is nothing to convert")
    grid = gridded(converted[0])
    places = grid.positions - grid.positions[0]
    _check_gaps(grid.info, places)
    data, missing = _bridged(grid.data, places)
    raw = mne.io.RawArray(data.T, _mne_info(grid.info, montage), verbose="error")
    first = float(stream.times[0])
    if started is not None:
        raw.set_meas_date(_utc(started) + timedelta(seconds=first - (begin or first)))
    untrusted = np.zeros(len(data), bool)
    untrusted[places] = grid.trust < 1
    raw.set_annotations(
        _spans(missing, BAD_GAP, grid.sfreq)
        + _spans(untrusted, BAD_UNTRUSTED, grid.sfreq)
        + _marks(markers, first, float(stream.times[-1]))
    )
    return raw


def to_epochs_array(
    epochs: MarkerEpochs, *, montage: str | None = "standard_1005"
) -> mne.EpochsArray:
    """Return epochs as MNE epochs: the same numbers, one event type for each text of a marker.

    Events are at the positions of the markers on the sample grid; `metadata` holds time, text,
    stream and quality of each where pandas is installed.

    Parameters
    ----------
    epochs
        What was kept.
    montage
        Whose places EEG channels get by their names; None for none.

    Returns
    -------
    mne.EpochsArray

    Raises
    ------
    BadInput
        If there is no epoch, or two markers fall on one sample, which MNE does not allow.
    MissingExtra
        If MNE is not installed.
    """
    mne = _mne()
    if not len(epochs):
        raise BadInput(f"no epoch was kept:\n{epochs.report}")
    order = np.argsort(epochs.positions, kind="stable")
    positions = epochs.positions[order]
    if (np.diff(positions) == 0).any():
        twice = [epochs.markers[n] for n in order[:-1][np.diff(positions) == 0]]
        raise BadInput(f"two markers fall on one sample, MNE needs one each: {twice[0]}")
    texts = [epochs.texts[row] or "marker" for row in order]
    numbers = {text: number for number, text in enumerate(sorted(set(texts)), 1)}
    codes = [numbers[text] for text in texts]
    return mne.EpochsArray(
        np.moveaxis(epochs.data[order], 2, 1),
        _mne_info(epochs.info, montage),
        events=np.column_stack([positions, np.zeros_like(positions), codes]),
        tmin=float(epochs.times[0]),
        event_id=numbers,
        metadata=_metadata(epochs, order),
        verbose="error",
    )


def _mne() -> Any:
    need("mne")
    import mne

    return mne


def _mne_info(info: StreamInfo, montage: str | None) -> Any:
    mne = _mne()
    names = _distinct(info.channels)
    made = mne.create_info(names, info.sfreq, _types(info), verbose="error")
    if info.modality is Modality.EEG and montage is not None:
        places = channel_positions(info.channels, montage)
        kinds = made.get_channel_types()
        known = {
            name: place
            for name, place, kind in zip(names, places, kinds, strict=True)
            if kind == "eeg" and np.isfinite(place).all()
        }
        if known:
            head = standard_montage(montage).get_positions()
            marks = {name: head[name] for name in ("nasion", "lpa", "rpa", "coord_frame")}
            places_known = mne.channels.make_dig_montage(known, **marks)
            made.set_montage(places_known, on_missing="ignore", verbose="error")
    return made


def _types(info: StreamInfo) -> list[str]:
    if info.modality is None or _UNITS.get(info.modality, info.unit) != info.unit:
        return ["misc"] * info.n_channels  # not in the unit that the type stands for
    if info.modality is not Modality.EEG:
        return [_TYPES.get(info.modality, "misc")] * info.n_channels
    montage = read_montage(info.channels)
    kinds = np.where(montage.eeg, "eeg", "misc")
    kinds[list(montage.ears)] = "eeg"
    kinds[[n for n, name in enumerate(info.channels) if "EOG" in name.upper()]] = "eog"
    return [str(kind) for kind in kinds]


def _distinct(channels: Sequence[str]) -> list[str]:
    """Number the names that occur twice: MNE tells channels by their names."""
    seen: dict[str, int] = {}
    names = []
    for name in channels:
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return names


def _utc(started: datetime) -> datetime:
    if started.tzinfo is None:
        raise BadInput(f"started={started} has no time zone: say .replace(tzinfo=..)")
    return started.astimezone(UTC)


def _check_gaps(info: StreamInfo, places: Ints) -> None:
    longest = float(np.diff(places).max(initial=1)) / info.sfreq
    if longest > LONGEST_GAP_S:
        raise BadInput(gap_problem(info, longest))


def gap_problem(info: StreamInfo, seconds: float) -> str:
    """Say that a gap is too long to be bridged.

    Parameters
    ----------
    info
        The stream.
    seconds
        Length of the gap.

    Returns
    -------
    str
        For people.
    """
    return (
        f"{info.name!r} has a gap of {seconds / 3600:.1f} h, at most {LONGEST_GAP_S / 3600:g} h "
        "can be bridged: export the parts as recordings of their own"
    )


def _bridged(data: Floats, places: Ints) -> tuple[Floats, Bools]:
    """Return data on every place, straight lines where there was none, and where that is."""
    count = int(places[-1]) + 1
    missing = np.ones(count, bool)
    missing[places] = False
    if not missing.any():
        return data, missing
    whole = np.empty((count, data.shape[1]))
    whole[places] = data
    holes = np.flatnonzero(missing)
    for channel, values in enumerate(data.T):
        whole[holes, channel] = np.interp(holes, places, values)
    return whole, missing


def _spans(marked: Bools, text: str, sfreq: float) -> Any:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], marked, [False])).astype(np.int8)))
    starts, stops = edges[::2], edges[1::2]
    onsets, durations = (starts + _INSET) / sfreq, (stops - starts - 2 * _INSET) / sfreq
    return _mne().Annotations(onsets, durations, [text] * len(starts))


def _marks(markers: Iterable[Marker], first: float, last: float) -> Any:
    within = [marker for marker in markers if first <= marker.time <= last]
    onsets = [marker.time - first for marker in within]
    texts = [marker.text or "marker" for marker in within]
    return _mne().Annotations(onsets, [0.0] * len(within), texts)


def _metadata(epochs: MarkerEpochs, order: Ints) -> Any:
    try:
        import pandas as pd
    except ImportError:
        return None
    rows = [(epochs.markers[row], epochs.quality[row]) for row in order.tolist()]
    return pd.DataFrame(
        {
            "time": [marker.time for marker, _ in rows],
            "text": [marker.text for marker, _ in rows],
            "stream": [marker.stream for marker, _ in rows],
            "quality": [float(quality) for _, quality in rows],
        }
    )
