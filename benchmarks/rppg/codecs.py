"""What MJPEG and H.264 leave of the pulse in a rendered face.

Usage: python -m benchmarks.rppg.codecs [--seeds 3] [--only MJPEG]

Rendered pictures (640 x 480, 30 frames a second, a textured face and wall, camera noise, 8 bits,
hardly any motion: for inter-frame codecs harder than life) are encoded, decoded, measured as the
camera does and put through the live pipeline. H.264 (libx264, ultrafast, yuv420p) needs PyAV:
`pip install av`.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cv2
import numpy as np

from benchmarks.figures import Figure, tell
from benchmarks.parts.rppg_scene import ABSORPTION, Heart, Scene, make_heart
from benchmarks.parts.rppg_scoring import HEADER, Outcome, Row, print_row, score_frames
from biosense.acquisition.camera.tracking.skin_regions import linear_table
from biosense.core.camera_streams import RPPG_CHANNELS
from biosense.core.types import Chunk, Floats, Modality, StreamInfo

FPS, SECONDS = 30, 16.0
SIZE = (480, 640)
FACE = (slice(100, 380), slice(210, 430))
REGIONS = (
    (slice(120, 180), slice(260, 380)),
    (slice(230, 310), slice(230, 290)),
    (slice(230, 310), slice(350, 410)),
    (slice(20, 300), slice(20, 150)),
)
Picture = Any


@dataclass(frozen=True)
class Codec:
    """Name an encoder: `kind` raw, mjpeg (cv2 quality) or h264 (crf, or a bit rate)."""

    name: str
    kind: str
    crf: int = 0
    bits: int = 0


CODECS = (
    Codec("no codec", "raw"),
    Codec("MJPEG quality 90", "mjpeg", 90),
    Codec("H.264 crf 10", "h264", crf=10),
    Codec("H.264 crf 18", "h264", crf=18),
    Codec("H.264 crf 23", "h264", crf=23),
    Codec("H.264 0.25 Mb/s", "h264", bits=250_000),
    Codec("H.264 1 Mb/s", "h264", bits=1_000_000),
    Codec("H.264 4 Mb/s", "h264", bits=4_000_000),
)


def pictures(heart: Heart, pulse: float, rng: np.random.Generator) -> Iterator[Picture]:
    """Yield BGR frames of a face with a pulse: gamma, texture, shading, noise of 1.5 levels."""
    shade = np.linspace(1.1, 0.8, SIZE[1])[None, :, None] * np.ones((*SIZE, 3))
    light = shade * np.array([0.35, 0.35, 0.37])
    light[FACE] = shade[FACE] * np.array([0.29, 0.36, 0.5]) * 1.1  # blue, green, red
    texture = cv2.GaussianBlur(rng.standard_normal(SIZE), (0, 0), 3.0)
    light *= 1 + 0.25 * texture[:, :, None]
    code = np.interp(light, linear_table(), np.arange(256)).astype(np.float32)
    slope = np.gradient(np.interp(np.linspace(0, 1, 4097), linear_table(), np.arange(256)))
    step = np.interp(light[FACE], np.linspace(0, 1, 4097), slope * 4096) * light[FACE]
    step = (step * ABSORPTION[::-1]).astype(np.float32)
    noise = (1.5 * rng.standard_normal((SIZE[0] + 64, SIZE[1] + 64, 3))).astype(np.float32)
    for blood in heart.wave(np.arange(round(SECONDS * FPS)) / FPS):
        down, right = rng.integers(0, 64, 2)
        image = code + noise[down : down + SIZE[0], right : right + SIZE[1]]
        image[FACE] -= np.float32(pulse * blood) * step
        yield cv2.convertScaleAbs(image)


class Encoded:
    """Encode pictures one by one, and decode them again."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self._stored: list[Any] = []
        self._file = io.BytesIO()
        if codec.kind == "h264":
            import av

            self._output = av.open(self._file, "w", format="matroska")
            stream = self._output.add_stream("libx264", rate=FPS)
            stream.height, stream.width = SIZE
            stream.pix_fmt = "yuv420p"
            stream.time_base = Fraction(1, FPS)
            stream.options = {"preset": "ultrafast", "threads": "1"}
            if codec.bits:
                stream.bit_rate = codec.bits
            else:
                stream.options = {**stream.options, "crf": str(codec.crf)}
            self._stream = stream

    def add(self, image: Picture) -> None:
        """Encode a picture (without a codec: measure it at once)."""
        if self.codec.kind == "raw":
            self._stored.append(measure(image))
        elif self.codec.kind == "mjpeg":
            quality = [cv2.IMWRITE_JPEG_QUALITY, self.codec.crf]
            self._stored.append(cv2.imencode(".jpg", image, quality)[1])
        else:
            import av

            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            self._output.mux(self._stream.encode(frame))

    def rows(self) -> list[Floats]:
        """Return the colours of every decoded picture."""
        if self.codec.kind == "raw":
            return self._stored
        if self.codec.kind == "mjpeg":
            return [measure(cv2.imdecode(data, cv2.IMREAD_COLOR)) for data in self._stored]
        import av

        self._output.mux(self._stream.encode())
        self._output.close()
        self._file.seek(0)
        with av.open(self._file) as video:
            return [measure(f.to_ndarray(format="bgr24")) for f in video.decode(video=0)]


