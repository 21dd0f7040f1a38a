"""Fabricated files in the place of public recordings: the same names, layout and known facts.

So whoever has the repository alone runs every test; where the recordings are, tests run on both.
"""

from collections.abc import Callable
from pathlib import Path

from tests.support.stand_ins import brain, case, faces, heart, muse, skin, xdf

PublicFile = Callable[[str], Path]  # what the fixture `public_file` gives
DATA = Path(__file__).resolve().parents[2] / "data"


def stand_in(name: str, folder: Path) -> Path:
    """Return the stand-in for a recording of the public collection, made in `folder` if needed."""
    if (DATA / name).exists():
        return DATA / name
    path = folder / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        STAND_INS[name](path)
    return path


STAND_INS: dict[str, Callable[[Path], None]] = {
    "ble/openmuse_p21.txt": muse.notifications,
    "ble/openmuse_p1035.txt": muse.notifications,
    "ble/openmuse_p1041.txt": muse.notifications,
    "ble/openmuse_p1044.txt": muse.notifications,
    "case/case_dev.npz": case.ratings,
    "ecg/mitdb100_0-10min.npz": heart.two_leads,
    "ecg/nst_118e06.npz": heart.moving_electrodes,
    "ecg/neurokit_bio_eventrelated_100hz.csv": skin.four_stimuli,
    "eeg/biosppy_eeg_ec.npz": brain.eyes_closed,
    "eeg/biosppy_eeg_eo.npz": brain.eyes_open,
    "face/WolfgangLanger_Pexels.mp4": faces.wandering,
    "face/no_face.mp4": faces.nobody,
    "face/single_face.mp4": faces.facing,
    "wearable/rcqoea_P1.npz": heart.clips,
    "wearable/rcqoea_P2.npz": heart.clips,
    "wearable/rcqoea_P3.npz": heart.clips,
    "wearable/rcqoea_P4.npz": heart.clips,
    "xdf/empty_streams.xdf": xdf.empty_streams,
    "xdf/minimal.xdf": xdf.minimal,
}
