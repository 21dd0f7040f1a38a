"""A simulated person as a recording in memory, with the hidden path as its annotation."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np

from biosense.acquisition.simulated.noise import BLOCK_S
from biosense.acquisition.simulated.participant import ALL_MODALITIES, Participant
from biosense.acquisition.simulated.state import AffectPath
from biosense.acquisition.simulated.stream import BlockStream
from biosense.core.affect import TARGETS
from biosense.core.errors import BadInput
from biosense.core.recording import Recording
from biosense.core.types import Chunk, Modality, StreamInfo

TRUTH_HZ = 4.0


def simulate(
    seed: int,
    seconds: float,
    *,
    modalities: Collection[Modality] = ALL_MODALITIES,
    start: float = 0.0,
) -> Recording:
    """Simulate a person for a while, in memory.

    Parameters
    ----------
    seed
        Who it is.
    seconds
        How long.
    modalities
        Which streams.
    start
        Session time at which the person begins: with the session time at which a `SimulatedSource`
        of that seed was entered, the samples and their times are the same as the source's.

    Returns
    -------
    Recording
        Whole streams, and as its one annotation the true valence and arousal at 4 Hz.

    Raises
    ------
    BadInput
        If `seconds` is not positive, the seed is negative or a modality is not simulated.

    Examples
    --------
    >>> recording = simulate(5, 10.0, modalities=[Modality.EDA])
    >>> recording.stream("sim-eda").n, recording.annotations[0].n, recording.subject
    (1280, 40, 'sim-5')
    """
    if not seconds > 0:
        raise BadInput(f"seconds={seconds} of a simulated recording must be positive")
    person = Participant(seed, modalities)
    streams = tuple(_whole(stream, seconds, start) for stream in person.streams.values())
    return Recording(
        streams,
        annotations=(_shifted(_joined(truth_chunks(person.path, seed, seconds)), start),),
        subject=f"sim-{seed}",
    )


def truth_info(seed: int) -> StreamInfo:
    """Describe the stream of the hidden path."""
    return StreamInfo(
        "sim-truth",
        None,
        TARGETS,
        TRUTH_HZ,
        source_id=f"simulated-{seed}-truth",
        dtype="float32",
        content_type="Truth",
    )


def blocks(stream: BlockStream, seconds: float) -> Iterator[Chunk]:
    """Yield the blocks of a stream, the last cut at `seconds` (may be infinite)."""
    index = 0
    while index * BLOCK_S < seconds:
        chunk = stream.block(index)
        yield chunk.slice(0, int(np.searchsorted(chunk.times, seconds)))
        index += 1


def truth_chunks(path: AffectPath, seed: int, seconds: float) -> Iterator[Chunk]:
    """Yield the hidden path, a block at a time, the last cut at `seconds` (may be infinite)."""
    info = truth_info(seed)
    n = round(TRUTH_HZ * BLOCK_S)
    index = 0
    while index * BLOCK_S < seconds:
        times = np.arange(index * n, (index + 1) * n) / TRUTH_HZ
        times = times[times < seconds]
        yield Chunk.of(info, times, path.at(times))
        index += 1


def _whole(stream: BlockStream, seconds: float, start: float) -> Chunk:
    return _shifted(_joined(blocks(stream, seconds)), start)


def _joined(parts: Iterator[Chunk]) -> Chunk:
    chunks = list(parts)
    return Chunk(
        chunks[0].info,
        np.concatenate([chunk.times for chunk in chunks]),
        np.concatenate([chunk.data for chunk in chunks]),
        np.concatenate([chunk.ok for chunk in chunks]),
    )


def _shifted(chunk: Chunk, start: float) -> Chunk:
    return replace(chunk, times=chunk.times + start)