def measure(image: Picture) -> Floats:
    """Return the values of `RPPG_CHANNELS` with a head that stands still."""
    table = linear_table()
    values = []
    for region in REGIONS:
        crop = np.ascontiguousarray(image[region])
        values += [*cv2.mean(cv2.LUT(crop, table))[2::-1], float(crop.shape[0] * crop.shape[1])]
    return np.array([*values, 320.0, 240.0, 100.0, 0.0])


def score_codecs(seed: int, codecs: tuple[Codec, ...], pulse: float) -> list[Outcome]:
    """Render one clip, and score what every codec leaves of it."""
    rng = np.random.default_rng(seed)
    heart = make_heart(Scene("", seconds=SECONDS), rng)
    encoders = [Encoded(codec) for codec in codecs]
    for image in pictures(heart, pulse, rng):
        for encoder in encoders:
            encoder.add(image)
    info = StreamInfo("video", Modality.RPPG, RPPG_CHANNELS, float(FPS), lossy=True)
    outcomes = []
    for encoder in encoders:
        rows = np.array(encoder.rows())
        frames = Chunk.of(info, np.arange(len(rows)) / FPS, rows)
        outcomes.append(score_frames(frames, heart, SECONDS, is_pulse=pulse > 0))
    return outcomes


def usable(only: str) -> tuple[Codec, ...]:
    """Return the codecs that can be used here."""
    codecs = tuple(codec for codec in CODECS if only in codec.name)
    try:
        import av  # noqa: F401
    except ImportError:
        print("\nH.264 left out: PyAV is not installed (pip install av)")
        return tuple(codec for codec in codecs if codec.kind != "h264")
    return codecs


def print_codecs(seeds: int, codecs: tuple[Codec, ...]) -> dict[str, Row]:
    """Print what codecs do to a pulse of 0.6 %, and what is told without one."""
    rows = {}
    for pulse, word in ((0.006, "pulse 0.6 %"), (0.0, "photo")):
        columns = [score_codecs(1000 + n, codecs, pulse) for n in range(seeds)]
        for codec, outcomes in zip(codecs, zip(*columns, strict=True), strict=True):
            name = f"{word}, {codec.name}"
            rows[name] = print_row(name, list(outcomes), pulse > 0)
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="", help="codecs whose name contains this")
    args = parser.parse_args()
    began = time.perf_counter()
    print(HEADER)
    rows = print_codecs(args.seeds, usable(args.only))
    tell(
        *(
            Figure(f"camera pulse of 0.6 % told, {codec}", 100 * row.told, "%", more_is_better=True)
            for codec in ("MJPEG quality 90", "H.264 crf 10", "H.264 crf 23")
            if (row := rows.get(f"pulse 0.6 %, {codec}"))
        )
    )
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
