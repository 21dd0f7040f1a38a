"""Cut the two portraits of tests/data/faces from what matplotlib and scikit-image ship.

`pip install scikit-image matplotlib opencv-python-headless`, then `python tests/data/make.py`.
Both are works of the United States government and in the public domain, see README.md.
"""

from pathlib import Path

import cv2
import matplotlib

FACES = Path(__file__).parent / "faces"
SIZE = (640, 360)


def main() -> None:
    """Write both, 640 x 360."""
    import skimage

    admiral = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    astronaut = Path(skimage.__file__).parent / "data" / "astronaut.png"
    for name, source, top, left, height in (
        ("admiral.jpg", admiral, 90, 0, 288),
        ("astronaut.jpg", astronaut, 10, 10, 240),
    ):
        picture = cv2.imread(str(source))[top : top + height, left : left + height * 16 // 9]
        picture = cv2.resize(picture, SIZE, interpolation=cv2.INTER_CUBIC)
        picture = cv2.GaussianBlur(picture, (0, 0), 0.8)  # about as sharp as a webcam
        cv2.imwrite(str(FACES / name), picture, [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
