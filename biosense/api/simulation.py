"""A simulated participant as a recording, for examples, tests and first steps."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from biosense.acquisition import simulated
from biosense.acquisition.xdf.item_writer import ItemWriter
from biosense.acquisition.xdf.recording_folder import XDF_NAME, Sidecar, write_sidecar
from biosense.acquisition.xdf.writer import XdfWriter
from biosense.api.naming import modality_named
from biosense.api.reading import read
from biosense.api.recording import Recording
from biosense.core.errors import BadInput
from biosense.core.types import TEXT, Chunk, Modality, StreamInfo
from biosense.estimation.interleave import interleave

_START_S = 1000.0  # session time at which it begins: that of a computer that was not just started
MARKERS = StreamInfo("markers", None, ("text",), 0.0, dtype=TEXT, content_type="Markers")


def simulate(
    seconds: float = 60.0,
    *,
    seed: int = 5,
    modalities: Iterable[Modality | str] | None = None,
    markers: Iterable[tuple[float, str]] = (),
    folder: str | Path | None = None,
) -> Recording:
    """Record a simulated participant: real signals' forms, known valence and arousal.

    The person is made up, and moves more than people do: what is found here shows that a method
    runs, never how well it reads people.

    Parameters
    ----------
    seconds
        How long.
    seed
        Who it is.
    modalities
        Which sensors ("eeg", "ecg", "eda", "ppg", "resp", "emg", "temp", "rppg", "face"); the usual
        ones by default.
    markers
        (seconds from the beginning, text) of each.
    folder
        Where the recording folder is made; somewhere temporary by default, gone with the recording.

    Returns
    -------
    Recording
        With the stream `sim-truth`: the true valence and arousal, 4 Hz.

    Raises
    ------
    BadInput
        If a modality is not simulated, `seconds` is not positive, or the folder has a recording.

    Examples
    --------
    >>> import biosense as bs
    >>> rec = bs.simulate(seconds=6, modalities=["eda"], markers=[(2.0, "picture")])
    >>> rec.markers[0].text, rec["sim-truth"].info.channels
    ('picture', ('valence', 'arousal'))
    """
    chosen = (
        simulated.DEFAULT_MODALITIES if modalities is None else [*map(modality_named, modalities)]
    )
    made = simulated.simulate(seed, seconds, modalities=chosen, start=_START_S)
    place = Path(folder or tempfile.mkdtemp(prefix="biosense-"))
    place.mkdir(parents=True, exist_ok=True)
    if (place / XDF_NAME).exists():
        raise BadInput(f"{place} holds a recording already: name another folder")
    texts = [(_START_S + time, text) for time, text in sorted(markers)]
    said = Chunk.of(MARKERS, [time for time, _ in texts], [[text] for _, text in texts])
    _write(place / XDF_NAME, [*made.streams, *made.annotations, *[said] * bool(texts)])
    started = datetime.now(UTC)
    write_sidecar(place, Sidecar(made.subject, started=started), [s.info for s in made.streams])
    recording = read(place)
    if folder is None:
        weakref.finalize(recording, shutil.rmtree, place, ignore_errors=True)
    return recording


def _write(path: Path, streams: Sequence[Chunk]) -> None:
    """Write streams side by side, as they would have come."""
    items = ItemWriter(XdfWriter(path))
    for stream in streams:
        items.announce(stream.info)
    for piece in interleave(streams):
        items.write(piece)
    items.finish()
