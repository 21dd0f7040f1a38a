"""A recording with everything that there can be in one, for the tests of exports."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from biosense.acquisition.xdf.events import event_chunk
from biosense.acquisition.xdf.reader import XdfReader
from biosense.acquisition.xdf.recording_folder import Sidecar, write_sidecar
from biosense.acquisition.xdf.writer import XdfWriter
from biosense.core.types import TEXT, Chunk, Event, EventKind, Modality, StreamInfo

T0 = 5000.0
SERIAL = "SN-4711-ADDRESS"
CAP = StreamInfo("cap", Modality.EEG, ("Fp1", "F3", "Cz", "Oz"), 250.0, "uV", SERIAL, "float32")
BELT = StreamInfo("Belt (new)", Modality.RESP, ("resp",), 32.0, "", SERIAL, "int16")
BEATS = StreamInfo("beats", None, ("rr",), 0.0, "s", SERIAL, "float32")
CUES = StreamInfo("cues", None, ("cue", "block"), 0.0, "", SERIAL, TEXT, content_type="Markers")
HEALTH = StreamInfo("health", None, ("status",), 0.0, "", SERIAL, TEXT, content_type="Health")


def cap(info: StreamInfo = CAP) -> Chunk:
    """Return 10 s of EEG from 0.5 s on, without the samples of 0.4 s in the middle."""
    rng = np.random.default_rng(5)
    places = np.concatenate([np.arange(125, 1250), np.arange(1350, 2700)])
    return Chunk.of(info, T0 + places / 250, rng.normal(0, 20, (len(places), 4)))


def belt() -> Chunk:
    """Return 10 s of breathing from the beginning on, in two parts with 2 s between them."""
    places = np.concatenate([np.arange(160), np.arange(224, 384)])
    return Chunk.of(BELT, T0 + places / 32, (1000 * np.sin(places / 20)).astype(int))


def folder(path: Path, *chunks: Chunk, events: tuple[Event, ...] = ()) -> XdfReader:
    """Record chunks as a whole session of P07."""
    path.mkdir()
    said = (*chunks, *map(event_chunk, events))
    with XdfWriter(path / "recording.xdf") as writer:
        for info in dict.fromkeys(chunk.info for chunk in said):
            writer.add_stream(info)
        for chunk in said:
            writer.write(chunk)
    noon = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    write_sidecar(path, Sidecar("P07", noon, devices={"cap": SERIAL}), [c.info for c in chunks])
    return XdfReader(path)


def lab_recording(path: Path) -> XdfReader:
    """A recording with everything that there can be in one."""
    cues = Chunk.of(
        CUES, [T0 + 0.1, T0 + 3.002, T0 + 7.0], [["go", "a"], ["go", "b"], ["é\t,", "b"]]
    )
    beats = Chunk.of(BEATS, [T0 + 0.7, T0 + 1.55], [[0.8], [0.85]])
    health = Chunk.of(HEALTH, [T0], [["{}"]])
    events = (
        Event(T0 + 4, EventKind.MARKER, "", "button"),
        Event(T0 + 5, EventKind.GAP, "cap", "0.4 s"),
    )
    return folder(path, cap(), belt(), beats, cues, health, events=events)
