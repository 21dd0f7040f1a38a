"""A small recording of a few streams, as bytes, and what is in it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from biosense.acquisition.xdf.parse import SamplesChunk, XdfParser
from biosense.acquisition.xdf.writer import XdfWriter
from biosense.core.types import TEXT, Chunk, ClockOffset, Modality, StreamInfo

EEG = StreamInfo("eeg", Modality.EEG, ("a", "b"), 100.0, "uV", dtype="float32", lossy=True)
WORDS = StreamInfo("words", None, ("word",), 0.0, dtype=TEXT)
LATE = StreamInfo("late", None, ("x",), 0.0, dtype="int32")


def small_file() -> bytes:
    """Return 4 blocks of 1 s, each 3 EEG samples, a word and a boundary; then a late stream."""
    rng = np.random.default_rng(5)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.xdf"
        with XdfWriter(path) as writer:
            writer.add_stream(EEG)
            writer.add_stream(WORDS)
            writer.boundary()
            writer.write_offset(ClockOffset(EEG, 10.0, 0.5))
            for block in range(4):
                times = 10.0 + block + np.arange(3) / 100.0
                writer.write(Chunk.of(EEG, times, rng.standard_normal((3, 2))))
                writer.write(Chunk.of(WORDS, [10.5 + block], [[f"word {block}"]]))
                writer.boundary()
            writer.add_stream(LATE)
            writer.write(Chunk.of(LATE, [20.0, 21.0], [[7], [8]]))
        return path.read_bytes()


def values(data: bytes) -> list[tuple[int, bytes, object]]:
    """Return stream number, stamps and values of each chunk of samples."""
    return [
        (parsed.number, parsed.stamps.tobytes(), parsed.data.tolist())
        for parsed in XdfParser(data)
        if isinstance(parsed, SamplesChunk)
    ]
