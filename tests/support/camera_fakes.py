"""A clock, a face, a tracker and a camera for tests that need no mediapipe and no camera."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np

from biosense.acquisition.camera.native.opencv import load_opencv
from biosense.acquisition.camera.tracking.backend import Landmarks, mesh_indices
from biosense.acquisition.camera.tracking.head_pose import _FACE_MM
from biosense.acquisition.camera.tracking.skin_regions import _SKIN

SIZE = (240, 320)  # height, width of the pictures
FOREHEAD, RIGHT_CHEEK, LEFT_CHEEK = (130, 40, 190, 70), (120, 100, 145, 140), (175, 100, 200, 140)
FACE = (115, 35, 205, 180)  # left, top, right, bottom


class FakeClock:
    def __init__(self, start=100.0):
        self.time = start

    def now(self):
        return self.time

    def wait(self, seconds):
        self.time += seconds


def outline(box, n, *, clockwise):
    """n points around a box, from its outer upper corner."""
    left, top, right, bottom = box
    half = n // 2
    x = np.concatenate([np.linspace(left, right, half), np.linspace(right, left, n - half)])
    y = np.concatenate([np.full(half, top), np.full(n - half, bottom)])
    return np.column_stack([x if clockwise else left + right - x, y])


def mesh(points=478):
    """A face whose skin regions are the boxes above, looking straight at the camera."""
    left, top, right, bottom = FACE
    face = np.zeros((points, 3))
    face[:, :2] = (left + right) / 2, (top + bottom) / 2
    # Point 10 is both the top of the rigid face and a corner of the forehead: they agree here.
    face[mesh_indices(tuple(_FACE_MM))] = np.array([*_FACE_MM.values()]) * 0.8 + (160, 80, 0)
    face[mesh_indices(("face_right", "face_left", "chin")), :2] = (
        (left, 100),
        (right, 100),
        (160, bottom),
    )
    boxes = (FOREHEAD, RIGHT_CHEEK, LEFT_CHEEK)
    for indices, box, clockwise in zip(_SKIN, boxes, (True, True, False), strict=True):
        face[list(indices), :2] = outline(box, len(indices), clockwise=clockwise)
    return face


class FixedFace:
    """Tracks a face that never moves; None in frames that are black."""

    def __init__(self, *, clock=None, seconds=0.0, error=None):
        self.clock, self.seconds, self.error = clock, seconds, error
        self.seen = []
        self.begun = threading.Event()
        self.closed = False

    def track(self, image):
        self.seen.append(image)
        self.begun.set()
        if self.error is not None:
            raise self.error
        if self.clock is not None:
            self.clock.wait(self.seconds)
        return Landmarks(mesh(), 0.9) if image.any() else None

    def close(self):
        self.closed = True


class FakeCapture:
    """A cv2.VideoCapture that gives `frames` pictures, 1/30 s apart, then fails or blocks."""

    def __init__(self, frames, *, clock, blocks=False, error=None, opens=True):
        self.left, self.clock, self.blocks, self.error = frames, clock, blocks, error
        self.opens = opens
        self.free = threading.Event()
        self.released = False

    def isOpened(self):
        return self.opens

    def get(self, _):
        return 30.0

    def grab(self):
        if self.left == 0:
            if self.error is not None:
                raise self.error
            if self.blocks:
                self.free.wait(10)
            return False
        self.left -= 1
        self.clock.wait(1 / 30)
        return True

    def retrieve(self):
        return True, np.full((*SIZE, 3), 90, np.uint8)

    def release(self):
        self.released = True


def picture(*, background=(60, 60, 60), forehead=(200, 120, 80), right=(180, 100, 70), left=None):
    """A BGR picture of coloured boxes a little larger than the regions; colours are RGB."""
    image = np.empty((*SIZE, 3), np.uint8)
    image[:] = background[::-1]
    colours = (forehead, right, left or right)
    for (x0, y0, x1, y1), colour in zip((FOREHEAD, RIGHT_CHEEK, LEFT_CHEEK), colours, strict=True):
        image[y0 - 3 : y1 + 4, x0 - 3 : x1 + 4] = colour[::-1]
    return image


def write_video(path: Path, pictures, fps=30.0) -> Path:
    """Write a lossless video."""
    cv2 = load_opencv()
    height, width, _ = pictures[0].shape
    code = cv2.VideoWriter_fourcc(*"FFV1")
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, fps, (width, height))
    assert writer.isOpened()
    for image in pictures:
        writer.write(image)
    writer.release()
    return path


class MjpegServer(BaseHTTPRequestHandler):
    """Sends 45 pictures, 100 a second, and hangs up."""

    def do_GET(self):
        jpeg = load_opencv().imencode(".jpg", picture())[1].tobytes()
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        part = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
        for _ in range(45):
            self.wfile.write(part + jpeg + b"\r\n")
            time.sleep(0.01)  # a camera sends at its own pace

    def log_message(self, *_):
        pass
