"""`--face-model` and the preset key of the same name: which stream gets the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from biosense.core.errors import BadInput
from biosense.live.config.make_sources import with_face_model
from biosense.live.config.preset import StreamKind, StreamPreset, parse_preset


def test_a_face_model_is_for_the_cameras_of_a_run():
    streams = (StreamPreset(StreamKind.CAMERA, 0), StreamPreset(StreamKind.LSL, "cap"))
    camera, cap = with_face_model(streams, Path("face.task"))
    assert camera.options == {"face_model": "face.task"}
    assert cap == streams[1]
    assert with_face_model(streams, None) == streams
    with pytest.raises(BadInput, match="there is none: add --camera INDEX"):
        with_face_model(streams[1:], Path("face.task"))


def test_a_preset_can_name_a_face_model_for_a_camera_only():
    text = '[[stream]]\ncamera = 0\nface_model = "face.task"'
    assert parse_preset(text, Path("a.toml")).streams[0].options == {"face_model": "face.task"}
    with pytest.raises(BadInput, match="face_model"):
        parse_preset('[[stream]]\nlsl = "cap"\nface_model = "face.task"', Path("a.toml"))
