"""Follow one person's face: the one that was there first, and no other that comes along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from biosense.acquisition.camera.tracking.backend import FaceBackend, Image, Landmarks
from biosense.acquisition.camera.tracking.face_similarity import FaceTemplates, face_template
from biosense.core.types import Floats

_ENROL_FRAMES = 30  # followed without a break before the person is known
_CHECK_FRAMES = 10  # between two looks at a face that moves on smoothly
_SAME = 0.45  # correlation from which a face that comes is the person's
_OTHER = 0.30  # and below which one that was followed is not, when it stays so
_PATIENCE = 3  # checks: a hand before the face passes
_JUMP = 0.5  # of the face's width from frame to frame: no head is so fast
_GROWTH = 1.4
_HIDE_FRAMES = 30
_UNSURE_FRAMES = 6  # between the two correlations: the person in another pose, perhaps
_MARGIN = 0.3  # of a hidden face's size, on each side
_GREY = 128


@dataclass(frozen=True, eq=False)
class _Place:
    """Where a face is in the picture: left, top and right, bottom."""

    low: Floats
    high: Floats

    @classmethod
    def of(cls, points: Floats) -> _Place:
        return cls(points[:, :2].min(axis=0), points[:, :2].max(axis=0))

    @property
    def width(self) -> float:
        return max(float(self.high[0] - self.low[0]), 1.0)

    def continues(self, before: _Place) -> bool:
        shift = 0.5 * np.abs(self.low + self.high - before.low - before.high).max()
        growth = max(self.width / before.width, before.width / self.width)
        return bool(shift < _JUMP * before.width and growth < _GROWTH)


class PersonTracker:
    """Find the same person's face in every frame, with a backend that finds one face, any.

    The first face (the widest, where there are two) is learnt over a second. From then on a face
    that appears, or jumps, is compared with what the person looked like: any other is a stranger's,
    and painted over for a second, so that the backend looks elsewhere. A face that moves on
    smoothly is compared every tenth frame only. While the person is away, nobody takes the place.

    Parameters
    ----------
    backend
        Finds the landmarks.
    cv2
        OpenCV.
    """

    def __init__(self, backend: FaceBackend, cv2: Any) -> None:
        self._backend = backend
        self._cv2 = cv2
        self._templates = FaceTemplates()
        self._place: _Place | None = None
        self._run = 0  # frames followed since the face came
        self._doubts = 0
        self._hidden: list[tuple[int, _Place]] = []  # until which frame, where
        self._hide_frames = _HIDE_FRAMES
        self._frame = 0
        self.enrolled = False
        self.stranger = False
        """Whether a face was found in the last frame that is not the person's."""

    def find(self, frame: Image, rgb: Image) -> Landmarks | None:
        """Return the person's face in a frame, given as BGR and RGB; None when it is not there."""
        self._frame += 1
        self._hidden = [(until, place) for until, place in self._hidden if until > self._frame]
        face = self._backend.track(self._paint(rgb, [place for _, place in self._hidden]))
        self.stranger = bool(self._hidden)
        if face is None:
            self._lose()
            return None
        if not self.enrolled and self._place is None:
            face = self._widest(rgb, face)
        return self._judge(frame, face)

    def _judge(self, frame: Image, face: Landmarks) -> Landmarks | None:
        place = _Place.of(face.points)
        smooth = self._place is not None and place.continues(self._place)
        if not self.enrolled and not smooth:
            self._templates.forget()
            self._run = 0
        due = not smooth or self._run % _CHECK_FRAMES == 0
        if due and not self._is_person(face_template(self._cv2, frame, face.points), smooth):
            self._hidden.append((self._frame + self._hide_frames, place))
            self.stranger = True
            self._lose()
            return None
        self._place, self._run = place, self._run + 1
        self.enrolled = self.enrolled or self._run >= _ENROL_FRAMES
        if smooth:
            self._hidden.clear()
        return face

    def _is_person(self, template: Floats, smooth: bool) -> bool:
        if not self.enrolled:
            self._templates.learn(template)
            return True
        similarity = self._templates.similarity(template)
        self._hide_frames = _HIDE_FRAMES if similarity < _OTHER else _UNSURE_FRAMES
        if not smooth:
            self._doubts = 0
            return similarity >= _SAME
        self._doubts = self._doubts + 1 if similarity < _OTHER else 0
        if similarity >= _SAME:
            self._templates.learn(template)
        return self._doubts < _PATIENCE

    def _lose(self) -> None:
        self._place, self._run, self._doubts = None, 0, 0

    def _widest(self, rgb: Image, face: Landmarks) -> Landmarks:
        """Paint the face over and look again: whoever is nearer sits before the camera."""
        first = _Place.of(face.points)
        other = self._elsewhere(rgb, first)
        if other is None or _Place.of(other.points).width <= first.width:
            again = self._elsewhere(rgb, None if other is None else _Place.of(other.points))
            return face if again is None else again
        return other

    def _elsewhere(self, rgb: Image, place: _Place | None) -> Landmarks | None:
        # The backend first goes on with the face that it had and loses it, then searches.
        painted = self._paint(rgb, [] if place is None else [place])
        found = self._backend.track(painted)
        return found if found is not None else self._backend.track(painted)

    def _paint(self, rgb: Image, places: list[_Place]) -> Image:
        if not places:
            return rgb
        painted = rgb.copy()
        height, width, _ = rgb.shape
        for place in places:
            reach = _MARGIN * (place.high - place.low)
            left, top = np.clip(place.low - reach, 0, (width, height)).astype(int)
            right, bottom = np.clip(place.high + reach, 0, (width, height)).astype(int)
            painted[top:bottom, left:right] = _GREY
        return painted
