"""What face features do on warped, dimmed, noisy, shared and left pictures of real faces.

Usage: python -m benchmarks.face.features VIDEO OTHER_VIDEO [--warps]

Two videos, each with a face of its own. Warps move the face of VIDEO's first frame by a known
amount (piecewise affine over the tracked mesh; turns: the mesh rotated in depth), so that the
measure can be held against the truth. With --warps the rest is left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, tell
from benchmarks.parts.face_warps import IRISES, moves, warp, with_hair
from biosense.acquisition.camera.native.opencv import load_opencv
from biosense.acquisition.camera.tracking.backend import Landmarks
from biosense.acquisition.camera.tracking.mediapipe_backend import MediaPipeBackend
from biosense.acquisition.camera.tracking.tracker import FaceTracker
from biosense.core.camera_streams import FACE_CHANNELS
from biosense.core.stage import Pipeline
from biosense.core.types import Chunk, Modality, StreamInfo
from biosense.processing.face.features import FACE_FEATURES, FaceFeatures
from biosense.processing.face.geometry import GEOMETRY_CHANNELS, FaceGeometry

INFO = StreamInfo("face", Modality.FACE, FACE_CHANNELS, 30.0)
SIZE = (180, 320)  # of each half when two videos share a picture


def read(path, most=10**6):
    cv2 = load_opencv()
    capture, frames = cv2.VideoCapture(str(path)), []
    while len(frames) < most and (got := capture.read())[0]:
        frames.append(got[1])
    return frames


def track(frames):
    """Rows of the face stream, and whether a stranger was seen."""
    tracker = FaceTracker(MediaPipeBackend())
    found = [(tracker.measure(frame)[1], tracker.stranger) for frame in frames]
    tracker.close()
    rows, strangers = zip(*found, strict=True)
    return np.array(rows), np.array(strangers)


def geometry(rows):
    stage = FaceGeometry()
    stage.start(INFO)
    chunk = stage.push(Chunk.of(INFO, np.arange(len(rows)) / 30, rows))[0]
    data = np.where(chunk.ok[:, None], chunk.data, np.nan)
    return dict(zip(GEOMETRY_CHANNELS, data.T, strict=True)), chunk.ok


def epochs(rows):
    done = Pipeline(FaceGeometry(), FaceFeatures()).run(
        [Chunk.of(INFO, np.arange(len(rows)) / 30, rows)], INFO
    )
    values = np.array([epoch.data for epoch in done])
    return dict(zip(FACE_FEATURES, values.T, strict=True)), np.array([e.quality for e in done])


def truth(points, feature):
    """What the features of a mesh are by their definition, whatever a tracker would see."""
    tracker = FaceTracker(MediaPipeBackend())
    row = tracker.face_row(Landmarks(points[:478], 1.0))
    tracker.close()
    return geometry(row[None])[0][feature][0]


def known_moves(frame):
    """Print what is measured of known moves; return the correlation of each by its name."""
    found_r = {}
    cv2, backend = load_opencv(), MediaPipeBackend()
    rgb = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    points = with_hair([backend.track(rgb) for _ in range(5)][-1].points)
    backend.close()
    print("\nA known move: the value of the moved mesh, and what is measured in the warped picture")
    print(f"{'move':<22}{'feature':<17}{'true':>15}{'measured':>17}{'gain':>7}{'r':>7}  monotonic")
    for name, feature, amounts, move in moves(points):
        true, found = [], []
        # A mesh with its lids shut would fold over its irises.
        used = [n for n in range(len(points)) if feature != "ear" or n not in IRISES]
        for amount in amounts:
            moved = move(amount)
            picture = warp(frame, points[used, :2], moved[used, :2])
            found.append(np.median(geometry(track([picture] * 5)[0])[0][feature]))
            true.append(np.radians(amount) if "deg" in name else truth(moved, feature))
        factor = np.degrees(1) if "deg" in name else 1.0
        true, found = factor * np.array(true), factor * np.array(found)
        gain, r = np.polyfit(true, found, 1)[0], np.corrcoef(true, found)[0, 1]
        monotonic = "yes" if (np.diff(found) * np.diff(true) > 0).all() else "no"
        spans = f"{true[0]:>7.3f} {true[-1]:>7.3f}{found[0]:>9.3f} {found[-1]:>7.3f}"
        print(f"{name:<22}{feature:<17}{spans}{gain:>7.2f}{r:>7.3f}  {monotonic}")
        found_r[name] = r
    return found_r


def still(frame):
    rng = np.random.default_rng(0)
    print("\nA face that does not move, 10 s: SD of each value (angles in degrees)")
    names = ("ear", "mar", "smile_width", "brow_inner", "gaze_x", "pitch", "yaw", "roll")
    print(f"{'noise SD (levels)':<20}" + "".join(f"{name:>12}" for name in names) + "  blinks/min")
    for noise in (0.0, 2.0, 5.0):
        rows, _ = track([_dim(frame, 1.0, noise, rng) for _ in range(300)])
        values, _ = geometry(rows)
        spreads = [values[n].std() * (np.degrees(1) if n in names[5:] else 1) for n in names]
        blinks = epochs(np.tile(rows, (3, 1)))[0]["blink_rate"]
        print(f"{noise:<20g}" + "".join(f"{s:>12.5f}" for s in spreads) + f"{blinks[-1]:>12.1f}")


def dark(frames):
    rng = np.random.default_rng(0)
    clear, _ = track(frames)
    truth, _ = geometry(clear)
    print("\nPoor light (read noise 2 levels): what is said, and how wrong what is used is")
    print(
        f"{'gain':<8}{'confidence':>11}{'used':>7}{'quality':>9}"
        f"{'|ear|':>8}{'|smile|':>9}{'yaw deg':>9}"
    )
    for gain in (1.0, 0.5, 0.2, 0.1, 0.05):
        rows, _ = track([_dim(frame, gain, 2.0, rng) for frame in frames])
        values, used = geometry(rows)
        wrong = [np.abs(values[n] - truth[n])[used] for n in ("ear", "smile_width", "yaw")]
        text = [f"{np.median(w):.3f}" if len(w) else "-" for w in wrong[:2]]
        yaw = f"{np.degrees(np.median(wrong[2])):.1f}" if used.any() else "-"
        print(
            f"{gain:<8g}{np.median(rows[:, -1]):>11.2f}{used.mean():>7.0%}"
            f"{epochs(rows)[1][-1]:>9.2f}{text[0]:>8}{text[1]:>9}{yaw:>9}"
        )


def others(one, two):
    """Who is measured when two people come and go; the place tells them apart."""
    black, seconds = np.zeros_like(one[0]), 30 * np.array([2, 4, 7, 10])
    print("\nTwo people side by side: share of frames in which each is measured")
    print(f"{'':<30}{'first':>7}{'other':>7}  {'alone: first':>13}{'other':>7}")
    for label, first, other in (("VIDEO first", one, two), ("OTHER first", two, one)):
        frames = []
        for n in range(seconds[3]):
            here = not seconds[1] <= n < seconds[2]
            frames.append(
                _beside(
                    _loop(first, n) if here else black,
                    _loop(other, n) if n >= seconds[0] else black,
                )
            )
        x = track(frames)[0][:, FACE_CHANNELS.index("nose_tip_x")]
        alone = _alone(frames)
        for part, start, stop in (
            ("alone", 0, seconds[0]),
            ("beside the other", seconds[0], seconds[1]),
            ("gone", seconds[1], seconds[2]),
            ("back", seconds[2], seconds[3]),
        ):
            shares = [(v < SIZE[1]).mean() for v in (x[start:stop], alone[start:stop])]
            rest = [(v >= SIZE[1]).mean() for v in (x[start:stop], alone[start:stop])]
            print(
                f"{label + ', ' + part:<30}{shares[0]:>7.0%}{rest[0]:>7.0%}"
                f"{shares[1]:>15.0%}{rest[1]:>7.0%}"
            )


def returning(one, two):
    """Print who is found when one person leaves and another comes; return the share mistaken."""
    frames = one[:60] + [np.zeros_like(one[0])] * 60 + two[:60] + one[:60]
    rows, strangers = track(frames)
    found = rows[:, -1] > 0
    shares = [found[start : start + 60].mean() for start in range(0, 240, 60)]
    print("\nAlone, gone, another face in the same place, back (2 s each): found in", end=" ")
    print(", ".join(f"{share:.0%}" for share in shares), end="; the other told in ")
    print(f"{strangers[120:180].mean():.0%}, back after {found[180:].argmax()} frames")
    return shares[2]


def _alone(frames):
    cv2, backend = load_opencv(), MediaPipeBackend()
    found = [backend.track(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)) for frame in frames]
    backend.close()
    return np.array([np.nan if face is None else face.points[1, 0] for face in found])


def _loop(frames, n):
    back, at = divmod(n, len(frames))
    return frames[at if back % 2 == 0 else len(frames) - 1 - at]


def _beside(left, right):
    cv2 = load_opencv()
    return np.hstack(
        [cv2.resize(each, SIZE[::-1], interpolation=cv2.INTER_AREA) for each in (left, right)]
    )


def _dim(frame, gain, noise, rng):
    return np.clip(gain * frame + rng.normal(0, noise, frame.shape), 0, 255).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", nargs=2, type=Path, help="two videos, each with its own face")
    parser.add_argument("--warps", action="store_true")
    options = parser.parse_args()
    one, two = (read(path, 300) for path in options.videos)
    moved = known_moves(one[0])
    least = min(moved, key=moved.__getitem__)
    figures = [
        Figure(
            f"known moves of a face and what is measured, least r ({least})",
            moved[least],
            "r",
            more_is_better=True,
        )
    ]
    if not options.warps:
        still(one[0])
        dark(one[:60])
        others(one, two)
        mistaken = returning(one, two)
        figures.append(
            Figure(
                "frames in which another face is taken for the enrolled one", 100 * mistaken, "%"
            )
        )
    tell(*figures)


if __name__ == "__main__":
    main()
