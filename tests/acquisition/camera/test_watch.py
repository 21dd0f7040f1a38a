"""What a person reads of who is in view."""

from __future__ import annotations

from biosense.acquisition.camera.camera_events import FaceWatch


def said(scenes):
    """Messages of scenes (seconds, present, stranger), at 10 frames a second."""
    watch, time, texts = FaceWatch(), 0.0, []
    for seconds, present, stranger in scenes:
        for _ in range(round(10 * seconds)):
            texts.append(watch.push(time, present=present, stranger=stranger))
            time += 0.1
    return [text for text in texts if text]


def test_another_face_is_told_once_until_the_person_is_back():
    away = [(2, False, False), (1, False, True), (1, False, False), (1, False, True)]
    found = said([(2, True, False), *away, (2, True, False), *away])
    told = "another face in view: not followed, it is not the one this run began with"
    assert found == ["face found", "face left", told] * 2


def test_another_face_beside_the_persons_is_no_news():
    assert said([(2, True, False), (2, True, True)]) == ["face found"]
