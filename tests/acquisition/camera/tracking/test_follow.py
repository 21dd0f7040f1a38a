"""One person is followed, and no other: drawn faces that come, go, cross and jump."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from biosense.acquisition.camera.native.opencv import load_opencv
from biosense.acquisition.camera.tracking.backend import Landmarks
from biosense.acquisition.camera.tracking.face_similarity import FaceTemplates, face_template
from biosense.acquisition.camera.tracking.identity import PersonTracker
from tests.support.camera_fakes import mesh

SIZE = (240, 640)
ANNA, BERT = 1, 2
LEFT, RIGHT = (-100, 0), (250, 0)


def skin(person):
    """A face's picture: blobs of light and dark that nobody else has."""
    rng = np.random.default_rng(person)
    coarse = rng.uniform(40, 220, (12, 9)).astype(np.uint8)
    return load_opencv().resize(coarse, (110, 160), interpolation=3)


def points_at(place, scale=1.0):
    points = mesh()
    middle = np.array([160, 100, 0])
    return (points - middle) * scale + middle + (*place, 0)


def draw(people, light=1.0):
    """A picture of people: (who, place, scale) each."""
    image = np.full((*SIZE, 3), 90, np.uint8)
    for who, place, scale in people:
        points = points_at(place, scale)
        low = np.floor(points[:, :2].min(axis=0)).astype(int)
        high = np.ceil(points[:, :2].max(axis=0)).astype(int)
        face = load_opencv().resize(skin(who), tuple((high - low).tolist()))
        image[low[1] : high[1], low[0] : high[0]] = face[..., None]
    return (image * light).astype(np.uint8)


@dataclass
class OneFace:
    """A backend as MediaPipe's: stays with the face that it has, else takes the first it finds."""

    people: list = field(default_factory=list)
    has: int | None = None
    calls: int = 0

    def track(self, image):
        self.calls += 1
        shown = [(w, p, s) for w, p, s in self.people if not self._painted(image, p)]
        kept = [each for each in shown if each[0] == self.has]
        if self.has is not None and not kept:
            self.has = None  # lost; it searches in the next frame
            return None
        if not shown:
            return None
        who, place, scale = (kept or shown)[0]
        self.has = who
        return Landmarks(points_at(place, scale), 1.0)

    def _painted(self, image, place):
        x, y = 160 + place[0], 100 + place[1]
        return bool((image[y - 5 : y + 5, x - 5 : x + 5] == 128).all())

    def close(self):
        pass


class Scene:
    """Plays scenes to a follower, and tells whom it measured: a name, or None."""

    def __init__(self):
        self.backend = OneFace()
        self.follow = PersonTracker(self.backend, load_opencv())

    def play(self, people, frames=30, light=1.0):
        return [self.frame(people, light) for _ in range(frames)]

    def frame(self, people, light=1.0):
        self.backend.people = people
        image = draw(people, light)
        face = self.follow.find(image, image[..., ::-1])
        if face is None:
            return None
        x = face.points[:, 0].mean()
        return min(people, key=lambda each: abs(points_at(each[1], each[2])[:, 0].mean() - x))[0]


@pytest.fixture
def scene():
    return Scene()


def test_who_comes_later_is_not_taken_for_the_person(scene):
    assert set(scene.play([(ANNA, LEFT, 1)], 40)) == {ANNA}
    both = [(BERT, RIGHT, 1), (ANNA, LEFT, 1)]
    assert set(scene.play(both)) == {ANNA}
    assert set(scene.play([(BERT, RIGHT, 1)], 100)) == {None}
    assert scene.follow.stranger
    found = scene.play(both, 20)
    assert BERT not in found
    assert set(found[5:]) == {ANNA}


def test_a_stranger_in_the_persons_place_is_not_measured(scene):
    scene.play([(ANNA, LEFT, 1)], 40)
    assert set(scene.play([], 10)) == {None}
    assert set(scene.play([(BERT, LEFT, 1)], 90)) == {None}
    found = scene.play([(ANNA, LEFT, 1)], 45)
    assert set(found[35:]) == {ANNA}


def test_one_who_returns_elsewhere_smaller_and_in_other_light_is_known(scene):
    scene.play([(ANNA, LEFT, 1)], 40)
    scene.play([], 30)
    assert set(scene.play([(ANNA, RIGHT, 0.7)], 30, light=0.5)) == {ANNA}
    assert not scene.follow.stranger


def test_a_backend_that_jumps_to_the_neighbour_is_caught_at_once(scene):
    scene.play([(ANNA, LEFT, 1)], 40)
    scene.backend.has = BERT
    found = scene.play([(ANNA, LEFT, 1), (BERT, RIGHT, 1)], 20)
    assert BERT not in found
    assert set(found[3:]) == {ANNA}


def test_a_face_that_changes_without_a_jump_is_caught_in_a_second(scene):
    scene.play([(ANNA, LEFT, 1)], 40)
    found = scene.play([(BERT, LEFT, 1)], 90)
    assert set(found[30:]) == {None}


def test_of_two_at_the_start_the_nearer_is_the_person(scene):
    people = [(BERT, RIGHT, 0.6), (ANNA, LEFT, 1)]
    assert set(scene.play(people)) == {ANNA}
    other_way = Scene()
    assert set(other_way.play(people[::-1])) == {ANNA}


def test_before_a_second_has_passed_nobody_is_enrolled(scene):
    scene.play([(ANNA, LEFT, 1)], 20)
    scene.play([], 5)
    assert not scene.follow.enrolled
    assert set(scene.play([(BERT, RIGHT, 1)], 40)) == {BERT}
    assert scene.follow.enrolled


def test_following_alone_asks_the_backend_once_a_frame(scene):
    scene.play([(ANNA, LEFT, 1)], 40)
    before = scene.backend.calls
    scene.play([(ANNA, LEFT, 1)], 30)
    assert scene.backend.calls == before + 30


def test_the_picture_is_not_written_to(scene):
    scene.play([(ANNA, LEFT, 1)], 40)
    people = [(BERT, RIGHT, 1)]
    scene.play(people, 5)
    image = draw(people)
    before = image.copy()
    scene.follow.find(image, image)
    assert np.array_equal(image, before)


def test_a_look_is_the_same_in_any_size_place_and_light():
    cv2 = load_opencv()
    one = face_template(cv2, draw([(ANNA, LEFT, 1)]), points_at(LEFT))
    two = face_template(cv2, draw([(ANNA, RIGHT, 0.8)], light=0.6), points_at(RIGHT, 0.8))
    other = face_template(cv2, draw([(BERT, LEFT, 1)]), points_at(LEFT))
    assert one @ two > 0.9
    assert one @ other < 0.4
    assert face_template(cv2, draw([]), points_at((900, 0))) @ one == 0.0


def test_no_more_views_are_kept_than_are_useful():
    looks, rng = FaceTemplates(), np.random.default_rng(0)
    first = rng.standard_normal(100)
    first /= np.linalg.norm(first)
    looks.learn(first)
    for _ in range(50):
        view = rng.standard_normal(100)
        looks.learn(view / np.linalg.norm(view))
    assert len(looks) == 12
    assert looks.similarity(first) == pytest.approx(1.0)
    looks.forget()
    assert looks.similarity(first) == -1.0
