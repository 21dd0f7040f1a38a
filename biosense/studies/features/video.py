"""Films of faces as streams: what the camera would have given, had it watched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from biosense.acquisition.camera.frames import FileFrames, Frame
from biosense.acquisition.camera.tracking.backend import FaceBackend
from biosense.acquisition.camera.tracking.mediapipe_backend import MediaPipeBackend
from biosense.acquisition.camera.tracking.tracker import FaceTracker
from biosense.core.camera_streams import FACE_CHANNELS, RPPG_CHANNELS
from biosense.core.errors import MissingExtra, StreamNotFound
from biosense.core.recording import Recording, Trial
from biosense.core.types import Chunk, Floats, Modality, StreamInfo


@dataclass(frozen=True)
class _Standing:
    """Tell the time at which a film begins, always: its frames are then taken as they come."""

    time: float

    def now(self) -> float:
        return self.time


@dataclass(frozen=True, eq=False)
class _Film:
    times: Floats
    rows: tuple[Floats, Floats]
    fps: float


def can_track_faces() -> bool:
    """Tell whether OpenCV and the face tracker are installed; loads neither."""
    return find_spec("cv2") is not None and find_spec("mediapipe") is not None


def film_streams(
    recording: Recording, backend: Callable[[], FaceBackend] = MediaPipeBackend
) -> tuple[list[Chunk], list[str]]:
    """Track the face in the films of a recording's trials.

    Every frame between the beginning of a trial's baseline and the trial's end is taken, with its
    own time. A new film begins with a new tracker: the first face seen for a second is the
    person's.

    Returns
    -------
    streams, notes
        An `rppg` and a `face` stream over all films, or none; and what could not be read.
    """
    taken = {chunk.info.modality for chunk in recording.streams}
    films, notes = [], []
    for (path, start), trials in _by_film(recording.trials).items():
        try:
            films.append(_track(path, start, trials, backend))
        except MissingExtra as error:
            return [], [f"the films of the face are not used: {error}"]
        except StreamNotFound as error:
            notes.append(f"a film of the face is not used: {error}")
    films = [film for film in films if len(film.times)]
    if not films:
        return [], notes
    times = np.concatenate([film.times for film in films])
    rises = np.concatenate([[True], np.diff(np.maximum.accumulate(times)) > 0])
    streams = []
    for column, modality, channels in (
        (0, Modality.RPPG, RPPG_CHANNELS),
        (1, Modality.FACE, FACE_CHANNELS),
    ):
        if modality not in taken:
            info = StreamInfo(f"film-{modality}", modality, channels, films[0].fps, lossy=True)
            rows = np.concatenate([film.rows[column] for film in films])
            streams.append(Chunk.of(info, times[rises], rows[rises]))
    return streams, notes


def _by_film(trials: tuple[Trial, ...]) -> dict[tuple[Path, float], list[Trial]]:
    films: dict[tuple[Path, float], list[Trial]] = {}
    for trial in sorted(trials, key=lambda each: each.start):
        if trial.video is not None:
            films.setdefault((trial.video, trial.video_start), []).append(trial)
    return films


def _track(
    path: Path, start: float, trials: list[Trial], backend: Callable[[], FaceBackend]
) -> _Film:
    spans = [(t.start if t.baseline is None else t.baseline, t.stop) for t in trials]
    last = max(stop for _, stop in spans)
    frames = FileFrames(path, clock=_Standing(start), wait=_at_once)
    tracker = FaceTracker(backend())
    times, rppg, face = [], [], []
    try:
        for frame in frames:
            if not isinstance(frame, Frame) or frame.time > last:
                break
            if any(begin <= frame.time <= stop for begin, stop in spans):
                colours, points = tracker.measure(frame.image)
                times.append(frame.time)
                rppg.append(colours)
                face.append(points)
    finally:
        tracker.close()
        frames.close()
    rows = (
        np.reshape(rppg, (len(times), len(RPPG_CHANNELS))),
        np.reshape(face, (len(times), len(FACE_CHANNELS))),
    )
    return _Film(np.array(times), rows, frames.fps)


def _at_once(seconds: float) -> None:
    """Do not wait."""
